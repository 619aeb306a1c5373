use std::sync::Arc;

use futures::future::try_join_all;
use metrics::histogram;
use rapidphoto_domain::{
    photo::{
        Check, Finding, InvalidTransition, Photo, PhotoCommand, PhotoState, PhotoStatus, ProcessingResult,
        Thumbnail, Verdict,
    },
    values::ThumbnailEdge,
};

use super::{
    arrival,
    download::{Download, MemoryBudget, download},
    failure::WorkError,
    settle::{Decision, load, settle},
};
use crate::{
    Record,
    ports::{
        Claim, Details, EventMetadata, InspectError, Inspection, InspectionLimits, MadeThumbnail, ObjectHead,
        ObjectStore, PhotoInspector, Priority, WorkKind, WorkOrder,
    },
    settings::Settings,
};

/// Brings a photo whose object is there to its end: downloads, inspects, stores thumbnails, decides.
pub(super) struct Process {
    pub(super) record: Record,
    pub(super) objects: Arc<dyn ObjectStore>,
    pub(super) inspector: Arc<dyn PhotoInspector>,
    pub(super) budget: MemoryBudget,
    pub(super) settings: Arc<Settings>,
}

/// What is known of a photo once all of it was looked into.
struct Examined {
    head: ObjectHead,
    download: Download,
    inspection: Inspection,
    verdict: Verdict,
}

impl Process {
    pub(super) async fn run(&self, claim: &Claim) -> Result<(), WorkError> {
        if self.used_up(claim) {
            return self.end(claim, PhotoCommand::FailProcessing).await;
        }
        let photo = match load(&self.record, claim).await? {
            Some(photo) if is_processed(&photo.value) => photo.value,
            _ => return self.nothing_to_do(claim).await,
        };
        let head = self.objects.head(&photo.object.key).await;
        let Some(head) = head.map_err(WorkError::Storage)? else {
            return Err(WorkError::attempt("the object is not there any more"));
        };
        let too_large = self.too_large(&photo, &head);
        if !too_large.is_empty() {
            return self.end(claim, PhotoCommand::Reject { reasons: too_large }).await;
        }
        let examined = self.examine(&photo, head).await?;
        if examined.verdict.reasons.is_empty() {
            self.complete(claim, &photo, examined).await
        } else {
            let reasons = examined.verdict.reasons;
            self.end(claim, PhotoCommand::Reject { reasons }).await
        }
    }

    /// Three errors, or six claims: a photo that kills its worker.
    fn used_up(&self, claim: &Claim) -> bool {
        let settings = &self.settings.work;
        claim.claims > settings.max_claims || claim.attempts >= settings.max_attempts
    }

    /// What is too large is not read, so there is nothing that a milder policy could go on with.
    fn too_large(&self, photo: &Photo, head: &ObjectHead) -> Vec<Finding> {
        let max_bytes = self.settings.uploads.max_file_bytes;
        if head.bytes > max_bytes {
            arrival::size_findings(&photo.declared, head.bytes, max_bytes)
        } else {
            Vec::new()
        }
    }

    async fn examine(&self, photo: &Photo, head: ObjectHead) -> Result<Examined, WorkError> {
        let download = download(&*self.objects, &self.budget, &photo.object.key, &head).await?;
        let limits = InspectionLimits {
            max_pixels: self.settings.checks.max_pixels,
            min_edge: self.settings.checks.min_edge,
        };
        let begun = self.record.clock.now();
        let inspection = self.inspector.inspect(download.bytes.clone(), limits).await;
        let took = (self.record.clock.now() - begun).to_std().unwrap_or_default();
        histogram!("thumbnail_latency_seconds").record(took);
        let inspection = inspection.map_err(|error| match error {
            InspectError::ShuttingDown => WorkError::Stopping,
            broken @ InspectError::Broken(_) => WorkError::attempt(broken),
        })?;
        let findings = self.findings(photo, &head, &download, &inspection);
        if findings.is_empty() && inspection.thumbnails.len() != ThumbnailEdge::ALL.len() {
            return Err(WorkError::attempt(
                "the inspection made no thumbnails and does not say why",
            ));
        }
        let verdict = self.settings.checks.policies.evaluate(findings);
        Ok(Examined {
            head,
            download,
            inspection,
            verdict,
        })
    }

