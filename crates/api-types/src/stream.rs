use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::snapshot::{JobStatus, PhotoStatus, Progress, Reason};

/// Data of `event: photo`: a change of a photo (with an `id`) or only progress of its upload (without an `id`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PhotoStreamEvent {
    /// Job of the photo.
    pub job_id: String,
    /// Identifier of the photo.
    pub photo_id: String,
    /// Status of the photo; absent if the event is only progress.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<PhotoStatus>,
    /// Version of the photo after the change; an event with a smaller version is older. Absent if the event is only
    /// progress.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// Progress of the upload, if the event contains it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// Reasons for the rejection or failure.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
    /// Failed checks of a completed photo that are only warnings in this deployment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Reason>,
    /// True if the photo is deleted and must not be displayed any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
}

/// Data of `event: job`: a job was created, completed, reopened or cancelled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobStreamEvent {
    /// Identifier of the job.
    pub job_id: String,
    /// Status of the job, if the event contains it; a cancelled job is terminal only when all of its photos are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<JobStatus>,
    /// Number of the round, from 1; each reopening of the job starts the next round.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round: Option<u32>,
    /// True if the job was cancelled.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cancelled: bool,
}

/// Data of `event: snapshot` at the start of a user's stream. The stream of a job starts with a `JobSnapshot` instead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UserStreamStart {
    /// Position in the event log at which the stream starts.
    pub cursor: String,
}

/// Data of `event: reset`: events were missed and can't be sent any more; a snapshot follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StreamReset {
    /// Reason for the reset, for people.
    pub reason: String,
}

/// Data of `event: end`: the last event of the stream. The client closes it, so that it doesn't reconnect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StreamEnd {
    /// Reason for the end.
    pub reason: StreamEndReason,
}

/// Reason for the end of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StreamEndReason {
    /// The watched job is terminal.
    JobEnded,
    /// The session of the access token or ticket has ended.
    SessionEnded,
}
