use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Limits of the user, and the amounts used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// Photos that have not ended.
    pub open_photos: Quota,
    /// Declared bytes of photos that are neither deleted nor cancelled.
    pub stored_bytes: Quota,
    /// Photos created today (UTC), deleted ones included.
    pub photos_per_day: Quota,
    /// Jobs the user may create per minute.
    pub jobs_per_minute: u32,
    /// Progress posts per second; an array counts as one.
    pub progress_per_second: u32,
    /// All other requests per second.
    pub requests_per_second: u32,
    /// Open event streams.
    pub streams: u32,
    /// Files in one job.
    pub files_per_job: u64,
    /// Bytes of one file.
    pub file_bytes: u64,
    /// Types that can be processed here. Files of other types are rejected.
    #[schema(example = json!(["image/jpeg", "image/png"]))]
    pub readable_types: Vec<String>,
    /// Checks of photos by their code, which is also the code of the reasons and warnings that they lead to.
    pub checks: BTreeMap<String, CheckLimits>,
}

/// A quota and the amount used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Quota {
    /// Amount used.
    pub used: u64,
    /// Maximum amount; null if there is none.
    pub allowed: Option<u64>,
}

/// Policy and threshold of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckLimits {
    /// Consequence of a finding.
    pub policy: CheckPolicy,
    /// Threshold, where the check has one: pixels for `too_many_pixels`, pixels of the shorter edge for
    /// `too_small_resolution`, bytes for `too_large`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub threshold: Option<u64>,
}

/// Consequence of a check's finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum CheckPolicy {
    /// The check has no effect.
    Off,
    /// The photo is completed with a warning.
    Warn,
    /// The photo is rejected.
    Reject,
}
