use std::{sync::Arc, time::Duration};

use futures::future::try_join_all;
use metrics::histogram;
use rapidphoto_domain::{
    Timestamp,
    photo::{
        Check, Finding, InvalidTransition, Photo, PhotoCommand, PhotoState, PhotoStatus, ProcessingResult,
        Thumbnail, Verdict,
    },
    values::ThumbnailEdge,
};

use super::{
    arrival::{self, Arrived},
    download::{Download, MemoryBudget, download},
    failure::WorkError,
    outcome::{Decision, commit_outcome},
    requests::Operation,
};
use crate::{
    ports::{
        Claim, Details, Due, EncodedThumbnail, InspectError, Inspection, InspectionLimits, ObjectHead,
        ObjectStore, PhotoHashes, PhotoInspector, PhotoReads, Priority, WorkKind, WorkOrder, WritePorts,
    },
    settings::Settings,
    trace,
};

/// `process` work: downloads and inspects an original, then completes the photo with its thumbnails or rejects it.
pub(super) struct Process {
    pub(super) ports: WritePorts,
    pub(super) photos: Arc<dyn PhotoReads>,
    pub(super) objects: Arc<dyn ObjectStore>,
    pub(super) inspector: Arc<dyn PhotoInspector>,
    pub(super) budget: MemoryBudget,
    pub(super) settings: Arc<Settings>,
}

/// Results of the download and the inspection of a photo, and the verdict on it.
struct Examined {
    arrived: Arrived,
    download: Download,
    inspection: Inspection,
    verdict: Verdict,
}

impl Process {
    /// Processes the photo as loaded with the claim.
    pub(super) async fn run(&self, claim: &Claim, photo: Option<Photo>) -> Result<(), WorkError> {
        if self.attempts_exhausted(claim) {
            return self
                .finish_unsuccessful(claim, PhotoCommand::FailProcessing)
                .await;
        }
        let Some(photo) = photo.filter(needs_processing) else {
            return self.finish_unchanged(claim).await;
        };
        let head = self.objects.head(&photo.object.key).await;
        let Some(head) = head.map_err(WorkError::storage(Operation::Head))? else {
            return Err(WorkError::attempt("the object no longer exists"));
        };
        let too_large = self.too_large(&photo, &head);
        if !too_large.is_empty() {
            return self
                .finish_unsuccessful(claim, PhotoCommand::Reject { reasons: too_large })
                .await;
        }
        let declared_checksum = arrival::declared_checksum(&*self.photos, claim).await?;
        let arrived = Arrived {
            head,
            declared_checksum,
        };
        let examined = self.examine(&photo, arrived).await?;
        if examined.verdict.reasons.is_empty() {
            self.complete(claim, &photo, examined).await
        } else {
            let reasons = examined.verdict.reasons;
            self.finish_unsuccessful(claim, PhotoCommand::Reject { reasons })
                .await
        }
    }

    /// Returns true after too many failed attempts or too many claims. Claims are limited too, because the attempts of
    /// a photo that crashes its worker are never counted.
    fn attempts_exhausted(&self, claim: &Claim) -> bool {
        let settings = &self.settings.work;
        settings.claims_exhausted(claim) || claim.attempts >= settings.max_attempts
    }

    /// Findings about a file above the size limit; empty below it. Such a file is rejected under every policy, because
    /// it is never downloaded.
    fn too_large(&self, photo: &Photo, head: &ObjectHead) -> Vec<Finding> {
        let max_bytes = self.settings.uploads.max_file_bytes;
        if head.bytes > max_bytes {
            arrival::size_findings(&photo.declared, head.bytes, max_bytes)
        } else {
            Vec::new()
        }
    }

