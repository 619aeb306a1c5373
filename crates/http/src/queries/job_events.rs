use rapidphoto_application::{live::WatchJob, ports::Scope};
use rapidphoto_domain::UserId;

use super::last_event_id::start;
use crate::{
    call::{Call, HandlerResult, Query},
    endpoint::Endpoint,
    problem::kinds,
    stream,
};

pub(super) fn endpoint() -> Endpoint {
    Endpoint::stream::<__path_watch_job>(Scope::PhotosRead, watch_job)
        .problems(&[kinds::NO_SUCH_JOB, kinds::TOO_MANY_STREAMS])
}

/// Server-sent events of one job.
///
/// The stream starts with `event: snapshot` (the job's snapshot), followed by `event: photo` and `event: job` for each
/// change. A change of state has an `id:`. To resume without gaps or repetitions, send the last id as `Last-Event-ID` or
/// `?lastEventId=`. After an id that is unknown or too old (more than 10 000 events), the stream starts with `event: reset`
/// and a snapshot. Upload progress is `event: photo` without an id, and may be dropped. Of two events of one photo, the
/// one with the smaller `version` is older. An idle stream sends a comment every 15 s.
///
/// Once the job is terminal, the stream ends with `event: end` and the reason `job_ended`; with `?follow=true` it goes on, as a
/// retry reopens the job. It ends with the reason `session_ended` when the session does, by a log-out, a revocation or its
/// expiry. An `EventSource` reconnects unless the page closes it at `end`. A user may have 10 open streams (429
/// `too_many_streams`, unless the deployment sets another limit).
#[utoipa::path(
    get,
    path = "/queries/upload-jobs/{jobId}/events",
    tag = "streams",
    params(
        ("jobId" = String, Path, description = "Id of the job."),
        ("Last-Event-ID" = Option<String>, Header, description = "Last `id:` that the client has received."),
        ("lastEventId" = Option<String>, Query, description = "The same, for clients that can't set headers."),
        ("follow" = Option<bool>, Query, description = "True to go on after the job is terminal."),
        ("ticket" = Option<String>, Query, description = "Stream ticket, instead of an access token.")
    ),
    responses((status = 200, description = "The stream.", body = String, content_type = "text/event-stream"))
)]
async fn watch_job(call: Call, owner: UserId, mut query: Query) -> HandlerResult {
    let job = call.job()?;
    let start = start(&call, owner, &mut query)?;
    let follow = query.take_as("follow", "`true` or `false`", |value| value.parse().ok())?;
    query.finish()?;
    let slot = call.shared.streams.take(owner)?;
    let handler = call.shared.app.watch.clone();
    let watch = WatchJob {
        owner,
        job,
        start,
        follow: follow.unwrap_or(false),
    };
    let live = call.on_main(async move { handler.job(watch).await }).await?;
    stream::response(&call, owner, live?, slot)
}
