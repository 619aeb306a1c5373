use rapidphoto_application::{
    log::EventCodec,
    ports::{Advance, AggregateState, Change, Commit, Guard, Unavailable},
};
use rapidphoto_domain::{EventId, Timestamp};

use super::{details::DetailChanges, tags::TagChanges, words::WordChanges, work::WorkChanges};
use crate::{
    error::StoreError,
    rows::{IdempotencyRow, JobRow, NewEventRow, PhotoRow, UserRow, encoded},
};

/// A commit converted to rows, so that no transaction is open while it is encoded.
pub(crate) struct Prepared {
    pub(crate) at: Timestamp,
    pub(crate) events: Vec<NewEventRow>,
    /// Ids of the events, in the same order.
    pub(crate) event_ids: Vec<EventId>,
    /// Expected versions of the changed and guarded streams.
    pub(crate) expected: Vec<Guard>,
    pub(crate) photos: Rows<PhotoRow>,
    pub(crate) jobs: Rows<JobRow>,
    pub(crate) users: Rows<UserRow>,
    pub(crate) tags: TagChanges,
    pub(crate) words: WordChanges,
    pub(crate) work: WorkChanges,
    pub(crate) details: DetailChanges,
    pub(crate) idempotency: Option<IdempotencyRow>,
    pub(crate) checkpoint: Option<Advance>,
}

/// State rows of new and of existing streams.
pub(crate) struct Rows<T> {
    pub(crate) new: Vec<T>,
    pub(crate) changed: Vec<T>,
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self {
            new: Vec::new(),
            changed: Vec::new(),
        }
    }
}

impl<T> Rows<T> {
    fn push(&mut self, change: &Change, row: T) {
        if change.expected.0 == 0 {
            self.new.push(row);
        } else {
            self.changed.push(row);
        }
    }
}

impl Prepared {
    pub(crate) fn new(namespace: &str, commit: Commit, codec: &EventCodec) -> Result<Self, Unavailable> {
        let Commit {
            at,
            mut changes,
            work,
            idempotency,
            guards,
            checkpoint,
            details,
            metadata,
        } = commit;
        // Every commit writes its streams in the same order: a job before its photos, photos in the order of
        // declaration.
        changes.sort_by_key(|change| change.stream);
        reject_repeated_streams(&changes)?;
        let metadata = encoded("metadata", &metadata)?;
        let mut prepared = Self {
            at,
            events: Vec::new(),
            event_ids: Vec::new(),
            expected: expected(&changes, guards),
            photos: Rows::default(),
            jobs: Rows::default(),
            users: Rows::default(),
            tags: TagChanges::default(),
            words: WordChanges::new(&details),
            work: WorkChanges::new(namespace, work),
            details: DetailChanges::new(namespace, details)?,
            idempotency: idempotency
                .map(|record| IdempotencyRow::new(namespace, &record))
                .transpose()?,
            checkpoint,
        };
        for change in &changes {
            prepared.add_state(namespace, change)?;
            let mut version = change.expected;
            for event in &change.events {
                version = version.plus(1);
                prepared.event_ids.push(event.id);
                prepared.events.push(NewEventRow::new(
                    namespace,
                    change,
                    version,
                    event,
                    metadata.clone(),
                    at,
                    codec,
                )?);
            }
        }
        let new_photos = prepared.photos.new.iter().map(|row| row.photo_id.as_str());
        prepared.words.keep_new(new_photos);
        Ok(prepared)
    }

    fn add_state(&mut self, namespace: &str, change: &Change) -> Result<(), StoreError> {
        let version = change.expected.plus(change.events.len() as u64);
        match &change.state {
            AggregateState::Photo(photo) => {
                let row = PhotoRow::new(namespace, photo, version, self.at)?;
                self.photos.push(change, row);
                self.tags.add(namespace, photo, &change.events);
                self.words.add_tags(photo, &change.events);
            }
            AggregateState::Job(job) => {
                let row = JobRow::new(namespace, job, version, self.at)?;
                self.jobs.push(change, row);
            }
            AggregateState::User(user) => {
                let row = UserRow::new(namespace, user, version, self.at)?;
                self.users.push(change, row);
            }
        }
        Ok(())
    }
}

fn expected(changes: &[Change], guards: Vec<Guard>) -> Vec<Guard> {
    changes
        .iter()
        .map(|change| Guard {
            stream: change.stream,
            version: change.expected,
        })
        .chain(guards)
        .collect()
}

/// A state row has one version, so that a commit may change each stream only once.
fn reject_repeated_streams(changes: &[Change]) -> Result<(), StoreError> {
    let repeated = changes
        .array_windows::<2>()
        .find_map(|[one, other]| (one.stream == other.stream).then_some(one));
    repeated.map_or(Ok(()), |change| Err(StoreError::ChangedTwice(change.stream)))
}
