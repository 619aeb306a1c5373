//! What happens, told while it happens: without a gap and without a repetition between snapshot, backfill and live.

mod tail;
mod watch;
mod watcher;

use std::{pin::Pin, sync::Arc};

use futures::Stream;

pub use tail::LiveTail;
pub use watch::{WatchError, WatchHandler, WatchJob, WatchUser};

use crate::{
    jobs::JobSnapshot,
    ports::{Cursor, LogError, StoredEvent},
    progress::ProgressTick,
};

/// One thing that a watcher is told.
#[derive(Debug, Clone)]
pub enum LiveItem {
    /// What the watcher knew is too old to go on from; a snapshot follows.
    Reset,
    /// How everything stands now; what follows happened later.
    Snapshot(Snapshot),
    /// Something happened to a photo or a job. Its cursor is where the watcher can resume.
    State(Arc<StoredEvent>),
    /// An upload went on. Ticks may be missing.
    Progress(ProgressTick),
}

/// Where a watcher begins.
#[derive(Debug, Clone)]
pub enum Snapshot {
    /// The job that is watched.
    Job(Box<JobSnapshot>),
    /// Everything of a user is watched; there is too much of it to be told at once.
    User {
        /// Where the log ended.
        cursor: Cursor,
    },
}

impl Snapshot {
    /// Where the log ended when it was read.
    pub const fn cursor(&self) -> Cursor {
        match self {
            Self::Job(job) => job.view.cursor,
            Self::User { cursor } => *cursor,
        }
    }
}

/// Why a stream ended early. The watcher resumes from the last cursor that it was told.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LiveError {
    /// The watcher was too slow: something that must not be left out would have been.
    #[error("the watcher has fallen behind")]
    Lagged,
    /// The log can't be read.
    #[error(transparent)]
    Log(#[from] LogError),
}

/// What a watcher is told, until it goes away or the process stops.
pub type LiveStream = Pin<Box<dyn Stream<Item = Result<LiveItem, LiveError>> + Send>>;
