use actix_web::HttpResponse;
use rapidphoto_api_types::PhotoHistory;
use rapidphoto_application::{
    photos::HistoryError,
    ports::{LogError, Scope},
};
use rapidphoto_domain::UserId;

use crate::{
    call::{Call, HandlerResult, json},
    endpoint::Endpoint,
    problem::{Problem, kinds},
    wire,
};

pub(super) fn endpoint() -> Endpoint {
    Endpoint::scoped::<__path_photo_history>(Scope::PhotosRead, photo_history)
        .problems(&[kinds::NO_SUCH_PHOTO])
}

/// Events of a photo, with their time and actor.
#[utoipa::path(
    get,
    path = "/queries/photos/{photoId}/history",
    tag = "photos",
    params(("photoId" = String, Path, description = "Id of the photo.")),
    responses((status = 200, description = "The events, oldest first.", body = PhotoHistory))
)]
async fn photo_history(call: Call, owner: UserId) -> HandlerResult {
    let photo = call.photo()?;
    let use_cases = call.use_cases();
    let events = call
        .on_main(async move { use_cases.photo_history.handle(owner, photo).await })
        .await?;
    let history = wire::history(photo, events.map_err(problem)?).map_err(Problem::internal)?;
    json(&mut HttpResponse::Ok(), &history)
}

fn problem(error: HistoryError) -> Problem {
    match error {
        HistoryError::NoSuchPhoto => Problem::new(kinds::NO_SUCH_PHOTO),
        HistoryError::Unavailable(unavailable) | HistoryError::Log(LogError::Unavailable(unavailable)) => {
            unavailable.into()
        }
        other => Problem::internal(other),
    }
}
