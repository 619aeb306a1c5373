//! Every trait that the outside implements, and the data that crosses them.

mod aggregates;
mod bundle;
mod clock;
mod credentials;
mod event_log;
mod ids;
mod inspector;
mod journal;
mod metadata;
mod object_store;
mod reads;
mod sessions;
mod storage_messages;
mod subscriptions;
mod work;

pub use aggregates::{AggregateRow, AggregateState, Aggregates, StateRows, Versioned};
pub use bundle::{DatabasePorts, Ports, WritePorts};
pub use clock::Clock;
pub use credentials::{
    AccessTokens, Grant, PasswordHash, PasswordHasher, PasswordsBusy, Scope, Scopes, TokenError,
};
pub use event_log::{Cursor, CursorError, EventFilter, EventLog, EventPage, LogError, StoredEvent};
pub use ids::Ids;
pub use inspector::{InspectError, Inspection, InspectionLimits, MadeThumbnail, PhotoInspector};
pub use journal::{
    Change, Commit, CommitError, Committed, Details, EventMetadata, Guard, IdempotencyKey, IdempotencyRecord,
    Journal, NewEvent, Unique, VersionConflict,
};
pub use metadata::{Camera, Exposure, Location, PhotoMetadata, TakenAt};
pub use object_store::{
    ByteStream, GetError, ObjectBody, ObjectHead, ObjectStore, PresignedUrl, Presigner, PutGrant, ReadGrant,
};
pub use reads::{
    IdempotencyReads, JobReads, JobView, PhotoListPage, PhotoListQuery, PhotoPosition, PhotoReads, PhotoSort,
    PhotoView, SortDirection, UserCredentials, UserReads,
};
pub use sessions::{RefreshSession, Rotation, Sessions, StreamTicket, TokenHash};
pub use storage_messages::{MessageRefused, StorageMessages};
pub use subscriptions::{Advance, SubscriptionLease, SubscriptionName, Subscriptions};
pub use work::{Claim, ClaimToken, Priority, WorkKind, WorkOrder, WorkQueue};

/// An error of the outside, kept as the source of a port's error.
pub type BoxError = Box<dyn std::error::Error + Send + Sync + 'static>;

/// The outside can't be reached, or answered with something that it never should. A write that ends like this may or
/// may not stand.
#[derive(Debug, thiserror::Error)]
#[error("{what} can't be reached")]
pub struct Unavailable {
    /// What can't be reached, such as `the record` or `object storage`.
    pub what: &'static str,
    /// Why.
    #[source]
    pub source: BoxError,
}

impl Unavailable {
    /// The record can't be reached.
    pub fn record(source: impl Into<BoxError>) -> Self {
        Self {
            what: "the record",
            source: source.into(),
        }
    }

    /// Password hashing has no place for another one.
    pub(crate) fn passwords(source: PasswordsBusy) -> Self {
        Self {
            what: "password hashing",
            source: source.into(),
        }
    }

    /// Object storage can't be reached.
    pub fn storage(source: impl Into<BoxError>) -> Self {
        Self {
            what: "object storage",
            source: source.into(),
        }
    }
}
