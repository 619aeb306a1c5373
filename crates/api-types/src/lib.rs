//! Request and response types of the HTTP API, shared by the server and the Rust client.
//!
//! JSON members are in camelCase, times are RFC 3339 in UTC, checksums are lower-case hexadecimal. Clients must ignore
//! unknown members, because new ones may be added at any time.

mod admin;
mod auth;
mod commands;
mod limits;
mod operations;
mod photo;
mod problem;
mod snapshot;
mod stream;

pub use admin::{DeadLetter, DeadLetters, Redriven, Subscription, Subscriptions};
pub use auth::{
    Credentials, Registered, Registration, StreamTicketRequest, StreamTicketResponse, TokenRequest, Tokens,
};
pub use commands::{
    AddTagsRequest, CreateJobRequest, CreateJobResponse, DeclaredChecksum, FileRequest, FinalizeRequest,
    JobCancelled, JobItem, MultipartItem, PartUrl, PartUrls, PartUrlsRequest, PhotoDeleted, PhotoTags,
    ProgressAccepted, ProgressRequest, ProgressTick, RenewedUpload, StoredPart, Strategy, UploadState,
    UploadedPart, UploadedParts,
};
pub use limits::{CheckLimits, CheckPolicy, Limits, Quota};
pub use operations::{DependencyReport, Health, Readiness};
pub use photo::{
    Camera, DownloadUrl, Exif, HistoryEntry, Location, Page, Photo, PhotoHistory, TagCount, Thumbnail,
};
pub use problem::{Problem, ProblemDetail};
pub use snapshot::{
    JobSnapshot, JobStatus, JobSummary, MeasuredValue, PhotoSnapshot, PhotoStatus, Progress, Reason,
    StatusReason,
};
pub use stream::{
    JobStreamEvent, PhotoStreamEvent, StreamEnd, StreamEndReason, StreamReset, UserStreamStart,
};
