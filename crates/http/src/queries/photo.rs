use actix_web::HttpResponse;
use rapidphoto_api_types::Photo;
use rapidphoto_application::ports::Scope;
use rapidphoto_domain::UserId;

use crate::{
    call::{Call, HandlerResult, json},
    endpoint::Endpoint,
    problem::{Problem, kinds},
    wire,
};

pub(super) fn endpoint() -> Endpoint {
    Endpoint::scoped::<__path_show_photo>(Scope::PhotosRead, show_photo).problems(&[kinds::NO_SUCH_PHOTO])
}

/// A photo with its metadata and presigned URLs of its thumbnails.
#[utoipa::path(
    get,
    path = "/queries/photos/{photoId}",
    tag = "photos",
    params(("photoId" = String, Path, description = "Id of the photo.")),
    responses((status = 200, description = "The photo.", body = Photo))
)]
async fn show_photo(call: Call, owner: UserId) -> HandlerResult {
    let photo = call.photo()?;
    let use_cases = call.use_cases();
    let found = call
        .on_main(async move { use_cases.show_photo.handle(owner, photo).await })
        .await??;
    let photo = found.ok_or_else(|| Problem::new(kinds::NO_SUCH_PHOTO))?;
    json(&mut HttpResponse::Ok(), &wire::photo(photo))
}