    /// Everything that speaks against a photo, each check once.
    fn findings(
        &self,
        photo: &Photo,
        head: &ObjectHead,
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
            Some(sniffed) if !arrival::same_type(sniffed, declared.mime_type) => {
                let (sniffed, declared) = (sniffed.to_string(), declared.mime_type.to_string());
                add(Finding::measured(Check::TypeMismatch, sniffed, declared));
            }
            Some(_) => {}
            None => add(Finding::bare(Check::UnsupportedFormat)),
        }
        if let Some(promised) = declared.checksum
            && promised != download.checksum
        {
            let (measured, promised) = (download.checksum.to_string(), promised.to_string());
            add(Finding::measured(Check::ChecksumMismatch, measured, promised));
        }
        // The inspector's own words go before what is derived here, where both speak of one check.
        let inspected = inspection.findings.iter().cloned();
        let by_head = arrival::findings_by_head(declared, head, self.settings.uploads.max_file_bytes);
        inspected.chain(by_head).for_each(&mut add);
        findings
    }

    async fn complete(&self, claim: &Claim, photo: &Photo, examined: Examined) -> Result<(), WorkError> {
        let Examined {
            head,
            download,
            inspection,
            verdict,
        } = examined;
        self.store_thumbnails(photo, &inspection.thumbnails).await?;
        fail::fail_point!("worker.after-thumbnails", |_| std::process::abort());
        let thumbnails = inspection.thumbnails.iter().map(|made| Thumbnail {
            edge: made.edge,
            width: made.width,
            height: made.height,
        });
        let result = ProcessingResult {
            object: arrival::arrived(&head),
            mime_type: inspection.mime_type.unwrap_or(photo.declared.mime_type),
            checksum: download.checksum,
            width: inspection.width,
            height: inspection.height,
            thumbnails: thumbnails.collect(),
            perceptual_hash: inspection.perceptual_hash,
            sharpness: inspection.sharpness,
            warnings: verdict.warnings,
            completed_at: self.record.clock.now(),
        };
        let metadata = Box::new(inspection.metadata);
        // Nothing below needs the bytes; others may be waiting for their room.
        drop(download);
        fail::fail_point!("worker.before-final-commit", |_| std::process::abort());
        settle(&self.record, &self.settings.work, claim, |photo, now| {
            if !is_processed(photo) {
                return Ok(Decision::finish(claim));
            }
            let mut result = result.clone();
            result.completed_at = now;
            let result = Box::new(result);
            let events = photo.decide(PhotoCommand::CompleteProcessing { result })?;
            let metadata = metadata.clone();
            let photo = photo.id;
            Ok(Decision::finish(claim)
                .with(events)
                .telling(Details::PhotoMetadata { photo, metadata }))
        })
        .await?;
        fail::fail_point!("worker.after-final-commit", |_| std::process::abort());
        Ok(())
    }

    async fn store_thumbnails(&self, photo: &Photo, thumbnails: &[MadeThumbnail]) -> Result<(), WorkError> {
        let puts = thumbnails.iter().map(|made| async {
            let key = self
                .settings
                .storage
                .keys
                .thumbnail(photo.owner, photo.id, made.edge);
            self.objects.put(&key, made.jpeg.clone(), "image/jpeg").await
        });
        try_join_all(puts).await.map(|_| ()).map_err(WorkError::Storage)
    }

    /// Takes away what was written for a photo that was given up in the meantime. Of a photo that another worker has
    /// finished, the thumbnails are the same and stay.
    pub(super) async fn tidy_up(&self, claim: &Claim) {
        let (photo, owner) = (claim.token.photo, claim.owner);
        let given_up = match self.record.aggregates.photo(photo).await {
            Ok(Some(photo)) => photo.value.deleted || photo.value.status() == PhotoStatus::Cancelled,
            Ok(None) | Err(_) => false,
        };
        if !given_up {
            return;
        }
        // Not done here and now: what the record holds is done even if this process ends.
        let mut commit = self.record.commit(EventMetadata::default());
        commit.work.push(WorkOrder::Schedule {
            photo,
            owner,
            kind: WorkKind::Clean,
            due_at: commit.at,
            priority: Priority::Bulk,
        });
        if let Err(error) = self.record.journal.commit(commit).await {
            tracing::warn!(%photo, %error, "thumbnails of a photo that was given up stay until the next cleaning");
        }
    }

    /// Ends the photo without a result.
    async fn end(&self, claim: &Claim, command: PhotoCommand) -> Result<(), WorkError> {
        fail::fail_point!("worker.before-final-commit", |_| std::process::abort());
        settle(&self.record, &self.settings.work, claim, |photo, _| {
            let done = Decision::finish(claim);
            if is_processed(photo) {
                Ok(done.with(photo.decide(command.clone())?))
            } else {
                Ok(done)
            }
        })
        .await?;
        fail::fail_point!("worker.after-final-commit", |_| std::process::abort());
        Ok(())
    }

    async fn nothing_to_do(&self, claim: &Claim) -> Result<(), WorkError> {
        settle(&self.record, &self.settings.work, claim, |_, _| {
            Ok::<_, InvalidTransition>(Decision::finish(claim))
        })
        .await
    }
}

/// Whether this work is still wanted.
const fn is_processed(photo: &Photo) -> bool {
    !photo.deleted && matches!(photo.state, PhotoState::Processing { .. })
}
