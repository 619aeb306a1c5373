use rapidphoto_application::{
    live::{WatchJob, WatchUser},
    ports::Scope,
};
use rapidphoto_domain::{JobId, UserId};

use super::last_event_id::start;
use crate::{
    call::{Call, HandlerResult, Query},
    endpoint::Endpoint,
    problem::kinds,
    stream,
};

pub(super) fn endpoint() -> Endpoint {
    Endpoint::stream::<__path_open_websocket>(Scope::PhotosRead, open_websocket).problems(&[
        kinds::BAD_REQUEST,
        kinds::ORIGIN_NOT_ALLOWED,
        kinds::NO_SUCH_JOB,
        kinds::TOO_MANY_STREAMS,
    ])
}

/// Events of all jobs and photos of the user, or of one job, over a WebSocket.
///
/// The events are those of `/queries/events`, or with `jobId` those of `/queries/upload-jobs/{jobId}/events`, each in a text
/// message: `{"id": …, "event": …, "data": …}`, without `id` where the event has none. To resume without gaps or repetitions,
/// connect with the last id as `lastEventId`. The server sends a ping every 15 s to an idle client, and disconnects one that
/// does not answer until the next. Clients send no messages.
///
/// The stream ends with one of these close codes: 1000 after `event: end` of a terminal job; 1001 when the server stops; 1008
/// after `event: end` of a session; 1013 if the client reads too slowly; 1011 after an error; 1002, 1003 and 1009 for frames
/// that violate the protocol, are a message, or are too large. After 1001, 1011 and 1013 the client connects again. Pages of
/// origins that may not call the API get 403. A WebSocket counts among the 10 streams that a user may have open.
#[utoipa::path(
    get,
    path = "/queries/ws",
    tag = "streams",
    params(
        (
            "jobId" = Option<String>, Query, pattern = "^job_[0-7][0-9A-HJKMNP-TV-Z]{25}$",
            description = "Id of a job, for the events of this job only."
        ),
        ("lastEventId" = Option<String>, Query, description = "Last `id` that the client has received."),
        ("follow" = Option<bool>, Query, description = "True to go on after the job is terminal."),
        ("ticket" = Option<String>, Query, description = "Stream ticket, instead of an access token.")
    ),
    responses((status = 101, description = "The connection becomes a WebSocket."))
)]
async fn open_websocket(call: Call, owner: UserId, mut query: Query) -> HandlerResult {
    call.check_origin()?;
    let start = start(&call, owner, &mut query)?;
    let job: Option<JobId> = query.take_as("jobId", "the id of a job", |raw| raw.parse().ok())?;
    let follow = query.take_as("follow", "`true` or `false`", |value| value.parse().ok())?;
    query.finish()?;
    let slot = call.shared.streams.take(owner)?;
    let handler = call.shared.app.watch.clone();
    let live = match job {
        None => {
            let watch = WatchUser { owner, start };
            call.on_main(async move { handler.user(watch).await }).await??
        }
        Some(job) => {
            let watch = WatchJob {
                owner,
                job,
                start,
                follow: follow.unwrap_or(false),
            };
            call.on_main(async move { handler.job(watch).await }).await??
        }
    };
    stream::upgrade(call, owner, live, slot).await
}
