use actix_web::HttpResponse;
use rapidphoto_api_types::{JobSummary, Page};
use rapidphoto_application::ports::{JobListQuery, Scope};
use rapidphoto_domain::{UserId, job::JobStatus};

use super::paging;
use crate::{
    call::{Call, HandlerResult, Query, json},
    endpoint::Endpoint,
    problem::{Problem, kinds},
    wire,
};

/// Name of the list in its cursors.
const LIST: &str = "jobs";

pub(super) fn endpoint() -> Endpoint {
    Endpoint::scoped::<__path_list_jobs>(Scope::PhotosRead, list_jobs).problems(&[kinds::INVALID_CURSOR])
}

/// Jobs of the user, newest first, in pages.
///
/// `nextCursor` leads to the next page. With `status`, a page may have fewer jobs than `size`, even none, although there is a
/// next page: a job's status is computed from its photos, and one request examines 200 jobs.
#[utoipa::path(
    get,
    path = "/queries/upload-jobs",
    tag = "uploads",
    params(
        ("status" = Option<rapidphoto_api_types::JobStatus>, Query, description = "Only jobs with this status."),
        ("size" = Option<u32>, Query, minimum = 1, maximum = 200, description = "Maximum number of jobs per page; 50 by default."),
        (
            "cursor" = Option<String>, Query, pattern = "^[A-Za-z0-9_-]+$",
            description = "`nextCursor` of the previous page."
        )
    ),
    responses((status = 200, description = "A page.", body = Page<JobSummary>))
)]
async fn list_jobs(call: Call, owner: UserId) -> HandlerResult {
    let list = parse(call.query()?)?;
    let use_cases = call.use_cases();
    let (jobs, next) = call
        .on_main(async move { use_cases.list_jobs.handle(owner, &list).await })
        .await??;
    let poll_after = call.shared.app.config.poll_after;
    let page = Page {
        items: jobs
            .iter()
            .map(|job| wire::job_summary(job, poll_after))
            .collect(),
        next_cursor: next.map(|position| paging::encode(LIST, position)),
    };
    json(&mut HttpResponse::Ok(), &page)
}

fn parse(mut query: Query) -> Result<JobListQuery, Problem> {
    let statuses = JobStatus::ALL.map(JobStatus::as_str).join(", ");
    let status = query.take_as("status", &format!("one of {statuses}"), |raw| {
        JobStatus::ALL.into_iter().find(|status| status.as_str() == raw)
    })?;
    let size = paging::take_size(&mut query)?;
    let after = paging::take_cursor(&mut query, |cursor| {
        let position = paging::decode_of(LIST, cursor)?;
        position.parse().map_err(|()| kinds::INVALID_CURSOR)
    })?;
    query.finish()?;
    Ok(JobListQuery { status, size, after })
}
