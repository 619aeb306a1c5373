use actix_web::HttpResponse;
use rapidphoto_api_types::{FinalizeRequest, UploadState};
use rapidphoto_application::{
    ports::Scope,
    uploads::{FinalizeUpload, FinalizeUploadError},
};
use rapidphoto_domain::UserId;

use crate::{
    call::{Call, HandlerResult, json},
    endpoint::Endpoint,
    problem::{Problem, kinds},
    wire,
};

pub(super) fn endpoint() -> Endpoint {
    Endpoint::scoped::<__path_finalize_upload>(Scope::PhotosWrite, finalize_upload).problems(&[
        kinds::NO_SUCH_PHOTO,
        kinds::MULTIPART_UNAVAILABLE,
        kinds::CONTENDED,
    ])
}

/// Reports that all bytes of a photo were uploaded.
///
/// Optional, since storage notifies the server as well. Safe to repeat: the status of a photo never goes back.
#[utoipa::path(
    post,
    path = "/commands/upload/{photoId}/finalize",
    tag = "uploads",
    params(("photoId" = String, Path, description = "Id of the photo.")),
    request_body(content = Option<FinalizeRequest>, description = "Not needed after an upload by a single PUT."),
    responses((status = 202, description = "Current status of the photo.", body = UploadState))
)]
async fn finalize_upload(mut call: Call, owner: UserId) -> HandlerResult {
    let photo = call.photo()?;
    let request: FinalizeRequest = call.optional_json().await?.unwrap_or_default();
    if request.parts.is_some() {
        return Err(Problem::at(kinds::MULTIPART_UNAVAILABLE, "/parts"));
    }
    let command = FinalizeUpload {
        owner,
        photo,
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

fn problem(error: FinalizeUploadError) -> Problem {
    match error {
        FinalizeUploadError::NoSuchPhoto => Problem::new(kinds::NO_SUCH_PHOTO),
        FinalizeUploadError::Contended(contended) => contended.into(),
        FinalizeUploadError::Unavailable(unavailable) => unavailable.into(),
        other => Problem::internal(other),
    }
}
