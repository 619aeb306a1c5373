use std::collections::{BTreeMap, BTreeSet};

use rapidphoto_application::{
    log::EncodedEvent,
    ports::{
        AggregateState, Cursor, EventMetadata, IdempotencyKey, IdempotencyRecord, PasswordHash,
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
    /// The log; the event at index 0 has position 1.
    pub(super) log: Vec<LogRow>,
    /// Log indexes of each stream's events.
    pub(super) streams: BTreeMap<StreamId, Vec<usize>>,
    /// Log index of each event.
    pub(super) ids: BTreeMap<EventId, usize>,
    pub(super) rows: BTreeMap<StreamId, StateRow>,
    pub(super) photos_of_jobs: BTreeMap<JobId, BTreeSet<PhotoId>>,
    /// Upload ids of photos that are not deleted.
    pub(super) uploads: BTreeMap<(UserId, UploadId), PhotoId>,
    pub(super) names: BTreeMap<PhotoId, Filename>,
    pub(super) metadata: BTreeMap<PhotoId, PhotoMetadata>,
    pub(super) accounts: BTreeMap<Email, Account>,
    pub(super) idempotency: BTreeMap<(UserId, IdempotencyKey), IdempotencyRecord>,
    pub(super) work: WorkTable,
    pub(super) subscriptions: BTreeMap<SubscriptionName, SubscriptionRow>,
    pub(super) sessions: BTreeMap<SessionId, SessionRow>,
    pub(super) tickets: BTreeMap<TokenHash, TicketRow>,
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

    pub(super) fn head(&self) -> Cursor {
        Cursor::new(0, self.log.len() as u64)
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

/// Cursor of the event at an index of the log.
pub(super) const fn cursor_at(index: usize) -> Cursor {
    Cursor::new(0, index as u64 + 1)
}

/// Owner and job of a state.
pub(super) const fn owner_and_job(state: &AggregateState) -> (UserId, Option<JobId>) {
    match state {
        AggregateState::User(user) => (user.id, None),
        AggregateState::Job(job) => (job.owner, Some(job.id)),
        AggregateState::Photo(photo) => (photo.owner, Some(photo.job)),
    }
}
