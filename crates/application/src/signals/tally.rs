use metrics::counter;
use rapidphoto_domain::{
    DomainEvent,
    job::{JobEvent, JobStatus},
    photo::{Check, FailureReason, PhotoEvent},
};

use crate::ports::Commit;

/// What a commit adds to the counters, noted before it is handed over.
pub(super) struct Tally(Vec<Counted>);

enum Counted {
    JobCreated,
    JobCompleted(JobStatus),
    PhotosQueued,
    PhotoCompleted,
    PhotoRejected(Check),
    PhotoFailed(FailureReason),
    PhotoCancelled,
    PhotoRetried,
}

impl Tally {
    pub(super) fn of(commit: &Commit) -> Self {
        let events = commit.changes.iter().flat_map(|change| &change.events);
        Self(events.filter_map(|new| counted(&new.event)).collect())
    }

    pub(super) fn count(self) {
        for counted in self.0 {
            match counted {
                Counted::JobCreated => counter!("upload_job_created_total").increment(1),
                Counted::JobCompleted(status) => {
                    counter!("upload_job_completed_total", "status" => status.as_str()).increment(1);
                }
                Counted::PhotosQueued => counter!("photo_queued_total").increment(1),
                Counted::PhotoCompleted => counter!("photo_completed_total").increment(1),
                Counted::PhotoRejected(check) => {
                    counter!("photo_rejected_total", "reason" => check.code()).increment(1);
                }
                Counted::PhotoFailed(reason) => {
                    counter!("photo_failed_total", "reason" => reason.code()).increment(1);
                }
                Counted::PhotoCancelled => counter!("photo_cancelled_total").increment(1),
                Counted::PhotoRetried => counter!("photo_retried_total").increment(1),
            }
        }
    }
}

fn counted(event: &DomainEvent) -> Option<Counted> {
    match event {
        DomainEvent::User(_) => None,
        DomainEvent::Job(event) => match event {
            JobEvent::UploadJobCreated { .. } => Some(Counted::JobCreated),
            JobEvent::UploadJobCompleted { status, .. } => Some(Counted::JobCompleted(*status)),
            JobEvent::UploadJobReopened { .. } | JobEvent::UploadJobCancelled {} => None,
        },
        DomainEvent::Photo(event) => match event {
            PhotoEvent::PhotoQueued { .. } => Some(Counted::PhotosQueued),
            PhotoEvent::PhotoProcessingCompleted { .. } => Some(Counted::PhotoCompleted),
            // The first reason stands for the photo: the sum over reasons is the number of photos.
            PhotoEvent::PhotoRejected { reasons } => reasons
                .first()
                .map(|finding| Counted::PhotoRejected(finding.check)),
            PhotoEvent::PhotoFailed { reason } => Some(Counted::PhotoFailed(*reason)),
            PhotoEvent::PhotoCancelled {} => Some(Counted::PhotoCancelled),
            PhotoEvent::PhotoRetried { .. } => Some(Counted::PhotoRetried),
            PhotoEvent::PhotoUploadStarted {}
            | PhotoEvent::PhotoUploadRenewed { .. }
            | PhotoEvent::PhotoUploadCompleted {}
            | PhotoEvent::PhotoProcessingStarted { .. }
            | PhotoEvent::PhotoTagged { .. }
            | PhotoEvent::PhotoUntagged { .. }
            | PhotoEvent::PhotoDeleted {} => None,
        },
    }
}
