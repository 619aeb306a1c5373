use actix_web::HttpResponse;
use rapidphoto_api_types::Photo;
use rapidphoto_application::ports::Scope;

use crate::{
    call::{Answer, Call, json},
    refusal::{Refusal, kinds},
    wire,
};

/// Everything that is known of a photo, with URLs for its thumbnails.
#[utoipa::path(
    get,
    path = "/queries/photos/{photoId}",
    tag = "photos",
    params(("photoId" = String, Path, description = "The photo.")),
    responses((status = 200, description = "The photo.", body = Photo)),
    security(("bearer" = ["photos:read"]))
)]
pub(crate) async fn show_photo(call: Call) -> Answer {
    let owner = call.authorize(Scope::PhotosRead)?;
    let photo = call.photo()?;
    let use_cases = call.use_cases();
    let shown = call
        .on_main(async move { use_cases.show_photo.handle(owner, photo).await })
        .await??;
    let shown = shown.ok_or_else(|| Refusal::new(kinds::NO_SUCH_PHOTO))?;
    json(&mut HttpResponse::Ok(), &wire::photo(shown))
}
