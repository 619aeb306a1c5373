use std::collections::{BTreeMap, BTreeSet};

use rapidphoto_application::{
    attempts::LocalAttempts,
    log::EncodedEvent,
    ports::{
        AggregateState, Cursor, EventMetadata, IdempotencyKey, IdempotencyRecord, PasswordHash, PhotoHashes,
        PhotoMetadata, Session, SessionId, StreamTicket, SubscriptionName, TokenHash,
    },
};
use rapidphoto_domain::{
    EventId, JobId, PhotoId, StreamId, Timestamp, UserId, Version,
    photo::Photo,
    values::{Email, Filename, UploadId},
};

use super::work_table::WorkTable;

/// Data of one namespace.
#[derive(Default)]
pub(super) struct Namespace {
    pub(super) log: BTreeMap<Cursor, LogRow>,
    /// Cursors of each stream's events.
    pub(super) streams: BTreeMap<StreamId, Vec<Cursor>>,
    /// Cursor of each event.
    pub(super) ids: BTreeMap<EventId, Cursor>,
    /// First positions of the commits in progress, which hold back all later events.
    open_commits: BTreeSet<u64>,
    /// Last position that was given to a commit.
    last_position: u64,
    pub(super) rows: BTreeMap<StreamId, StateRow>,
    pub(super) photos_of_jobs: BTreeMap<JobId, BTreeSet<PhotoId>>,
    /// Upload ids of photos that are not deleted.
    pub(super) uploads: BTreeMap<(UserId, UploadId), PhotoId>,
    pub(super) names: BTreeMap<PhotoId, Filename>,
    pub(super) metadata: BTreeMap<PhotoId, PhotoMetadata>,
    pub(super) hashes: BTreeMap<PhotoId, PhotoHashes>,
    pub(super) accounts: BTreeMap<Email, Account>,
    pub(super) idempotency: BTreeMap<(UserId, IdempotencyKey), IdempotencyRecord>,
    pub(super) work: WorkTable,
    pub(super) subscriptions: BTreeMap<SubscriptionName, SubscriptionRow>,
    pub(super) sessions: BTreeMap<SessionId, SessionRow>,
    pub(super) tickets: BTreeMap<TokenHash, TicketRow>,
    pub(super) upload_activity: BTreeMap<PhotoId, Timestamp>,
    pub(super) attempts: LocalAttempts,
    last_token: u64,
}

pub(super) struct LogRow {
    pub(super) id: EventId,
    pub(super) stream: StreamId,
    pub(super) version: Version,
    pub(super) owner: UserId,
    pub(super) job: Option<JobId>,
    pub(super) event: EncodedEvent,
    pub(super) metadata: EventMetadata,
    pub(super) occurred_at: Timestamp,
}

pub(super) struct StateRow {
    pub(super) version: Version,
    pub(super) state: AggregateState,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
}

pub(super) struct Account {
    pub(super) user: UserId,
    pub(super) password_hash: PasswordHash,
}

#[derive(Clone, Copy)]
pub(super) struct Lease {
    pub(super) token: u64,
    pub(super) until: Timestamp,
}

#[derive(Default)]
pub(super) struct SubscriptionRow {
    pub(super) cursor: Cursor,
    pub(super) lease: Option<Lease>,
}

pub(super) struct SessionRow {
    pub(super) session: Session,
    pub(super) token: TokenHash,
    pub(super) previous: Option<TokenHash>,
    /// Time of the last rotation, or of the login.
    pub(super) used_at: Timestamp,
}

pub(super) struct TicketRow {
    pub(super) ticket: StreamTicket,
    pub(super) used: bool,
}

impl Namespace {
    /// A new fencing token for a claim or a lease.
    pub(super) const fn next_token(&mut self) -> u64 {
        self.last_token += 1;
        self.last_token
    }

    pub(super) fn version(&self, stream: StreamId) -> Version {
        Version(self.streams.get(&stream).map_or(0, Vec::len) as u64)
    }

    /// End of the readable part of the log.
    pub(super) fn head(&self) -> Cursor {
        let before_open = self.open_commits.first().map(|first| first - 1);
        Cursor::new(0, before_open.unwrap_or(self.last_position))
    }

    /// Returns true if there are events after the readable part of the log.
    pub(super) fn holds_back_events(&self) -> bool {
        self.log
            .last_key_value()
            .is_some_and(|(last, _)| *last > self.head())
    }

    /// Begins a commit of this number of events and returns its first position.
    pub(super) fn begin_commit(&mut self, events: usize) -> u64 {
        let first = self.give_positions(events);
        self.open_commits.insert(first);
        first
    }

    /// First of the next positions of the log, for this number of events.
    pub(super) const fn give_positions(&mut self, events: usize) -> u64 {
        let first = self.last_position + 1;
        self.last_position += events as u64;
        first
    }

    /// Ends a commit, after its events were stored or discarded.
    pub(super) fn end_commit(&mut self, first: u64) {
        self.open_commits.remove(&first);
    }

    pub(super) fn state(&self, stream: impl Into<StreamId>) -> Option<&StateRow> {
        self.rows.get(&stream.into())
    }

    pub(super) fn photo_row(&self, id: PhotoId) -> Option<(&Photo, &StateRow)> {
        let row = self.state(id)?;
        match &row.state {
            AggregateState::Photo(photo) => Some((photo, row)),
            AggregateState::Job(_) | AggregateState::User(_) => None,
        }
    }
}

impl Lease {
    /// Returns true if the lease has not expired.
    pub(super) fn is_active(&self, now: Timestamp) -> bool {
        self.until > now
    }
}

/// Owner and job of a state.
pub(super) const fn owner_and_job(state: &AggregateState) -> (UserId, Option<JobId>) {
    match state {
        AggregateState::User(user) => (user.id, None),
        AggregateState::Job(job) => (job.owner, Some(job.id)),
        AggregateState::Photo(photo) => (photo.owner, Some(photo.job)),
    }
}
