use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{JobStatus, PhotoStatus, Progress, Reason};

/// `event: photo`: a photo changed its state (with an `id:`), or its upload came further (without one).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PhotoStreamEvent {
    /// The photo's job.
    pub job_id: String,
    /// Names the photo.
    pub photo_id: String,
    /// Its status; left out of mere progress.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<PhotoStatus>,
    /// Its version; of two events the one with the smaller is older. Left out of mere progress.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// How far its upload is, where this event says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// Why it was rejected or failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
    /// What was found in a completed photo but does no harm here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Reason>,
    /// Whether it is deleted and to be shown no longer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
}

/// `event: job`: a job began, ended, was opened again or was given up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobStreamEvent {
    /// Names the job.
    pub job_id: String,
    /// Its status, where the event says it; a job that is given up ends when its photos have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<JobStatus>,
    /// Which round: 1, and one more for each time it was opened again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round: Option<u32>,
    /// Whether it was given up.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cancelled: bool,
}

/// `event: snapshot` of a user's stream: where it begins. A job's stream begins with the job's snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UserStreamStart {
    /// Where the log ended when the stream began.
    pub cursor: String,
}

/// `event: reset`: what came before can't be told without a gap; a snapshot follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StreamReset {
    /// Why, for people.
    pub reason: String,
}
