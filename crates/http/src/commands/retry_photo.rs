use actix_web::HttpResponse;
use rapidphoto_api_types::RenewedUpload;
use rapidphoto_application::{
    jobs::{RetryPhoto, RetryPhotoError},
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
    Endpoint::scoped::<__path_retry_photo>(Scope::PhotosWrite, retry_photo).problems(&[
        kinds::NO_SUCH_PHOTO,
        kinds::PHOTO_NOT_FAILED,
        kinds::OPEN_PHOTOS_EXCEEDED,
        kinds::CONTENDED,
    ])
}

/// Tries a failed photo again, and opens its job again.
///
/// A photo whose processing failed is processed again. One whose file is not in storage becomes QUEUED, and its item has
/// what the upload needs.
#[utoipa::path(
    post,
    path = "/commands/photos/{photoId}/retry",
    tag = "photos",
    params(("photoId" = String, Path, description = "Id of the photo.")),
    responses((status = 202, description = "The photo's item, as in the response to its job.", body = RenewedUpload))
)]
async fn retry_photo(call: Call, owner: UserId) -> HandlerResult {
    let command = RetryPhoto {
        owner,
        photo: call.photo()?,
        metadata: call.metadata(Some(owner)),
    };
    let use_cases = call.use_cases();
    let item = call
        .on_main(async move { use_cases.retry_photo.handle(command).await })
        .await?;
    let item = wire::job_item(item.map_err(problem)?);
    json(&mut HttpResponse::Accepted(), &RenewedUpload { item })
}

fn problem(error: RetryPhotoError) -> Problem {
    match error {
        RetryPhotoError::NoSuchPhoto => Problem::new(kinds::NO_SUCH_PHOTO),
        RetryPhotoError::NotFailed(status) => Problem::new(kinds::PHOTO_NOT_FAILED).detail(format!(
            "The photo is {status}. Only failed photos can be retried."
        )),
        RetryPhotoError::NotAdmitted(reason) => not_admitted(reason),
        RetryPhotoError::Contended(contended) => contended.into(),
        RetryPhotoError::Unavailable(unavailable) => unavailable.into(),
        other => Problem::internal(other),
    }
}
