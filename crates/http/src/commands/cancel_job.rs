use actix_web::HttpResponse;
use rapidphoto_api_types::JobCancelled;
use rapidphoto_application::{
    jobs::{CancelJob, CancelJobError},
    ports::Scope,
};
use rapidphoto_domain::UserId;

use crate::{
    call::{Call, HandlerResult, json},
    endpoint::Endpoint,
    problem::{Problem, kinds},
    wire,
};

pub(super) fn endpoint() -> Endpoint {
    Endpoint::scoped::<__path_cancel_job>(Scope::PhotosWrite, cancel_job)
        .problems(&[kinds::NO_SUCH_JOB, kinds::CONTENDED])
}

/// Cancels a job: photos still in progress are cancelled, all others stay as they are. Safe to repeat.
///
/// The response to a job of more than 100 open photos may still be `IN_PROGRESS`: the others are cancelled right after it.
#[utoipa::path(
    post,
    path = "/commands/upload-jobs/{jobId}/cancel",
    tag = "uploads",
    params(("jobId" = String, Path, description = "Id of the job.")),
    responses((status = 200, description = "Status of the job after the cancellation.", body = JobCancelled))
)]
async fn cancel_job(call: Call, owner: UserId) -> HandlerResult {
    let job = call.job()?;
    let command = CancelJob {
        owner,
        job,
        metadata: call.metadata(Some(owner)),
    };
    let use_cases = call.use_cases();
    let status = call
        .on_main(async move { use_cases.cancel_job.handle(command).await })
        .await?;
    let body = JobCancelled {
        job_id: job.to_string(),
        status: wire::job_status(status.map_err(problem)?),
    };
    json(&mut HttpResponse::Ok(), &body)
}

fn problem(error: CancelJobError) -> Problem {
    match error {
        CancelJobError::NoSuchJob => Problem::new(kinds::NO_SUCH_JOB),
        CancelJobError::Contended(contended) => contended.into(),
        CancelJobError::Unavailable(unavailable) => unavailable.into(),
        other => Problem::internal(other),
    }
}