    async fn examine(&self, photo: &Photo, arrived: Arrived) -> Result<Examined, WorkError> {
        let started = self.ports.clock.now();
        let download = download(&*self.objects, &self.budget, &photo.object.key, &arrived.head).await?;
        self.record_step("download_ms", started);
        let limits = InspectionLimits {
            max_pixels: self.settings.checks.max_pixels,
            min_edge: self.settings.checks.min_edge,
        };
        let started = self.ports.clock.now();
        let inspection = self.inspector.inspect(download.bytes.clone(), limits).await;
        histogram!("thumbnail_latency_seconds").record(self.record_step("inspect_ms", started));
        let inspection = inspection.map_err(|error| match error {
            InspectError::ShuttingDown => WorkError::Stopping,
            InspectError::Unavailable(why) => WorkError::Inspection(why),
            failed @ InspectError::Failed(_) => WorkError::attempt(failed),
        })?;
        let findings = self.findings(photo, &arrived, &download, &inspection);
        if findings.is_empty() && inspection.thumbnails.len() != ThumbnailEdge::ALL.len() {
            return Err(WorkError::attempt(
                "the inspection returned neither findings nor all thumbnails",
            ));
        }
        let verdict = self.settings.checks.policies.evaluate(findings);
        Ok(Examined {
            arrived,
            download,
            inspection,
            verdict,
        })
    }

    /// Adds the time since `started` to the span of the work, and so to the log line of the photo's end.
    fn record_step(&self, name: &'static str, started: Timestamp) -> Duration {
        let duration = (self.ports.clock.now() - started).to_std().unwrap_or_default();
        tracing::Span::current().record(name, u64::try_from(duration.as_millis()).unwrap_or(u64::MAX));
        duration
    }

    /// Findings against a photo, at most one per check.
    fn findings(
        &self,
        photo: &Photo,
        arrived: &Arrived,
        download: &Download,
        inspection: &Inspection,
    ) -> Vec<Finding> {
        let declared = &photo.declared;
        let mut findings = Vec::<Finding>::new();
        let mut add = |finding: Finding| {
            if findings.iter().all(|known| known.check != finding.check) {
                findings.push(finding);
            }
        };
        match inspection.mime_type {
            Some(detected) if !arrival::same_type(detected, declared.mime_type) => {
                let (detected, declared) = (detected.to_string(), declared.mime_type.to_string());
                add(Finding::measured(Check::TypeMismatch, detected, declared));
            }
            Some(_) => {}
            None => add(Finding::without_values(Check::UnsupportedFormat)),
        }
        if let Some(expected) = arrived.declared_checksum
            && expected != download.checksum
        {
            // Without the checksums: findings are in the log, which must not identify the content of an erased photo.
            add(Finding::without_values(Check::ChecksumMismatch));
        }
        // If both report the same check, the inspector's finding takes precedence over the one from HEAD.
        let inspected = inspection.findings.iter().cloned();
        let from_head = arrival::head_findings(declared, arrived, self.settings.uploads.max_file_bytes);
        inspected.chain(from_head).for_each(&mut add);
        findings
    }

    async fn complete(&self, claim: &Claim, photo: &Photo, examined: Examined) -> Result<(), WorkError> {
        let Examined {
            arrived,
            download,
            inspection,
            verdict,
        } = examined;
        let started = self.ports.clock.now();
        self.store_thumbnails(photo, &inspection.thumbnails).await?;
        self.record_step("store_ms", started);
        fail::fail_point!("worker.after-thumbnails", |_| std::process::abort());
        let thumbnails = inspection.thumbnails.iter().map(|thumbnail| Thumbnail {
            edge: thumbnail.edge,
            width: thumbnail.width,
            height: thumbnail.height,
        });
        let result = ProcessingResult {
            object: arrival::stored_object(&arrived.head),
            mime_type: inspection.mime_type.unwrap_or(photo.declared.mime_type),
            width: inspection.width,
            height: inspection.height,
            thumbnails: thumbnails.collect(),
            sharpness: inspection.sharpness,
            warnings: verdict.warnings,
            completed_at: self.ports.clock.now(),
        };
        let hashes = PhotoHashes {
            declared: arrived.declared_checksum,
            measured: Some(download.checksum),
            perceptual: inspection.perceptual_hash,
        };
        let metadata = Box::new(inspection.metadata);
        // The bytes are no longer needed, and other downloads may wait for the memory budget.
        drop(download);
        fail::fail_point!("worker.before-final-commit", |_| std::process::abort());
        commit_outcome(&self.ports, &self.settings.work, claim, |photo, now| {
            if !needs_processing(photo) {
                return Ok(Decision::finish(claim));
            }
            let mut result = result.clone();
            result.completed_at = now;
            let result = Box::new(result);
            let events = photo.decide(PhotoCommand::CompleteProcessing { result })?;
            let metadata = metadata.clone();
            let photo = photo.id;
            Ok(Decision::finish(claim)
                .with_events(events)
                .with_details(Details::PhotoMetadata { photo, metadata })
                .with_details(Details::PhotoHashes { photo, hashes }))
        })
        .await?;
        fail::fail_point!("worker.after-final-commit", |_| std::process::abort());
        Ok(())
    }

