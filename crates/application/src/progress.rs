//! Progress of running uploads, kept in memory only: single ticks are not stored.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use metrics::gauge;
use rapidphoto_domain::{JobId, PhotoId, Timestamp, UserId, values::Progress};
use tokio::sync::broadcast;

/// Progress report of one upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProgressTick {
    /// Owner of the photo.
    pub owner: UserId,
    /// Job of the photo.
    pub job: JobId,
    /// Photo that is being uploaded.
    pub photo: PhotoId,
    /// Bytes sent so far and in total.
    pub progress: Progress,
}

/// State of one running upload.
#[derive(Debug, Clone, Copy)]
struct Entry {
    tick: ProgressTick,
    last_seen: Timestamp,
}

/// Progress of all running uploads, and the channel to its watchers.
///
/// Progress is best effort: it is lost when the process stops, and a slow watcher misses ticks.
#[derive(Debug)]
pub struct ProgressBoard {
    uploads: Mutex<HashMap<PhotoId, Entry>>,
    watchers: broadcast::Sender<ProgressTick>,
}

/// Ticks that a slow watcher may have pending before it misses some.
const TICK_CHANNEL_CAPACITY: usize = 4096;

impl Default for ProgressBoard {
    fn default() -> Self {
        Self {
            uploads: Mutex::default(),
            watchers: broadcast::Sender::new(TICK_CHANNEL_CAPACITY),
        }
    }
}

impl ProgressBoard {
    /// Adds an upload without notifying watchers. An upload that is already tracked is not changed.
    pub fn track(&self, upload: ProgressTick, now: Timestamp) {
        let entry = Entry {
            tick: upload,
            last_seen: now,
        };
        let mut uploads = self.uploads();
        uploads.entry(upload.photo).or_insert(entry);
        report_count(&uploads);
    }

    /// Records progress and notifies watchers. Returns false if the upload is not tracked or has another owner.
    ///
    /// Progress never decreases: a smaller number of bytes only updates the time of the last activity. A late tick of a
    /// removed upload does not add it again.
    pub fn advance(&self, owner: UserId, photo: PhotoId, bytes_sent: u64, now: Timestamp) -> bool {
        let mut uploads = self.uploads();
        let Some(entry) = uploads.get_mut(&photo).filter(|entry| entry.tick.owner == owner) else {
            return false;
        };
        entry.last_seen = now;
        let known = entry.tick.progress;
        entry.tick.progress = known.max(Progress::new(bytes_sent, known.bytes_total()));
        let tick = entry.tick;
        drop(uploads);
        if tick.progress != known {
            // Sending fails if there are no watchers, which is no error.
            let _ = self.watchers.send(tick);
        }
        true
    }

    /// Progress of an upload; `None` if it is not tracked.
    pub fn progress(&self, photo: PhotoId) -> Option<Progress> {
        self.upload(photo).map(|tick| tick.progress)
    }

    /// Last tick of an upload; `None` if it is not tracked.
    pub fn upload(&self, photo: PhotoId) -> Option<ProgressTick> {
        self.uploads().get(&photo).map(|entry| entry.tick)
    }

    /// Time of an upload's last activity; `None` if it is not tracked.
    pub fn last_activity(&self, photo: PhotoId) -> Option<Timestamp> {
        self.uploads().get(&photo).map(|entry| entry.last_seen)
    }

    /// Removes uploads without activity since `before`: they have ended or were abandoned.
    pub fn remove_inactive(&self, before: Timestamp) {
        let mut uploads = self.uploads();
        uploads.retain(|_, entry| entry.last_seen >= before);
        report_count(&uploads);
    }

    /// Removes one upload, because it completed, ended or restarted.
    pub fn remove(&self, photo: PhotoId) {
        let mut uploads = self.uploads();
        uploads.remove(&photo);
        report_count(&uploads);
    }

    /// Subscribes to the progress of all uploads.
    pub fn subscribe(&self) -> broadcast::Receiver<ProgressTick> {
        self.watchers.subscribe()
    }

    fn uploads(&self) -> MutexGuard<'_, HashMap<PhotoId, Entry>> {
        self.uploads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sets the gauge of running uploads. Called while the lock is held, so that the gauge never keeps an outdated number.
fn report_count(uploads: &HashMap<PhotoId, Entry>) {
    #[expect(
        clippy::cast_precision_loss,
        reason = "the number of uploads is far below 2^52"
    )]
    gauge!("upload_inflight").set(uploads.len() as f64);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tick(bytes_sent: u64) -> ProgressTick {
        ProgressTick {
            owner: UserId::from_bits(1),
            job: JobId::from_bits(1),
            photo: PhotoId::from_bits(1),
            progress: Progress::new(bytes_sent, 100),
        }
    }

    #[test]
    fn progress_never_decreases_and_repeated_ticks_are_not_sent() {
        let board = ProgressBoard::default();
        let mut watcher = board.subscribe();
        let at = |seconds| Timestamp::from_timestamp(seconds, 0).unwrap();
        let report = |sent, second| {
            let upload = tick(0);
            board.advance(upload.owner, upload.photo, sent, at(second))
        };
        assert!(!report(10, 0), "the upload is not tracked yet");
        board.track(tick(0), at(0));
        for (sent, second) in [(10, 1), (50, 2), (20, 3), (50, 4)] {
            assert!(report(sent, second));
        }
        let other_user = UserId::from_bits(2);
        assert!(!board.advance(other_user, PhotoId::from_bits(1), 60, at(5)));
        board.track(tick(0), at(5));
        assert_eq!(
            board.progress(PhotoId::from_bits(1)),
            Some(Progress::new(50, 100))
        );
        assert_eq!(
            board.last_activity(PhotoId::from_bits(1)),
            Some(at(4)),
            "a repeated tick counts as activity"
        );
        assert_eq!(watcher.try_recv().unwrap(), tick(10));
        assert_eq!(watcher.try_recv().unwrap(), tick(50));
        assert!(watcher.try_recv().is_err());
        board.remove_inactive(at(5));
        assert_eq!(board.progress(PhotoId::from_bits(1)), None);
        assert!(!report(60, 6), "a removed upload is not added again");
    }
}
