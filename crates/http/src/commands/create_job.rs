use actix_web::{
    HttpResponse,
    http::header::{self, HeaderName},
};
use rapidphoto_api_types::{CreateJobRequest, CreateJobResponse, FileRequest, Strategy};
use rapidphoto_application::{
    jobs::{
        CreateJob, CreateJobError, CreatedJob, FileProblem, NotAdmitted, Quota, RawFile, UploadOptions,
        UploadStrategy,
    },
    ports::{IdempotencyKey, Scope, Unavailable},
};
use rapidphoto_domain::UserId;

use crate::{
    call::{Call, HandlerResult, json},
    endpoint::Endpoint,
    limits::{Allowance, RETRY_LATER},
    problem::{Problem, kinds},
    wire,
};

static IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

pub(super) fn endpoint() -> Endpoint {
    Endpoint::scoped::<__path_create_job>(Scope::PhotosWrite, create_job).problems(&[
        kinds::INVALID_FILE_COUNT,
        kinds::INVALID_FILES,
        kinds::UPLOAD_ID_REUSED,
        kinds::IDEMPOTENCY_KEY_REUSED,
        kinds::INVALID_HEADER,
        kinds::INVALID_PART_SIZE,
        kinds::CONTENDED,
        kinds::OPEN_PHOTOS_EXCEEDED,
        kinds::PHOTOS_PER_DAY_EXCEEDED,
        kinds::STORED_BYTES_EXCEEDED,
        kinds::STORAGE_FULL,
        kinds::BACKLOG,
    ])
}

/// Creates a job for a batch of files and returns an upload URL for each.
///
/// Every item has the id of its job, the status of its photo and, until the photo is uploaded, a URL for one PUT with
/// exactly the given headers. `Content-Length` is signed too, but HTTP clients set it themselves. One invalid file rejects
/// the whole batch. A repeated request with the same `uploadId`s or the same `Idempotency-Key` never creates a second
/// photo. Only requests that create a job count against the jobs per minute; `GET /queries/limits` has all limits.
#[utoipa::path(
    post,
    path = "/commands/upload-jobs",
    tag = "uploads",
    params((
        "Idempotency-Key" = Option<String>, Header, pattern = "^[!-~]{1,255}$",
        description = "Key of this request, chosen by the client: 1 to 255 visible ASCII characters. For 24 h, the \
                       same key and body return the same job."
    )),
    request_body = CreateJobRequest,
    responses(
        (
            status = 201, description = "The job was created.", body = CreateJobResponse,
            headers(("Location" = String, description = "Path of the job's snapshot."))
        ),
        (
            status = 200, description = "No file was new, or the request is a repetition: the existing job, with new \
                                         URLs.",
            body = CreateJobResponse
        )
    )
)]
async fn create_job(mut call: Call, owner: UserId) -> HandlerResult {
    let idempotency_key = idempotency_key(&call)?;
    let request: CreateJobRequest = call.json().await?;
    let command = CreateJob {
        owner,
        files: request.files.into_iter().map(raw_file).collect(),
        options: UploadOptions {
            strategy: strategy(request.strategy),
            part_size: request.part_size,
            dedupe: request.dedupe,
        },
        idempotency_key,
        metadata: call.metadata(Some(owner)),
    };
    let per_minute = call.shared.app.config.jobs_per_minute;
    let use_cases = call.use_cases();
    let (places, job) = call
        .on_main(async move {
            let (place, places) = use_cases.job_rate.take(owner, per_minute).await?;
            let Some(place) = place else {
                // A client that lost the answer to its last job gets it again.
                return Ok((places, use_cases.create_job.repeat(command).await));
            };
            let job = use_cases.create_job.handle(command).await;
            if !job.as_ref().is_ok_and(|job| job.created) {
                place.give_back().await;
            }
            Ok::<_, Unavailable>((places, job))
        })
        .await??;
    let allowance = Allowance::of_jobs(per_minute, places);
    call.context.set_allowance(allowance);
    response(job.map_err(|error| match error {
        CreateJobError::NotRepeated => allowance.problem(),
        other => problem(other),
    })?)
}

