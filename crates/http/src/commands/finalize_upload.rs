use actix_web::{HttpResponse, web};
use rapidphoto_api_types::{FinalizeRequest, UploadState};
use rapidphoto_application::{
    ports::Scope,
    uploads::{FinalizeUpload, FinalizeUploadError},
};

use crate::{
    call::{Answer, Call, json},
    refusal::{Refusal, kinds},
    wire,
};

/// Says that a photo's bytes are all sent.
///
/// Storage tells the server as well; this only makes sure of it. Safe to repeat: a photo that is further stays there.
#[utoipa::path(
    post,
    path = "/commands/upload/{photoId}/finalize",
    tag = "uploads",
    params(("photoId" = String, Path, description = "The photo.")),
    request_body(content = Option<FinalizeRequest>, description = "Not wanted for a single PUT."),
    responses((status = 202, description = "Where the photo stands.", body = UploadState)),
    security(("bearer" = ["photos:write"]))
)]
pub(crate) async fn finalize_upload(call: Call, payload: web::Payload) -> Answer {
    let owner = call.authorize(Scope::PhotosWrite)?;
    let photo = call.photo()?;
    let request: FinalizeRequest = call.optional_json(payload).await?.unwrap_or_default();
    if request.parts.is_some() {
        let kind = kinds::MULTIPART_UNAVAILABLE;
        return Err(Refusal::new(kind).at("/parts", kind.code, kind.detail));
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
    let photo = photo.map_err(refusal)?;
    let body = UploadState {
        photo_id: photo.id.to_string(),
        job_id: photo.job.to_string(),
        status: wire::photo_status(photo.status()),
    };
    json(&mut HttpResponse::Accepted(), &body)
}

fn refusal(error: FinalizeUploadError) -> Refusal {
    match error {
        FinalizeUploadError::NoSuchPhoto => Refusal::new(kinds::NO_SUCH_PHOTO),
        FinalizeUploadError::Contended(contended) => contended.into(),
        FinalizeUploadError::Unavailable(unavailable) => unavailable.into(),
        other => Refusal::internal(other),
    }
}