    async fn store_thumbnails(
        &self,
        photo: &Photo,
        thumbnails: &[EncodedThumbnail],
    ) -> Result<(), WorkError> {
        let puts = thumbnails.iter().map(|thumbnail| async {
            let key = self
                .settings
                .storage
                .keys
                .thumbnail(photo.owner, photo.id, thumbnail.edge);
            self.objects.put(&key, thumbnail.jpeg.clone(), "image/jpeg").await
        });
        try_join_all(puts)
            .await
            .map(|_| ())
            .map_err(WorkError::storage(Operation::Put))
    }

    /// Schedules `clean` work if the photo was cancelled or deleted during processing: thumbnails may have been written
    /// after the cleaning. If another worker completed the photo instead, its thumbnails are the same and stay.
    pub(super) async fn schedule_cleanup(&self, claim: &Claim) {
        let (photo, owner) = (claim.token.photo, claim.owner);
        let cancelled_or_deleted = match self.ports.aggregates.photo(photo).await {
            Ok(Some(photo)) => photo.value.deleted || photo.value.status() == PhotoStatus::Cancelled,
            Ok(None) | Err(_) => false,
        };
        if !cancelled_or_deleted {
            return;
        }
        // Scheduled instead of done here, because scheduled work is done even if this process stops.
        let mut commit = self.ports.commit(trace::metadata());
        commit.work.push(WorkOrder::Schedule {
            photo,
            owner,
            kind: WorkKind::Clean,
            due: Due::Now,
            priority: Priority::Bulk,
        });
        if let Err(error) = self.ports.journal.commit(commit).await {
            tracing::warn!(
                %error,
                "cleaning could not be scheduled: thumbnails of the cancelled photo stay until the next cleaning"
            );
        }
    }

    /// Finishes the work item by rejecting or failing the photo.
    async fn finish_unsuccessful(&self, claim: &Claim, command: PhotoCommand) -> Result<(), WorkError> {
        fail::fail_point!("worker.before-final-commit", |_| std::process::abort());
        commit_outcome(&self.ports, &self.settings.work, claim, |photo, _| {
            let done = Decision::finish(claim);
            if needs_processing(photo) {
                Ok(done.with_events(photo.decide(command.clone())?))
            } else {
                Ok(done)
            }
        })
        .await?;
        fail::fail_point!("worker.after-final-commit", |_| std::process::abort());
        Ok(())
    }

    /// Finishes a work item whose photo needs no processing any more.
    async fn finish_unchanged(&self, claim: &Claim) -> Result<(), WorkError> {
        commit_outcome(&self.ports, &self.settings.work, claim, |_, _| {
            Ok::<_, InvalidTransition>(Decision::finish(claim))
        })
        .await
    }
}

/// Returns true if the photo still has to be processed.
const fn needs_processing(photo: &Photo) -> bool {
    !photo.deleted && matches!(photo.state, PhotoState::Processing { .. })
}
