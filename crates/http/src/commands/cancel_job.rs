use actix_web::HttpResponse;
use rapidphoto_api_types::JobCancelled;
use rapidphoto_application::{
    jobs::{CancelJob, CancelJobError},
    ports::Scope,
};

use crate::{
    call::{Answer, Call, json},
    refusal::{Refusal, kinds},
    wire,
};

/// Gives a job up: what is on its way is cancelled, what has ended stays as it is. Safe to repeat.
#[utoipa::path(
    post,
    path = "/commands/upload-jobs/{jobId}/cancel",
    tag = "uploads",
    params(("jobId" = String, Path, description = "The job.")),
    responses((status = 200, description = "The job's status afterwards.", body = JobCancelled)),
    security(("bearer" = ["photos:write"]))
)]
pub(crate) async fn cancel_job(call: Call) -> Answer {
    let owner = call.authorize(Scope::PhotosWrite)?;
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
        status: wire::job_status(status.map_err(refusal)?),
    };
    json(&mut HttpResponse::Ok(), &body)
}

fn refusal(error: CancelJobError) -> Refusal {
    match error {
        CancelJobError::NoSuchJob => Refusal::new(kinds::NO_SUCH_JOB),
        CancelJobError::Contended(contended) => contended.into(),
        CancelJobError::Unavailable(unavailable) => unavailable.into(),
        other => Refusal::internal(other),
    }
}
