use rapidphoto_client::{
    WatchEvent,
    types::{JobStatus, PhotoStreamEvent, StreamEndReason},
};
use serde::Serialize;

use crate::{
    arguments::Watch as Options,
    output::{print_json, print_line, reasons, status_name},
    state::{LoginFile, StateDir},
};

/// Event as one line of JSON.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a, T> {
    event: &'a str,
    #[serde(flatten)]
    data: &'a T,
}

/// Prints changes of a job to its end, or of all jobs until the process is interrupted. Returns false if the job ended
/// without all photos completed.
pub(crate) async fn run(options: Options) -> anyhow::Result<bool> {
    let (session, _) = LoginFile::in_directory(&StateDir::open()?).session()?;
    let json = options.json;
    let mut watch = match &options.job {
        Some(job) => session.watch_job(job),
        None => session.watch(),
    };
    loop {
        match watch.next().await? {
            WatchEvent::Snapshot(job) if json => print_json(&Line {
                event: "snapshot",
                data: &job,
            })?,
            WatchEvent::Snapshot(job) => {
                for photo in &job.photos {
                    let line = format!(
                        "{}  {}  {}",
                        photo.photo_id,
                        status_name(photo.status),
                        photo.filename
                    );
                    print_line(&with_reasons(line, &reasons(&photo.reasons)))?;
                }
            }
            WatchEvent::Photo(photo) if json => print_json(&Line {
                event: "photo",
                data: &photo,
            })?,
            WatchEvent::Photo(photo) => print_line(&photo_line(&photo))?,
            WatchEvent::Job(job) if json => print_json(&Line {
                event: "job",
                data: &job,
            })?,
            WatchEvent::Job(job) => {
                let change = match (job.cancelled, job.status) {
                    (true, _) => "cancelled",
                    (false, Some(status)) => job_status_name(status),
                    (false, None) => "changed",
                };
                print_line(&format!("{}  {change}", job.job_id))?;
            }
            WatchEvent::End(end) if end.reason == StreamEndReason::JobEnded => break,
            // A new session continues, unless the login has ended.
            _ => {}
        }
    }
    let Some(job) = &options.job else {
        return Ok(true);
    };
    Ok(session.job(job).await?.status == JobStatus::Completed)
}

fn photo_line(photo: &PhotoStreamEvent) -> String {
    let change = match (photo.deleted, photo.status, photo.progress) {
        (true, ..) => "deleted".to_owned(),
        (false, Some(status), _) => status_name(status).to_owned(),
        (false, None, Some(progress)) => format!("{} %", progress.percent),
        (false, None, None) => "changed".to_owned(),
    };
    with_reasons(format!("{}  {change}", photo.photo_id), &reasons(&photo.reasons))
}

fn with_reasons(line: String, reasons: &str) -> String {
    if reasons.is_empty() {
        line
    } else {
        format!("{line}: {reasons}")
    }
}

/// Name of a status, as in the API.
pub(crate) const fn job_status_name(status: JobStatus) -> &'static str {
    match status {
        JobStatus::Queued => "QUEUED",
        JobStatus::InProgress => "IN_PROGRESS",
        JobStatus::Completed => "COMPLETED",
        JobStatus::CompletedWithErrors => "COMPLETED_WITH_ERRORS",
        JobStatus::Failed => "FAILED",
        JobStatus::Cancelled => "CANCELLED",
    }
}
