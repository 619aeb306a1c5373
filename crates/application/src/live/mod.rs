//! Live streams of events: a snapshot, a backfill from the log and the events that follow, without gaps or duplicates.

mod items;
mod sent_progress;
mod tail;
mod watch;
mod watcher;

pub use items::{LiveError, LiveItem, LiveStream, Snapshot, Start};
pub use tail::LiveTail;
pub use watch::{WatchError, WatchHandler, WatchJob, WatchUser};
