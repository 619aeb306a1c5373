use actix_web::http::header::HeaderName;
use rapidphoto_application::live::{WatchError, WatchJob};

use crate::{
    call::{Answer, Call, Query},
    refusal::{Refusal, kinds},
    stream,
};

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// One job's server-sent events.
///
/// The stream begins with `event: snapshot` (the job's snapshot), then tells what happens: `event: photo` and
/// `event: job`. What changes a state carries an `id:`; hand the last one in, as `Last-Event-ID` or `?lastEventId=`, and
/// the stream goes on there without a gap or a repetition. An id that is unknown or too old (more than 10 000 events)
/// gets `event: reset` and a snapshot. Mere progress is `event: photo` without an id and may be left out; of two events
/// on one photo the one with the smaller `version` is the older. A comment comes every 15 s when there is nothing else.
#[utoipa::path(
    get,
    path = "/queries/upload-jobs/{jobId}/events",
    tag = "streams",
    params(
        ("jobId" = String, Path, description = "The job."),
        ("Last-Event-ID" = Option<String>, Header, description = "The last `id:` that the client has seen."),
        ("lastEventId" = Option<String>, Query, description = "The same, where headers can't be set."),
        ("ticket" = Option<String>, Query, description = "In place of an access token.")
    ),
    responses((status = 200, description = "The stream.", body = String, content_type = "text/event-stream")),
    security(("bearer" = ["photos:read"]), ("ticket" = []))
)]
pub(crate) async fn watch_job(call: Call) -> Answer {
    let job = call.job()?;
    let mut query = call.query()?;
    let owner = call.authorize_stream(Some(job), &mut query).await?;
    let last_event_id = last_event_id(&call, query)?;
    let handler = call.shared.app.watch.clone();
    let watch = WatchJob {
        owner,
        job,
        last_event_id,
    };
    let live = call.on_main(async move { handler.job(watch).await }).await?;
    Ok(stream::answer(&call, owner, live.map_err(refusal)?))
}

/// The last event that the client has seen. `EventSource` sends the header by itself when it reconnects: that is newer
/// than what the URL says.
pub(super) fn last_event_id(call: &Call, mut query: Query) -> Result<Option<String>, Refusal> {
    let by_query = query.take("lastEventId")?;
    query.finish()?;
    Ok(call.header(&LAST_EVENT_ID).map(str::to_owned).or(by_query))
}

/// What a stream that does not begin comes to.
pub(super) fn refusal(error: WatchError) -> Refusal {
    match error {
        WatchError::NoSuchJob => Refusal::new(kinds::NO_SUCH_JOB),
        WatchError::Unavailable(unavailable) => unavailable.into(),
        other => Refusal::internal(other),
    }
}
