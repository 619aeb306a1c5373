use actix_web::HttpResponse;
use rapidphoto_api_types::PhotoDeleted;
use rapidphoto_application::{
    photos::{DeletePhoto, DeletePhotoError},
    ports::Scope,
};

use crate::{
    call::{Answer, Call, json},
    refusal::{Refusal, kinds},
    wire,
};

/// Gives a photo up: cancels it on its way, deletes it once it is at an end.
#[utoipa::path(
    delete,
    path = "/commands/photos/{photoId}",
    tag = "photos",
    params(("photoId" = String, Path, description = "The photo.")),
    responses((status = 200, description = "What it is now.", body = PhotoDeleted)),
    security(("bearer" = ["photos:write"]))
)]
pub(crate) async fn delete_photo(call: Call) -> Answer {
    let owner = call.authorize(Scope::PhotosWrite)?;
    let command = DeletePhoto {
        owner,
        photo: call.photo()?,
        metadata: call.metadata(Some(owner)),
    };
    let use_cases = call.use_cases();
    let photo = call
        .on_main(async move { use_cases.delete_photo.handle(command).await })
        .await?;
    let photo = photo.map_err(refusal)?;
    let body = PhotoDeleted {
        photo_id: photo.id.to_string(),
        status: wire::photo_status(photo.status()),
        deleted: photo.deleted,
    };
    json(&mut HttpResponse::Ok(), &body)
}

fn refusal(error: DeletePhotoError) -> Refusal {
    match error {
        DeletePhotoError::NoSuchPhoto => Refusal::new(kinds::NO_SUCH_PHOTO),
        DeletePhotoError::Contended(contended) => contended.into(),
        DeletePhotoError::Unavailable(unavailable) => unavailable.into(),
        other => Refusal::internal(other),
    }
}
