use rapidphoto_application::{live::WatchUser, ports::Scope};
use rapidphoto_domain::UserId;

use super::last_event_id::start;
use crate::{
    call::{Call, HandlerResult, Query},
    endpoint::Endpoint,
    problem::kinds,
    stream,
};

pub(super) fn endpoint() -> Endpoint {
    Endpoint::stream::<__path_watch_user>(Scope::PhotosRead, watch_user).problems(&[kinds::TOO_MANY_STREAMS])
}

/// Server-sent events of all jobs and photos of the user.
///
/// The events are those of a job's stream. The stream starts with `event: snapshot`, which contains only the `cursor`;
/// query jobs and photos for their state.
#[utoipa::path(
    get,
    path = "/queries/events",
    tag = "streams",
    params(
        ("Last-Event-ID" = Option<String>, Header, description = "Last `id:` that the client has received."),
        ("lastEventId" = Option<String>, Query, description = "The same, for clients that can't set headers."),
        ("ticket" = Option<String>, Query, description = "Stream ticket, instead of an access token.")
    ),
    responses((status = 200, description = "The stream.", body = String, content_type = "text/event-stream"))
)]
async fn watch_user(call: Call, owner: UserId, mut query: Query) -> HandlerResult {
    let start = start(&call, owner, &mut query)?;
    query.finish()?;
    let slot = call.shared.streams.take(owner)?;
    let handler = call.shared.app.watch.clone();
    let watch = WatchUser { owner, start };
    let live = call.on_main(async move { handler.user(watch).await }).await?;
    stream::response(&call, owner, live?, slot)
}
