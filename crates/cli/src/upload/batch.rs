use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use futures::{StreamExt as _, future::join_all, stream};
use rapidphoto_client::{
    ClientError, Session, Transfer,
    types::{CreateJobRequest, JobItem, PhotoStatus, Problem, Strategy},
    with_retries,
};
use tokio::sync::Semaphore;

use super::{
    candidate::Candidate,
    ends::{End, Ends},
    outcome::Outcome,
    report::Report,
};
use crate::output::chain;

/// Jobs that are watched at the same time. A server allows 10 streams a user by default.
const WATCHED_JOBS: usize = 4;
/// Most earlier uploads of one content that failed or were cancelled.
const MAX_ATTEMPTS: u32 = 100;
/// Interval of the progress bars.
const DISPLAY_INTERVAL: Duration = Duration::from_millis(100);
/// Interval of progress reports to the server.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// Uploads batches of files.
pub(crate) struct Uploader<'a> {
    pub(crate) session: &'a Session,
    pub(crate) report: &'a Report,
    pub(crate) tags: &'a [String],
    /// Limit of requests to storage.
    pub(crate) slots: Arc<Semaphore>,
    /// Limit of files, which is the same: more of them would only wait.
    pub(crate) files: Semaphore,
}

/// File that the server knows.
pub(crate) struct Declared {
    pub(crate) candidate: Candidate,
    pub(crate) item: JobItem,
}

impl Uploader<'_> {
    /// Declares files. Those that the server refuses are reported. A photo that failed or was cancelled is replaced by a new one.
    pub(crate) async fn declare(&self, mut candidates: Vec<Candidate>) -> anyhow::Result<Vec<Declared>> {
        let mut declared = Vec::with_capacity(candidates.len());
        while !candidates.is_empty() {
            let job = CreateJobRequest {
                files: candidates.iter().map(Candidate::declaration).collect(),
                strategy: Strategy::Auto,
                part_size: None,
                // The same content may have been uploaded by another client.
                dedupe: true,
            };
            match with_retries(|| self.session.create_job_from(&job, None)).await {
                Ok(job) => {
                    let mut again = Vec::new();
                    for (candidate, item) in candidates.into_iter().zip(job.items) {
                        let ended = matches!(item.status, PhotoStatus::Failed | PhotoStatus::Cancelled);
                        if ended && candidate.attempt < MAX_ATTEMPTS {
                            again.push(Candidate {
                                attempt: candidate.attempt + 1,
                                ..candidate
                            });
                        } else {
                            declared.push(Declared { candidate, item });
                        }
                    }
                    candidates = again;
                }
                Err(ClientError::Problem(problem)) if !file_errors(&problem).is_empty() => {
                    let mut errors = file_errors(&problem);
                    let mut accepted = Vec::new();
                    for (index, candidate) in candidates.into_iter().enumerate() {
                        match errors.remove(&index) {
                            Some(error) => self.report.outcome(&Outcome::refused(&candidate.found, error))?,
                            None => accepted.push(candidate),
                        }
                    }
                    candidates = accepted;
                }
                Err(error) => return Err(error).context("the files can't be declared"),
            }
        }
        Ok(declared)
    }

    /// Sends declared files and waits for their ends. Returns the last known status of each.
    pub(crate) async fn upload(&self, declared: &[Declared]) -> anyhow::Result<Vec<PhotoStatus>> {
        let ends = Ends::new();
        let mut jobs: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for Declared { item, .. } in declared
            .iter()
            .filter(|file| file.item.status != PhotoStatus::Completed)
        {
            jobs.entry(&item.job_id).or_default().insert(&item.photo_id);
        }
        let watching = stream::iter(&jobs).for_each_concurrent(WATCHED_JOBS, |(job, photos)| {
            ends.watch(self.session, job, photos)
        });
        let files = join_all(declared.iter().map(|file| async {
            let outcome = self.upload_file(file, &ends).await;
            self.report.outcome(&outcome)?;
            Ok::<_, std::io::Error>(outcome.status.unwrap_or(file.item.status))
        }));
        let work = async { tokio::join!(files, watching).0 };
        let statuses = tokio::select! {
            statuses = work => statuses,
            () = self.display() => Vec::new(),
            () = self.report_progress() => Vec::new(),
        };
        Ok(statuses.into_iter().collect::<Result<_, _>>()?)
    }

    async fn upload_file(&self, Declared { candidate, item }: &Declared, ends: &Ends) -> Outcome {
        let mut outcome = Outcome {
            path: candidate.found.path.clone(),
            bytes: candidate.found.key.bytes,
            sha256: Some(candidate.sha256.clone()),
            job_id: Some(item.job_id.clone()),
            photo_id: Some(item.photo_id.clone()),
            status: Some(item.status),
            sent: matches!(item.status, PhotoStatus::Queued | PhotoStatus::Uploading),
            reasons: Vec::new(),
            warnings: Vec::new(),
            error: None,
        };
        let end = match self.send(candidate, item).await {
            Err(error) => {
                ends.set(&item.photo_id, Err(String::new()));
                Err(chain(error))
            }
            Ok(()) if item.status == PhotoStatus::Completed => return outcome,
            Ok(()) => ends.of(&item.photo_id).await,
        };
        match end {
            Ok(End {
                status,
                reasons,
                warnings,
            }) => {
                outcome.status = Some(status);
                outcome.reasons = reasons;
                outcome.warnings = warnings;
            }
            Err(error) => outcome.error = Some(error),
        }
        outcome
    }

    /// Sends a file, if it need be sent, and adds the tags.
    async fn send(&self, candidate: &Candidate, item: &JobItem) -> Result<(), ClientError> {
        if matches!(item.status, PhotoStatus::Queued | PhotoStatus::Uploading) {
            let _turn = self.files.acquire().await;
            let transfer = Transfer::new(Arc::clone(&self.slots));
            let found = &candidate.found;
            self.report
                .begin(&item.photo_id, &found.path, found.key.bytes, &transfer);
            let sent = self.session.upload(item, &candidate.content(), &transfer).await;
            self.report.end(&item.photo_id);
            sent?;
        }
        if !self.tags.is_empty() {
            with_retries(|| self.session.add_tags(&item.photo_id, self.tags)).await?;
        }
        Ok(())
    }

    /// Shows progress until it is dropped.
    async fn display(&self) {
        loop {
            self.report.update();
            tokio::time::sleep(DISPLAY_INTERVAL).await;
        }
    }

    /// Reports progress to the server until it is dropped.
    async fn report_progress(&self) {
        loop {
            tokio::time::sleep(REPORT_INTERVAL).await;
            let ticks = self.report.ticks();
            if !ticks.is_empty() {
                // Best effort: only those who watch would miss it.
                let _ = self.session.report_progress(&ticks).await;
            }
        }
    }
}

/// Explanations of the errors in single files, by the index of the file.
fn file_errors(problem: &Problem) -> BTreeMap<usize, String> {
    let mut errors: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for error in &problem.errors {
        let index = error
            .pointer
            .strip_prefix("/files/")
            .and_then(|rest| rest.split('/').next());
        if let Some(index) = index.and_then(|index| index.parse().ok()) {
            let text = format!("{} ({})", error.message.trim_end_matches('.'), error.code);
            errors.entry(index).or_default().push(text);
        }
    }
    errors
        .into_iter()
        .map(|(index, texts)| (index, texts.join("; ")))
        .collect()
}
