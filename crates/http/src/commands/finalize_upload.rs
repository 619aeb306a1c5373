use std::collections::BTreeMap;

use actix_web::HttpResponse;
use rapidphoto_api_types::{FinalizeRequest, UploadState, UploadedPart};
use rapidphoto_application::{
    ports::Scope,
    uploads::{CompleteUploadError, FinalizeUpload, FinalizeUploadError, PartFault},
};
use rapidphoto_domain::{
    UserId,
    values::{ETag, PartNumber},
};

use crate::{
    call::{Call, HandlerResult, json},
    endpoint::Endpoint,
    problem::{
        Problem,
        kinds::{self, Kind},
    },
    wire,
};

pub(super) fn endpoint() -> Endpoint {
    Endpoint::scoped::<__path_finalize_upload>(Scope::PhotosWrite, finalize_upload).problems(&[
        kinds::NO_SUCH_PHOTO,
        kinds::NOT_MULTIPART,
        kinds::UPLOAD_LOST,
        kinds::INVALID_PARTS,
        kinds::PARTS_INCOMPLETE,
        kinds::PARTS_CHANGED,
        kinds::CONTENDED,
    ])
}

/// Reports that all bytes of a photo were uploaded.
///
/// Optional after a single PUT, since storage notifies the server as well. Required for a file that is sent in parts: it
/// makes the object of them. Safe to repeat: the status of a photo never goes back.
#[utoipa::path(
    post,
    path = "/commands/upload/{photoId}/finalize",
    tag = "uploads",
    params(("photoId" = String, Path, description = "Id of the photo.")),
    request_body(content = Option<FinalizeRequest>, description = "Not needed; `parts` lets the server compare them with those in storage."),
    responses((status = 202, description = "Current status of the photo.", body = UploadState))
)]
async fn finalize_upload(mut call: Call, owner: UserId) -> HandlerResult {
    let photo = call.photo()?;
    let request: FinalizeRequest = call.optional_json().await?.unwrap_or_default();
    let parts = request.parts.map(|parts| listed(&parts)).transpose()?;
    let command = FinalizeUpload {
        owner,
        photo,
        parts,
        metadata: call.metadata(Some(owner)),
    };
    let use_cases = call.use_cases();
    let photo = call
        .on_main(async move { use_cases.finalize_upload.handle(command).await })
        .await?;
    let photo = photo.map_err(problem)?;
    let body = UploadState {
        photo_id: photo.id.to_string(),
        job_id: photo.job.to_string(),
        status: wire::photo_status(photo.status()),
    };
    json(&mut HttpResponse::Accepted(), &body)
}

/// The client's parts by number.
fn listed(parts: &[UploadedPart]) -> Result<BTreeMap<PartNumber, ETag>, Problem> {
    let mut listed = BTreeMap::new();
    let mut problem = Problem::new(kinds::INVALID_PARTS);
    for (index, part) in parts.iter().enumerate() {
        let number = PartNumber::new(part.part_number);
        let e_tag = ETag::parse(&part.e_tag);
        let error = match (number, e_tag) {
            (Err(error), _) => ("partNumber", error.to_string()),
            (_, Err(error)) => ("eTag", error.to_string()),
            (Ok(number), Ok(e_tag)) => match listed.insert(number, e_tag) {
                None => continue,
                Some(_) => ("partNumber", format!("the part {number} is listed twice")),
            },
        };
        let (member, message) = error;
        problem = problem.error_at(format!("/parts/{index}/{member}"), "invalid_value", message);
        if problem.errors() == MAX_ERRORS {
            break;
        }
    }
    if problem.errors() == 0 {
        Ok(listed)
    } else {
        Err(problem)
    }
}

/// Errors in one response; a file can have 10 000 parts.
const MAX_ERRORS: usize = 100;

fn problem(error: FinalizeUploadError) -> Problem {
    match error {
        FinalizeUploadError::NoSuchPhoto => Problem::new(kinds::NO_SUCH_PHOTO),
        FinalizeUploadError::NotInParts => Problem::new(kinds::NOT_MULTIPART),
        FinalizeUploadError::Contended(contended)
        | FinalizeUploadError::Parts(CompleteUploadError::Contended(contended)) => contended.into(),
        FinalizeUploadError::Unavailable(unavailable)
        | FinalizeUploadError::Parts(CompleteUploadError::Unavailable(unavailable)) => unavailable.into(),
        FinalizeUploadError::Parts(CompleteUploadError::UploadLost) => Problem::new(kinds::UPLOAD_LOST),
        FinalizeUploadError::Parts(CompleteUploadError::PartsIncomplete(faults)) => {
            faulty(kinds::PARTS_INCOMPLETE, &faults)
        }
        FinalizeUploadError::Parts(CompleteUploadError::PartsChanged(faults)) => {
            faulty(kinds::PARTS_CHANGED, &faults)
        }
        other => Problem::internal(other),
    }
}

fn faulty(kind: &'static Kind, faults: &[PartFault]) -> Problem {
    let detail = format!("{} Parts concerned: {}.", kind.detail, faults.len());
    let problem = Problem::new(kind).detail(detail);
    faults.iter().take(MAX_ERRORS).fold(problem, |problem, fault| {
        let message = format!("the part {} {}", fault.number, fault.kind);
        problem.error_at("/parts", kind.code, message)
    })
}
