use actix_web::{
    HttpResponse,
    http::header::{self, HeaderName},
    web,
};
use rapidphoto_api_types as api;
use rapidphoto_api_types::{CreateJobRequest, CreateJobResponse, FileRequest, Strategy};
use rapidphoto_application::{
    jobs::{CreateJob, CreateJobError, CreatedJob, FileProblem, JobItem, RawFile},
    ports::{IdempotencyKey, Scope},
};

use crate::{
    call::{Answer, Call, json},
    refusal::{Refusal, kinds},
    wire,
};

static IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Promises a batch of files and gives an upload URL for each.
///
/// Every item says its job, where its photo stands and, while bytes are wanted, a URL for one PUT with exactly the named
/// headers. `Content-Length` is signed as well; every client sets it by itself. Any bad file refuses the whole batch.
/// A repetition with the same `uploadId`s or the same `Idempotency-Key` never makes a second photo.
#[utoipa::path(
    post,
    path = "/commands/upload-jobs",
    tag = "uploads",
    params((
        "Idempotency-Key" = Option<String>, Header,
        description = "The client's name for this request, 1 to 255 visible ASCII characters, kept for 24 h: the same \
                       key and body give the same job again."
    )),
    request_body = CreateJobRequest,
    responses(
        (
            status = 201, description = "The job is there.", body = CreateJobResponse,
            headers(("Location" = String, description = "The job's snapshot."))
        ),
        (
            status = 200, description = "No file was new, or the request is a repetition: what is there already, with \
                                         fresh URLs.",
            body = CreateJobResponse
        )
    ),
    security(("bearer" = ["photos:write"]))
)]
pub(crate) async fn create_job(call: Call, payload: web::Payload) -> Answer {
    let owner = call.authorize(Scope::PhotosWrite)?;
    call.within(call.shared.limits.jobs.take(owner))?;
    let idempotency_key = idempotency_key(&call)?;
    let request: CreateJobRequest = call.json(payload).await?;
    refuse_what_is_not_there(&request)?;
    let command = CreateJob {
        owner,
        files: request.files.into_iter().map(raw_file).collect(),
        idempotency_key,
        metadata: call.metadata(Some(owner)),
    };
    let use_cases = call.use_cases();
    let job = call
        .on_main(async move { use_cases.create_job.handle(command).await })
        .await?;
    answer(job.map_err(refusal)?)
}

fn idempotency_key(call: &Call) -> Result<Option<IdempotencyKey>, Refusal> {
    let bad = |message| Refusal::new(kinds::INVALID_HEADER).at("Idempotency-Key", "invalid_value", message);
    if !call.has_header(&IDEMPOTENCY_KEY) {
        return Ok(None);
    }
    let mut keys = call.headers(&IDEMPOTENCY_KEY);
    let key = keys.next().and_then(IdempotencyKey::parse);
    match (key, keys.next()) {
        (Some(key), None) => Ok(Some(key)),
        (_, Some(_)) => Err(bad("the header is there more than once")),
        (None, None) => Err(bad("a key has 1 to 255 visible ASCII characters")),
    }
}

/// What this server can't do is refused, never passed over.
fn refuse_what_is_not_there(request: &CreateJobRequest) -> Result<(), Refusal> {
    let refuse = |kind, pointer: &str| {
        let refusal = Refusal::new(kind);
        Err(refusal.at(pointer, kind.code, kind.detail))
    };
    match request.strategy {
        Strategy::Auto | Strategy::S3Presigned => {}
        Strategy::S3Multipart => return refuse(kinds::MULTIPART_UNAVAILABLE, "/strategy"),
    }
    if request.part_size.is_some() {
        return refuse(kinds::MULTIPART_UNAVAILABLE, "/partSize");
    }
    if request.dedupe {
        return refuse(kinds::DEDUPE_UNAVAILABLE, "/dedupe");
    }
    Ok(())
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

fn answer(job: CreatedJob) -> Answer {
    let body = CreateJobResponse {
        job_id: job.job.map(|job| job.to_string()),
        items: job.items.into_iter().map(item).collect(),
    };
    let mut response = HttpResponse::Ok();
    if let (true, Some(job)) = (job.created, &body.job_id) {
        response = HttpResponse::Created();
        response.insert_header((header::LOCATION, format!("/queries/upload-jobs/{job}")));
    }
    json(&mut response, &body)
}

fn item(item: JobItem) -> api::JobItem {
    let (presigned_url, headers, expires_at) = item.upload.map_or_else(Default::default, |upload| {
        (
            Some(upload.url),
            upload.headers.into_iter().collect(),
            Some(upload.expires_at),
        )
    });
    api::JobItem {
        photo_id: item.photo.to_string(),
        job_id: item.job.to_string(),
        upload_id: item.upload_id.to_string(),
        status: wire::photo_status(item.status),
        method: "PUT".to_owned(),
        presigned_url,
        headers,
        expires_at,
        multipart: None,
        duplicate_of: None,
    }
}

fn refusal(error: CreateJobError) -> Refusal {
    match error {
        CreateJobError::FileCount { max } => Refusal::new(kinds::INVALID_FILE_COUNT)
            .saying(format!("A job has 1 to {max} files."))
            .at("/files", "invalid_file_count", error.to_string()),
        CreateJobError::Files(problems) => bad_files(problems),
        CreateJobError::KeyReused => {
            Refusal::new(kinds::IDEMPOTENCY_KEY_REUSED).at("Idempotency-Key", "reused", error.to_string())
        }
        CreateJobError::Contended(contended) => contended.into(),
        CreateJobError::Unavailable(unavailable) => unavailable.into(),
        other => Refusal::internal(other),
    }
}

fn bad_files(problems: Vec<FileProblem>) -> Refusal {
    let reused = kinds::UPLOAD_ID_REUSED.code;
    let kind = if problems.iter().all(|problem| problem.code == reused) {
        kinds::UPLOAD_ID_REUSED
    } else {
        kinds::INVALID_FILES
    };
    problems.into_iter().fold(Refusal::new(kind), |refusal, problem| {
        let pointer = format!("/files/{}/{}", problem.index, problem.field);
        refusal.at(pointer, problem.code, problem.message)
    })
}
