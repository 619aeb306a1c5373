use rapidphoto_application::{live::WatchJob, ports::Scope};
use rapidphoto_domain::UserId;

use super::last_event_id::last_event_id;
use crate::{
    call::{Call, HandlerResult, Query},
    endpoint::Endpoint,
    problem::kinds,
    stream,
};

pub(super) fn endpoint() -> Endpoint {
    Endpoint::stream::<__path_watch_job>(Scope::PhotosRead, watch_job).problems(&[kinds::NO_SUCH_JOB])
}

/// Server-sent events of one job.
///
/// The stream starts with `event: snapshot` (the job's snapshot), followed by `event: photo` and `event: job` for each
/// change. A change of state has an `id:`. To resume without gaps or repetitions, send the last id as `Last-Event-ID` or
/// `?lastEventId=`. After an id that is unknown or too old (more than 10 000 events), the stream starts with `event: reset`
/// and a snapshot. Upload progress is `event: photo` without an id, and may be dropped. Of two events of one photo, the
/// one with the smaller `version` is older. An idle stream sends a comment every 15 s.
#[utoipa::path(
    get,
    path = "/queries/upload-jobs/{jobId}/events",
    tag = "streams",
    params(
        ("jobId" = String, Path, description = "Id of the job."),
        ("Last-Event-ID" = Option<String>, Header, description = "Last `id:` that the client has received."),
        ("lastEventId" = Option<String>, Query, description = "The same, for clients that can't set headers."),
        ("ticket" = Option<String>, Query, description = "Stream ticket, instead of an access token.")
    ),
    responses((status = 200, description = "The stream.", body = String, content_type = "text/event-stream"))
)]
async fn watch_job(call: Call, owner: UserId, query: Query) -> HandlerResult {
    let job = call.job()?;
    let last_event_id = last_event_id(&call, query)?;
    let handler = call.shared.app.watch.clone();
    let watch = WatchJob {
        owner,
        job,
        last_event_id,
    };
    let live = call.on_main(async move { handler.job(watch).await }).await?;
    Ok(stream::response(&call, owner, live?))
}
