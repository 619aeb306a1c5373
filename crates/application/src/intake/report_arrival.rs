use std::sync::{Mutex, PoisonError};

use rapidphoto_domain::{
    PhotoId, UserId,
    photo::{Photo, PhotoCommand, PhotoStatus},
};

use crate::{
    commit::{Decided, RetryPolicy, WriteError, commit_with_retry},
    decision::record_photo,
    ports::{Commit, Due, EventMetadata, Ports, Priority, Versioned, WorkKind, WorkOrder, WritePorts},
    settings::WorkSettings,
};

/// Report that a photo's original is in storage. It is a hint: the `look` work that it schedules verifies it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportArrival {
    /// Owner of the photo according to the report; another user's photo counts as unknown.
    pub owner: UserId,
    /// The photo.
    pub photo: PhotoId,
    /// Metadata of the events that the report leads to.
    pub metadata: EventMetadata,
}

/// Outcome of a report.
#[derive(Debug, Clone, PartialEq)]
pub enum Arrival {
    /// The report made the photo VERIFYING.
    Reported(Photo),
    /// The photo was VERIFYING or in a later state already; it may have been deleted.
    AlreadyReported(Photo),
    /// The owner has no such photo.
    Unknown,
}

/// Receives reports of arrival: the step that storage's event and `finalize` share.
pub struct ReportArrivalHandler {
    ports: WritePorts,
    settings: WorkSettings,
}

/// Each concurrent change brings the photo closer to a final state, where nothing is written.
const RETRY: RetryPolicy = RetryPolicy::on_conflict("the photo", 12);

impl ReportArrivalHandler {
    /// A handler on these ports.
    pub fn new(ports: &Ports, settings: WorkSettings) -> Self {
        Self {
            ports: ports.write_ports(),
            settings,
        }
    }

    /// Takes a report. However many come concurrently or repeatedly, verification begins once.
    ///
    /// # Errors
    /// [`WriteError`]; the report can be repeated after any of them.
    pub async fn handle(&self, report: ReportArrival) -> Result<Arrival, WriteError> {
        let photo = self.ports.aggregates.photo(report.photo).await?;
        self.handle_loaded(report, photo).await
    }

    /// Takes a report of a photo that was loaded just now.
    pub(super) async fn handle_loaded(
        &self,
        report: ReportArrival,
        photo: Option<Versioned<Photo>>,
    ) -> Result<Arrival, WriteError> {
        let loaded = Mutex::new(Some(photo));
        let (arrival, written) = commit_with_retry(&*self.ports.journal, RETRY, || async {
            // Once: further attempts follow concurrent changes.
            let loaded = loaded.lock().unwrap_or_else(PoisonError::into_inner).take();
            let before = match loaded {
                Some(photo) => photo,
                None => self.ports.aggregates.photo(report.photo).await?,
            };
            let Some(before) = before.filter(|photo| photo.value.owner == report.owner) else {
                return Ok(Decided::Nothing((Arrival::Unknown, false)));
            };
            let mut commit = self.ports.commit(report.metadata.clone());
            let arrival = self.decide(before, &mut commit);
            let written = !commit.is_empty();
            if written {
                fail::fail_point!("intake.before-commit", |_| std::process::abort());
            }
            Ok::<_, WriteError>(Decided::of(commit, (arrival, written)))
        })
        .await?;
        if written {
            fail::fail_point!("intake.after-commit", |_| std::process::abort());
        }
        Ok(arrival)
    }

    fn decide(&self, before: Versioned<Photo>, commit: &mut Commit) -> Arrival {
        match before.value.decide(PhotoCommand::CompleteUpload) {
            Ok(events) => {
                let photo = record_photo(commit, &before, events, &*self.ports.ids, &self.settings);
                Arrival::Reported(photo)
            }
            Err(rejected) => {
                // A PUT that was in progress when its photo was cancelled or deleted must leave nothing in storage.
                if rejected.deleted || rejected.from == PhotoStatus::Cancelled {
                    commit.work.push(WorkOrder::Schedule {
                        photo: before.value.id,
                        owner: before.value.owner,
                        kind: WorkKind::Clean,
                        due: Due::Now,
                        priority: Priority::Bulk,
                    });
                }
                Arrival::AlreadyReported(before.value)
            }
        }
    }
}
