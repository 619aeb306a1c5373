use actix_web::{HttpResponse, web};
use rapidphoto_api_types::{ProgressAccepted, ProgressRequest, ProgressTick};
use rapidphoto_application::{
    ports::Scope,
    uploads::{ReportProgress, Tick},
};

use crate::{
    call::{Answer, Call, json, parse},
    refusal::{Refusal, kinds},
};

/// As many as a job has files.
const MOST_TICKS: usize = 1000;

/// Tells how far uploads are: one tick, or an array of them.
///
/// Best effort: nothing is written but a photo's first tick, and a late or repeated one takes nothing back. Storage's own
/// word counts for the end.
#[utoipa::path(
    post,
    path = "/commands/upload/progress",
    tag = "uploads",
    request_body = ProgressRequest,
    responses((status = 202, description = "Taken in.", body = ProgressAccepted)),
    security(("bearer" = ["photos:write"]))
)]
pub(crate) async fn report_progress(call: Call, payload: web::Payload) -> Answer {
    let owner = call.authorize(Scope::PhotosWrite)?;
    call.within(call.shared.limits.progress.take(owner))?;
    let body = call.json_body(payload).await?;
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

/// One tick or several. Which of them it is shows in the first character, so that an error names its place.
fn ticks(body: &[u8]) -> Result<Vec<Tick>, Refusal> {
    let several = body.trim_ascii_start().first() == Some(&b'[');
    if !several {
        return Ok(vec![tick(&parse(body)?, String::new())?]);
    }
    let raw: Vec<ProgressTick> = parse(body)?;
    if raw.len() > MOST_TICKS {
        return Err(Refusal::new(kinds::TOO_MANY_PROGRESS_TICKS));
    }
    let numbered = raw.iter().enumerate();
    numbered
        .map(|(place, raw)| tick(raw, format!("/{place}")))
        .collect()
}

fn tick(raw: &ProgressTick, place: String) -> Result<Tick, Refusal> {
    let photo = raw.photo_id.parse().map_err(|why: rapidphoto_domain::IdError| {
        Refusal::new(kinds::INVALID_BODY).at(place + "/photoId", "invalid_value", why.to_string())
    })?;
    Ok(Tick {
        photo,
        bytes_sent: raw.bytes_sent,
    })
}
