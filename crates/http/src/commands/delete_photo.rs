use actix_web::HttpResponse;
use rapidphoto_api_types::PhotoDeleted;
use rapidphoto_application::{
    photos::{DeletePhoto, DeletePhotoError},
    ports::Scope,
};
use rapidphoto_domain::UserId;

use crate::{
    call::{Call, HandlerResult, json},
    endpoint::Endpoint,
    problem::{Problem, kinds},
    wire,
};

pub(super) fn endpoint() -> Endpoint {
    Endpoint::scoped::<__path_delete_photo>(Scope::PhotosWrite, delete_photo)
        .problems(&[kinds::NO_SUCH_PHOTO, kinds::CONTENDED])
}

/// Cancels a photo that is in progress; deletes a photo that has reached a final status.
#[utoipa::path(
    delete,
    path = "/commands/photos/{photoId}",
    tag = "photos",
    params(("photoId" = String, Path, description = "Id of the photo.")),
    responses((status = 200, description = "Status of the photo after the command.", body = PhotoDeleted))
)]
async fn delete_photo(call: Call, owner: UserId) -> HandlerResult {
    let command = DeletePhoto {
        owner,
        photo: call.photo()?,
        metadata: call.metadata(Some(owner)),
    };
    let use_cases = call.use_cases();
    let photo = call
        .on_main(async move { use_cases.delete_photo.handle(command).await })
        .await?;
    let photo = photo.map_err(problem)?;
    let body = PhotoDeleted {
        photo_id: photo.id.to_string(),
        status: wire::photo_status(photo.status()),
        deleted: photo.deleted,
    };
    json(&mut HttpResponse::Ok(), &body)
}

fn problem(error: DeletePhotoError) -> Problem {
    match error {
        DeletePhotoError::NoSuchPhoto => Problem::new(kinds::NO_SUCH_PHOTO),
        DeletePhotoError::Contended(contended) => contended.into(),
        DeletePhotoError::Unavailable(unavailable) => unavailable.into(),
        other => Problem::internal(other),
    }
}
