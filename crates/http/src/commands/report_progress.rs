use actix_web::HttpResponse;
use rapidphoto_api_types::{ProgressAccepted, ProgressRequest, ProgressTick};
use rapidphoto_application::{
    ports::Scope,
    uploads::{ReportProgress, Tick},
};
use rapidphoto_domain::{IdError, UserId};

use crate::{
    call::{Call, HandlerResult, json, parse},
    endpoint::Endpoint,
    limits::RateClass,
    problem::{Problem, kinds},
};

/// Maximum number of progress reports in a request: the maximum number of files in a job.
const MAX_TICKS: usize = 1000;

pub(super) fn endpoint() -> Endpoint {
    Endpoint::rate_limited::<__path_report_progress>(Scope::PhotosWrite, RateClass::Progress, report_progress)
        .problems(&[kinds::TOO_MANY_PROGRESS_TICKS, kinds::CONTENDED])
}

/// Reports the progress of uploads: one report or an array of them.
///
/// Best effort: only the first report of a photo is stored, and late or repeated reports never reduce the progress. The
/// notification of storage decides the end of an upload.
#[utoipa::path(
    post,
    path = "/commands/upload/progress",
    tag = "uploads",
    request_body = ProgressRequest,
    responses((status = 202, description = "The reports were accepted.", body = ProgressAccepted))
)]
async fn report_progress(mut call: Call, owner: UserId) -> HandlerResult {
    let body = call.json_body().await?;
    let command = ReportProgress {
        owner,
        ticks: ticks(&body)?,
        metadata: call.metadata(Some(owner)),
    };
    let use_cases = call.use_cases();
    let accepted = call
        .on_main(async move { use_cases.report_progress.handle(command).await })
        .await??;
    json(&mut HttpResponse::Accepted(), &ProgressAccepted { accepted })
}

/// One report or an array. The first character decides, because an untagged enum would lose the
/// position of an error.
fn ticks(body: &[u8]) -> Result<Vec<Tick>, Problem> {
    let is_array = body.trim_ascii_start().first() == Some(&b'[');
    if !is_array {
        return Ok(vec![tick(&parse(body)?, String::new())?]);
    }
    let raw: Vec<ProgressTick> = parse(body)?;
    if raw.len() > MAX_TICKS {
        return Err(Problem::new(kinds::TOO_MANY_PROGRESS_TICKS));
    }
    raw.iter()
        .enumerate()
        .map(|(index, raw)| tick(raw, format!("/{index}")))
        .collect()
}

fn tick(raw: &ProgressTick, pointer: String) -> Result<Tick, Problem> {
    for (member, bytes) in [("bytesSent", raw.bytes_sent), ("bytesTotal", raw.bytes_total)] {
        if i64::try_from(bytes).is_err() {
            let message = format!("the value must be at most {}", i64::MAX);
            return Err(Problem::new(kinds::INVALID_BODY).error_at(
                format!("{pointer}/{member}"),
                "invalid_value",
                message,
            ));
        }
    }
    let photo = raw.photo_id.parse().map_err(|error: IdError| {
        Problem::new(kinds::INVALID_BODY).error_at(pointer + "/photoId", "invalid_value", error.to_string())
    })?;
    Ok(Tick {
        photo,
        bytes_sent: raw.bytes_sent,
    })
}
