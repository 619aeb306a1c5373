use std::{pin::Pin, sync::Arc};

use futures::Stream;

use crate::{
    jobs::JobSnapshot,
    ports::{Cursor, LogError, ProgressTick, StoredEvent},
};

/// Item of a live stream.
#[derive(Debug, Clone)]
pub enum LiveItem {
    /// The stream can't be resumed from the client's cursor; a snapshot follows.
    Reset,
    /// Current state; all later items happened after it.
    Snapshot(Snapshot),
    /// Event of a photo or a job. Its cursor is a position to resume from.
    State(Arc<StoredEvent>),
    /// Progress of an upload. Best effort: ticks may be missing.
    Progress(ProgressTick),
    /// The watched job is terminal. The last item of a stream that doesn't follow the job further.
    JobEnded,
}

/// Start of a live stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Start {
    /// With a snapshot.
    #[default]
    Snapshot,
    /// After the last cursor that the client received.
    After(Cursor),
    /// With a reset and a snapshot, because the client's position is unknown.
    Reset,
}

/// State at the start of a live stream.
#[derive(Debug, Clone)]
pub enum Snapshot {
    /// State of the watched job.
    Job(Box<JobSnapshot>),
    /// Start of a user's stream. It contains no photos, because a user may have too many of them.
    User {
        /// End of the log.
        cursor: Cursor,
    },
}

impl Snapshot {
    /// End of the log when the snapshot was read.
    pub const fn cursor(&self) -> Cursor {
        match self {
            Self::Job(job) => job.view.cursor,
            Self::User { cursor } => *cursor,
        }
    }
}

/// Reasons why a live stream ends early. The client resumes from the last cursor that it received.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LiveError {
    /// The client reads too slowly, so that events would have been skipped.
    #[error("the client reads the stream too slowly")]
    Lagged,
    /// The log can't be read.
    #[error(transparent)]
    Log(#[from] LogError),
}

/// Items for one client, until it disconnects or the process stops.
pub type LiveStream = Pin<Box<dyn Stream<Item = Result<LiveItem, LiveError>> + Send>>;
