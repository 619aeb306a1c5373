use actix_web::HttpResponse;
use rapidphoto_api_types::RenewedUpload;
use rapidphoto_application::{
    jobs::{RenewUpload, RenewUploadError},
    ports::Scope,
};
use rapidphoto_domain::UserId;

use super::create_job::not_admitted;
use crate::{
    call::{Call, HandlerResult, json},
    endpoint::Endpoint,
    problem::{Problem, kinds},
    wire,
};

pub(super) fn endpoint() -> Endpoint {
    Endpoint::scoped::<__path_renew_upload>(Scope::PhotosWrite, renew_upload).problems(&[
        kinds::NO_SUCH_PHOTO,
        kinds::UPLOAD_ENDED,
        kinds::OPEN_PHOTOS_EXCEEDED,
        kinds::CONTENDED,
    ])
}

/// Returns a fresh upload URL for a photo whose URL has expired, or whose upload has failed.
///
/// The upload window begins again. A file that is sent in parts keeps those that are in storage; if storage has lost them,
/// a new upload begins.
#[utoipa::path(
    post,
    path = "/commands/upload/{photoId}/renew",
    tag = "uploads",
    params(("photoId" = String, Path, description = "Id of the photo.")),
    responses((status = 200, description = "The photo's item, as in the response to its job.", body = RenewedUpload))
)]
async fn renew_upload(call: Call, owner: UserId) -> HandlerResult {
    let command = RenewUpload {
        owner,
        photo: call.photo()?,
        metadata: call.metadata(Some(owner)),
    };
    let use_cases = call.use_cases();
    let item = call
        .on_main(async move { use_cases.renew_upload.handle(command).await })
        .await?;
    let item = wire::job_item(item.map_err(problem)?);
    json(&mut HttpResponse::Ok(), &RenewedUpload { item })
}

fn problem(error: RenewUploadError) -> Problem {
    match error {
        RenewUploadError::NoSuchPhoto => Problem::new(kinds::NO_SUCH_PHOTO),
        RenewUploadError::UploadEnded(status) => Problem::upload_ended(status),
        RenewUploadError::NotAdmitted(reason) => not_admitted(reason),
        RenewUploadError::Contended(contended) => contended.into(),
        RenewUploadError::Unavailable(unavailable) => unavailable.into(),
        other => Problem::internal(other),
    }
}
