use rapidphoto_application::live::WatchUser;

use super::job_events::{last_event_id, refusal};
use crate::{
    call::{Answer, Call},
    stream,
};

/// The server-sent events of everything of a user.
///
/// As a job's stream, for all of the user's jobs and photos. It begins with `event: snapshot` and no more in it than the
/// `cursor`: ask for jobs and photos by themselves.
#[utoipa::path(
    get,
    path = "/queries/events",
    tag = "streams",
    params(
        ("Last-Event-ID" = Option<String>, Header, description = "The last `id:` that the client has seen."),
        ("lastEventId" = Option<String>, Query, description = "The same, where headers can't be set."),
        ("ticket" = Option<String>, Query, description = "In place of an access token.")
    ),
    responses((status = 200, description = "The stream.", body = String, content_type = "text/event-stream")),
    security(("bearer" = ["photos:read"]), ("ticket" = []))
)]
pub(crate) async fn watch_user(call: Call) -> Answer {
    let mut query = call.query()?;
    let owner = call.authorize_stream(None, &mut query).await?;
    let last_event_id = last_event_id(&call, query)?;
    let handler = call.shared.app.watch.clone();
    let watch = WatchUser { owner, last_event_id };
    let live = call.on_main(async move { handler.user(watch).await }).await?;
    Ok(stream::answer(&call, owner, live.map_err(refusal)?))
}
