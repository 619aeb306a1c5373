use actix_web::HttpResponse;
use rapidphoto_api_types::PhotoHistory;
use rapidphoto_application::{
    photos::HistoryError,
    ports::{LogError, Scope},
};

use crate::{
    call::{Answer, Call, json},
    refusal::{Refusal, kinds},
    wire,
};

/// What happened to a photo, from the log: who, what, when.
#[utoipa::path(
    get,
    path = "/queries/photos/{photoId}/history",
    tag = "photos",
    params(("photoId" = String, Path, description = "The photo.")),
    responses((status = 200, description = "Its events, the oldest first.", body = PhotoHistory)),
    security(("bearer" = ["photos:read"]))
)]
pub(crate) async fn photo_history(call: Call) -> Answer {
    let owner = call.authorize(Scope::PhotosRead)?;
    let photo = call.photo()?;
    let use_cases = call.use_cases();
    let events = call
        .on_main(async move { use_cases.photo_history.handle(owner, photo).await })
        .await?;
    let history = wire::history(photo, events.map_err(refusal)?).map_err(Refusal::internal)?;
    json(&mut HttpResponse::Ok(), &history)
}

fn refusal(error: HistoryError) -> Refusal {
    match error {
        HistoryError::NoSuchPhoto => Refusal::new(kinds::NO_SUCH_PHOTO),
        HistoryError::Unavailable(unavailable) | HistoryError::Log(LogError::Unavailable(unavailable)) => {
            unavailable.into()
        }
        other => Refusal::internal(other),
    }
}
