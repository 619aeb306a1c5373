use actix_web::{HttpResponse, http::header};
use rapidphoto_api_types::JobSnapshot;
use rapidphoto_application::ports::Scope;

use super::conditional::matches;
use crate::{
    call::{Answer, Call, json},
    refusal::{Refusal, kinds},
    wire,
};

/// A job and all of its photos at one moment.
///
/// Ask again after `pollAfterMs`, with the last answer's `ETag` in `If-None-Match`: nothing new is 304. `cursor` is where
/// a stream can be resumed without a gap.
#[utoipa::path(
    get,
    path = "/queries/upload-jobs/{jobId}",
    tag = "uploads",
    params(
        ("jobId" = String, Path, description = "The job."),
        ("If-None-Match" = Option<String>, Header, description = "Entity tags that the client has, or `*`.")
    ),
    responses(
        (
            status = 200, description = "The snapshot.", body = JobSnapshot,
            headers(("ETag" = String, description = "Names everything in the snapshot but its cursor."))
        ),
        (
            status = 304, description = "Nothing has changed but, perhaps, the cursor.",
            headers(("ETag" = String, description = "The same one."))
        )
    ),
    security(("bearer" = ["photos:read"]))
)]
pub(crate) async fn show_job(call: Call) -> Answer {
    let owner = call.authorize(Scope::PhotosRead)?;
    let job = call.job()?;
    let use_cases = call.use_cases();
    let snapshot = call
        .on_main(async move { use_cases.job_snapshot.handle(owner, job).await })
        .await??;
    let snapshot = snapshot.ok_or_else(|| Refusal::new(kinds::NO_SUCH_JOB))?;
    let snapshot = wire::job_snapshot(&snapshot, call.shared.app.config.poll_after);
    let tag = wire::job_view_tag(&snapshot).map_err(Refusal::internal)?;
    let known = matches(call.headers(&header::IF_NONE_MATCH), &tag);
    let mut response = if known {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    response
        .insert_header((header::ETAG, tag))
        .insert_header((header::CACHE_CONTROL, "private, no-cache"));
    if known {
        return Ok(response.finish());
    }
    json(&mut response, &snapshot)
}