fn idempotency_key(call: &Call) -> Result<Option<IdempotencyKey>, Problem> {
    let invalid =
        |message| Problem::new(kinds::INVALID_HEADER).error_at("Idempotency-Key", "invalid_value", message);
    if !call.has_header(&IDEMPOTENCY_KEY) {
        return Ok(None);
    }
    let mut keys = call.headers(&IDEMPOTENCY_KEY);
    let key = keys.next().and_then(IdempotencyKey::parse);
    match (key, keys.next()) {
        (Some(key), None) => Ok(Some(key)),
        (_, Some(_)) => Err(invalid("the header occurs more than once")),
        (None, None) => Err(invalid("the key must have 1 to 255 visible ASCII characters")),
    }
}

const fn strategy(strategy: Strategy) -> UploadStrategy {
    match strategy {
        Strategy::Auto => UploadStrategy::Auto,
        Strategy::S3Presigned => UploadStrategy::Single,
        Strategy::S3Multipart => UploadStrategy::Parts,
    }
}

fn raw_file(file: FileRequest) -> RawFile {
    RawFile {
        filename: file.filename,
        mime_type: file.mime_type,
        bytes: file.bytes,
        upload_id: file.upload_id,
        checksum: file.checksum.map(|checksum| (checksum.algo, checksum.value)),
    }
}

fn response(job: CreatedJob) -> HandlerResult {
    let body = CreateJobResponse {
        job_id: job.job.map(|job| job.to_string()),
        items: job.items.into_iter().map(wire::job_item).collect(),
    };
    let mut response = HttpResponse::Ok();
    if let (true, Some(job)) = (job.created, &body.job_id) {
        response = HttpResponse::Created();
        response.insert_header((header::LOCATION, format!("/queries/upload-jobs/{job}")));
    }
    json(&mut response, &body)
}

fn problem(error: CreateJobError) -> Problem {
    match error {
        CreateJobError::FileCount { max } => Problem::new(kinds::INVALID_FILE_COUNT)
            .detail(format!(
                "The number of files is not allowed. A job must have 1 to {max} files."
            ))
            .error_at("/files", "invalid_file_count", error.to_string()),
        CreateJobError::Files(problems) => invalid_files(problems),
        CreateJobError::PartSize(ref size) => {
            let message = size.to_string();
            Problem::new(kinds::INVALID_PART_SIZE).error_at("/partSize", "invalid_part_size", message)
        }
        CreateJobError::KeyReused => Problem::new(kinds::IDEMPOTENCY_KEY_REUSED).error_at(
            "Idempotency-Key",
            "reused",
            error.to_string(),
        ),
        CreateJobError::AccountNotActive => Problem::invalid_token(kinds::INVALID_TOKEN),
        CreateJobError::NotAdmitted(reason) => not_admitted(reason),
        CreateJobError::Contended(contended) => contended.into(),
        CreateJobError::Unavailable(unavailable) => unavailable.into(),
        other => Problem::internal(other),
    }
}

pub(super) fn not_admitted(reason: NotAdmitted) -> Problem {
    let detail = format!("No job was created: {reason}.");
    match reason {
        NotAdmitted::Quota {
            quota,
            used,
            allowed,
            retry_after,
            requested: _,
        } => {
            let problem = Problem::new(match quota {
                Quota::OpenPhotos => kinds::OPEN_PHOTOS_EXCEEDED,
                Quota::StoredBytes => kinds::STORED_BYTES_EXCEEDED,
                Quota::PhotosPerDay => kinds::PHOTOS_PER_DAY_EXCEEDED,
            });
            let problem = problem.detail(detail).usage(used, allowed);
            match retry_after {
                Some(wait) => problem.retry_after(wait),
                None => problem,
            }
        }
        // Amounts of the whole server are not for its users.
        NotAdmitted::Space { .. } => Problem::new(kinds::STORAGE_FULL)
            .source(reason)
            .retry_after(RETRY_LATER),
        NotAdmitted::Backlog { .. } => Problem::new(kinds::BACKLOG)
            .source(reason)
            .retry_after(RETRY_LATER),
    }
}

fn invalid_files(errors: Vec<FileProblem>) -> Problem {
    let reused = kinds::UPLOAD_ID_REUSED.code;
    let kind = if errors.iter().all(|error| error.code == reused) {
        kinds::UPLOAD_ID_REUSED
    } else {
        kinds::INVALID_FILES
    };
    errors.into_iter().fold(Problem::new(kind), |problem, error| {
        let pointer = format!("/files/{}/{}", error.index, error.field);
        problem.error_at(pointer, error.code, error.message)
    })
}
