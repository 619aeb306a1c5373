use rapidphoto_domain::{
    PhotoId, UserId,
    photo::{Photo, PhotoCommand, PhotoStatus},
};

use crate::{
    decision::{record_photo, write_unless_moved},
    ports::{Commit, EventMetadata, Priority, Unavailable, Versioned, WorkKind, WorkOrder, WritePorts},
    settings::WorkSettings,
};

/// Somebody says that a photo's original is in storage. It is a hint: the `look` that it sets off finds out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportArrival {
    /// Whose photo it is said to be; another user's photo counts as unknown.
    pub owner: UserId,
    /// Which photo.
    pub photo: PhotoId,
    /// Who says so, and why.
    pub metadata: EventMetadata,
}

/// What a report came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Arrival {
    /// The photo is VERIFYING because of it.
    Reported(Photo),
    /// The photo is beyond that already; it may have been deleted.
    Already(Photo),
    /// The owner has no such photo.
    Unknown,
}

/// Why a report was not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportArrivalError {
    /// The photo changed each time that it was about to be written.
    #[error("the photo is being changed by others all the time")]
    Contended,
    /// The record can't be reached.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Takes reports of arrival: the one step that storage's event and `finalize` share.
#[derive(Clone)]
pub struct ReportArrivalHandler {
    record: WritePorts,
    settings: WorkSettings,
}

/// How often a photo may move under our hands. Each move brings it closer to an end, where nothing is written.
const TRIES: usize = 12;

impl ReportArrivalHandler {
    /// A handler that writes by `record`.
    pub const fn new(record: WritePorts, settings: WorkSettings) -> Self {
        Self { record, settings }
    }

    /// Takes a report. However many come at once and however often: the photo begins to be verified once.
    ///
    /// # Errors
    /// [`ReportArrivalError`]; after any of them the report can be brought again.
    pub async fn handle(&self, report: ReportArrival) -> Result<Arrival, ReportArrivalError> {
        for _ in 0..TRIES {
            let Some(before) = self.record.aggregates.photo(report.photo).await? else {
                return Ok(Arrival::Unknown);
            };
            if before.value.owner != report.owner {
                return Ok(Arrival::Unknown);
            }
            let mut commit = self.record.commit(report.metadata.clone());
            let arrival = self.decide(before, &mut commit);
            if commit.changes.is_empty() && commit.work.is_empty() {
                return Ok(arrival);
            }
            fail::fail_point!("intake.before-commit", |_| std::process::abort());
            if write_unless_moved(&*self.record.journal, commit).await? {
                fail::fail_point!("intake.after-commit", |_| std::process::abort());
                return Ok(arrival);
            }
        }
        Err(ReportArrivalError::Contended)
    }

    fn decide(&self, before: Versioned<Photo>, commit: &mut Commit) -> Arrival {
        match before.value.decide(PhotoCommand::CompleteUpload) {
            Ok(events) => {
                let photo = record_photo(commit, &before, events, &*self.record.ids, &self.settings);
                Arrival::Reported(photo)
            }
            Err(refused) => {
                // A PUT that was under way when its photo was given up leaves nothing behind.
                if refused.deleted || refused.from == PhotoStatus::Cancelled {
                    commit.work.push(WorkOrder::Schedule {
                        photo: before.value.id,
                        owner: before.value.owner,
                        kind: WorkKind::Clean,
                        due_at: commit.at,
                        priority: Priority::Bulk,
                    });
                }
                Arrival::Already(before.value)
            }
        }
    }
}
