//! Upload of files and folders.

mod batch;
mod candidate;
mod ends;
mod find;
mod outcome;
mod report;

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context as _;
use rapidphoto_client::with_retries;
use tokio::sync::Semaphore;

use self::{
    batch::Uploader,
    candidate::{Candidate, read_contents},
    find::{Findings, Found},
    outcome::Outcome,
    report::Report,
};
use crate::{
    arguments::Upload as Options,
    state::{KnownUpload, LoginFile, StateDir, UploadsFile},
};

/// Uploads files and folders. Returns true if all photos are completed.
pub(crate) async fn run(options: Options) -> anyhow::Result<bool> {
    let directory = StateDir::open()?;
    let (session, login) = LoginFile::in_directory(&directory).session()?;
    let state = UploadsFile::of(&directory, &login);
    let limits = with_retries(|| session.limits()).await;
    let limits = limits.with_context(|| format!("the limits of {} can't be read", login.server))?;
    let batch = usize::try_from(limits.files_per_job).unwrap_or(usize::MAX).max(1);

    let paths = options.paths;
    let findings = tokio::task::spawn_blocking(move || Findings::below(&paths)).await?;
    let bytes = findings.photos.iter().map(|photo| photo.key.bytes).sum();
    let report = Report::new(options.json, bytes);
    for (path, reason) in &findings.skipped {
        report.skip(path, reason)?;
    }
    for (path, error) in findings.unreadable {
        report.outcome(&Outcome::unreadable(path, 0, error))?;
    }
    let slots = options.concurrency.get().min(Semaphore::MAX_PERMITS);
    let uploader = Uploader {
        session: &session,
        report: &report,
        tags: &options.tags,
        slots: Arc::new(Semaphore::new(slots)),
        files: Semaphore::new(slots),
    };
    let mut contents = Contents {
        state: &state,
        report: &report,
        known: state.load()?,
        seen: HashMap::new(),
    };
    let mut photos = findings.photos.into_iter();
    loop {
        let found: Vec<_> = photos.by_ref().take(batch).collect();
        if found.is_empty() {
            break;
        }
        let candidates = contents.read(found).await?;
        let declared = uploader.declare(candidates).await?;
        state.store(declared.iter().map(|file| {
            let path = file.candidate.found.absolute.as_path();
            (path, file.candidate.declared(&file.item, file.item.status))
        }))?;
        let statuses = uploader.upload(&declared).await?;
        state.store(declared.iter().zip(statuses).map(|(file, status)| {
            let path = file.candidate.found.absolute.as_path();
            (path, file.candidate.declared(&file.item, status))
        }))?;
    }
    drop(uploader);
    Ok(report.finish()?)
}

/// Contents of the files of a run.
struct Contents<'a> {
    state: &'a UploadsFile,
    report: &'a Report,
    /// Files of earlier runs, by absolute path.
    known: BTreeMap<PathBuf, KnownUpload>,
    /// First file of each content, by its SHA-256.
    seen: HashMap<String, PathBuf>,
}

impl Contents<'_> {
    /// Reads files. Those of the same content as an earlier one, and those that can't be read, are reported and left out.
    async fn read(&mut self, found: Vec<Found>) -> anyhow::Result<Vec<Candidate>> {
        let mut candidates = Vec::with_capacity(found.len());
        for read in read_contents(found, &self.known).await {
            let candidate = match read {
                Ok(candidate) => candidate,
                Err((found, error)) => {
                    self.report
                        .outcome(&Outcome::refused(&found, error.to_string()))?;
                    continue;
                }
            };
            if let Some(first) = self.seen.get(&candidate.sha256) {
                let reason = format!("same content as {}", first.display());
                self.report.skip(&candidate.found.path, &reason)?;
            } else {
                self.seen
                    .insert(candidate.sha256.clone(), candidate.found.path.clone());
                candidates.push(candidate);
            }
        }
        let new = candidates.iter().filter(|candidate| {
            let known = self.known.get(&candidate.found.absolute);
            known.is_none_or(|known| known.key != candidate.found.key)
        });
        let new = new.map(|candidate| (candidate.found.absolute.as_path(), candidate.known()));
        let new: Vec<(&Path, _)> = new.collect();
        if !new.is_empty() {
            self.state.store(new)?;
        }
        Ok(candidates)
    }
}
