//! Ports: the traits that adapters implement, and the data that they exchange.

mod aggregates;
mod attempts;
mod bundle;
mod clock;
mod credentials;
mod dead_letters;
mod event_log;
mod event_metadata;
mod event_publisher;
mod ids;
mod inspector;
mod job_list;
mod journal;
mod metadata;
mod multipart;
mod non_empty;
mod object_store;
mod photo_list;
mod photo_view;
mod progress_ticks;
mod reads;
mod session_id;
mod sessions;
mod storage_messages;
mod subscriptions;
mod unavailable;
mod upload_activity;
mod usage;
mod work;

pub(crate) use aggregates::existing_photo;
pub use aggregates::{
    AggregateRow, AggregateState, Aggregates, StateRows, TagMismatch, TracedPhoto, UsageMismatch, Versioned,
};
pub use attempts::{
    ATTEMPT_WINDOW, Admission, AttemptBudget, AttemptCounters, AttemptKey, Counts, Outcome,
    PENDING_RETRY_DELAY,
};
pub use bundle::{DatabasePorts, Ports, WritePorts};
pub use clock::Clock;
pub use credentials::{
    AccessTokens, Grant, PasswordHash, PasswordHasher, PasswordsBusy, Scope, Scopes, TokenError,
};
pub use dead_letters::{DeadLetter, DeadLetters};
pub use event_log::{Cursor, CursorError, EventFilter, EventLog, EventPage, LogError, StoredEvent};
pub use event_metadata::EventMetadata;
pub use event_publisher::EventPublisher;
pub use ids::Ids;
pub use inspector::{EncodedThumbnail, InspectError, Inspection, InspectionLimits, PhotoInspector};
pub use job_list::{Arrival, EXAMINED_JOBS, JobListPage, JobListQuery, JobPosition, JobSummary, PhotoGroup};
pub use journal::{
    Change, Commit, CommitError, Committed, Details, Guard, IdempotencyKey, IdempotencyRecord, InvalidCommit,
    Journal, NewEvent, Unique, VersionConflict,
};
pub use metadata::{Camera, Exposure, Location, PhotoHashes, PhotoMetadata, TakenAt};
pub use multipart::{
    CompleteError, MultipartCursor, MultipartPage, MultipartUploads, OpenUpload, PartReference, StoredPart,
};
pub use non_empty::NonEmpty;
pub use object_store::{
    ByteStream, GetError, ObjectBody, ObjectHead, ObjectStore, PartGrant, PresignedUrl, Presigner, PutGrant,
    ReadGrant,
};
pub use photo_list::{
    PhotoListPage, PhotoListQuery, PhotoPosition, PhotoSort, SortDirection, TagCount, TakenRange,
    words_of_camera, words_of_filename, words_of_tags,
};
pub use photo_view::PhotoView;
pub use progress_ticks::{ProgressTick, ProgressTicks};
pub use reads::{
    Account, IdempotencyReads, JobReads, JobView, LastChange, PhotoReads, UserCredentials, UserReads,
};
pub use session_id::SessionId;
pub use sessions::{Rotation, Session, Sessions, StreamTicket, TokenHash, TokenRotation};
pub use storage_messages::{MessageError, StorageMessages};
pub use subscriptions::{Advance, SubscriptionLease, SubscriptionName, SubscriptionState, Subscriptions};
pub use unavailable::{BoxError, Unavailable};
pub use upload_activity::{ACTIVITY_INTERVAL, UploadActivity};
pub use usage::{FreeSpace, Usage, UsageReads};
pub use work::{Claim, ClaimToken, Due, MAX_DEPTH, Priority, SingleProcess, WorkKind, WorkOrder, WorkQueue};
