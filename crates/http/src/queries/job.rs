use actix_web::{HttpResponse, HttpResponseBuilder, http::header};
use rapidphoto_api_types::JobSnapshot;
use rapidphoto_application::{jobs::JobVersion, ports::Scope};
use rapidphoto_domain::UserId;

use super::conditional::matches;
use crate::{
    call::{Call, HandlerResult, json},
    endpoint::Endpoint,
    problem::{Problem, kinds},
    wire,
};

pub(super) fn endpoint() -> Endpoint {
    Endpoint::scoped::<__path_show_job>(Scope::PhotosRead, show_job).problems(&[kinds::NO_SUCH_JOB])
}

/// Snapshot of a job and all of its photos.
///
/// Poll again after `pollAfterMs`, with the last `ETag` in `If-None-Match`: the response is 304 if nothing has changed. A
/// stream can resume at `cursor` without a gap.
#[utoipa::path(
    get,
    path = "/queries/upload-jobs/{jobId}",
    tag = "uploads",
    params(
        ("jobId" = String, Path, description = "Id of the job."),
        ("If-None-Match" = Option<String>, Header, description = "Entity tags known to the client, or `*`.")
    ),
    responses(
        (
            status = 200, description = "The snapshot.", body = JobSnapshot,
            headers(("ETag" = String, description = "Entity tag of the snapshot without its cursor; absent while an unfinished change may still be added."))
        ),
        (
            status = 304, description = "Nothing has changed, except perhaps the cursor.",
            headers(("ETag" = String, description = "The same entity tag."))
        )
    )
)]
async fn show_job(call: Call, owner: UserId) -> HandlerResult {
    let job = call.job()?;
    let use_cases = call.use_cases();
    let known = call.on_main(async move { use_cases.job_snapshot.version(owner, job).await });
    if let Some(version) = known.await?? {
        let tag = entity_tag(version);
        if matches(call.headers(&header::IF_NONE_MATCH), &tag) {
            return Ok(tagged(&mut HttpResponse::NotModified(), Some(version)).finish());
        }
    }
    let use_cases = call.use_cases();
    let snapshot = call
        .on_main(async move { use_cases.job_snapshot.handle(owner, job).await })
        .await??;
    let snapshot = snapshot.ok_or_else(|| Problem::new(kinds::NO_SUCH_JOB))?;
    let cursor = call.shared.cursors.seal(owner, snapshot.view.cursor);
    let body = wire::job_snapshot(&snapshot, cursor, call.shared.app.config.poll_after);
    json(tagged(&mut HttpResponse::Ok(), snapshot.version), &body)
}

/// Weak entity tag: the cursor in a snapshot is the end of the event log and changes with every event of any user, so
/// that snapshots with the same tag may differ in it. A client may resume from the older cursor too, as no event of this
/// job lies between the two.
fn entity_tag(version: JobVersion) -> String {
    format!("W/\"{version}\"")
}

fn tagged(response: &mut HttpResponseBuilder, version: Option<JobVersion>) -> &mut HttpResponseBuilder {
    response.insert_header((header::CACHE_CONTROL, "private, no-cache"));
    if let Some(version) = version {
        response.insert_header((header::ETAG, entity_tag(version)));
    }
    response
}
