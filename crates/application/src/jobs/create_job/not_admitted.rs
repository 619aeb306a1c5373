use std::{fmt, time::Duration};

/// Quota of one user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quota {
    /// Photos that have not ended.
    OpenPhotos,
    /// Bytes of photos.
    StoredBytes,
    /// Photos created on one day in UTC.
    PhotosPerDay,
}

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OpenPhotos => "photos that are not finished",
            Self::StoredBytes => "bytes of photos",
            Self::PhotosPerDay => "new photos a day",
        })
    }
}

/// Reason for which new photos are not accepted now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAdmitted {
    /// The batch exceeds a quota of the user.
    #[error("{used} of {allowed} {quota} are used, and the batch needs {requested} more")]
    Quota {
        /// The quota.
        quota: Quota,
        /// Amount used before this batch.
        used: u64,
        /// Amount that this batch needs.
        requested: u64,
        /// Maximum amount.
        allowed: u64,
        /// Time after which the quota is free again, if it is known.
        retry_after: Option<Duration>,
    },
    /// The batch would leave too little free space.
    #[error("{free} bytes are free, of which {reserved} stay free; the batch needs {requested}")]
    Space {
        /// Free bytes.
        free: u64,
        /// Bytes that stay free.
        reserved: u64,
        /// Bytes of the batch.
        requested: u64,
    },
    /// Photos wait too long for their processing.
    #[error("photos have been waiting for processing for {} s, more than {} s", .age.as_secs(), .allowed.as_secs())]
    Backlog {
        /// Time that the oldest photo has been waiting.
        age: Duration,
        /// Maximum time.
        allowed: Duration,
    },
}
