//! How far uploads are: kept in memory, never written tick by tick.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use rapidphoto_domain::{JobId, PhotoId, Timestamp, UserId, values::Progress};
use tokio::sync::broadcast;

/// One step forward of one upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProgressTick {
    /// Whose photo it is.
    pub owner: UserId,
    /// The photo's job.
    pub job: JobId,
    /// The photo.
    pub photo: PhotoId,
    /// How far it is.
    pub progress: Progress,
}

/// What is known of one upload under way.
#[derive(Debug, Clone, Copy)]
struct Entry {
    tick: ProgressTick,
    last_seen: Timestamp,
}

/// The progress of every upload under way, and everyone who watches it.
///
/// Progress is best effort: it is lost with the process, and a watcher that is slow misses ticks.
#[derive(Debug)]
pub struct ProgressBoard {
    uploads: Mutex<HashMap<PhotoId, Entry>>,
    watchers: broadcast::Sender<ProgressTick>,
}

/// How many ticks a slow watcher may fall behind before it misses some.
const TICKS_KEPT: usize = 4096;

impl Default for ProgressBoard {
    fn default() -> Self {
        Self {
            uploads: Mutex::default(),
            watchers: broadcast::Sender::new(TICKS_KEPT),
        }
    }
}

impl ProgressBoard {
    /// Takes a tick in. Progress that is no further than what is known is a sign of life, nothing more.
    ///
    /// Gives the progress that is known now.
    pub fn report(&self, tick: ProgressTick, now: Timestamp) -> Progress {
        let mut uploads = self.uploads.lock().unwrap_or_else(PoisonError::into_inner);
        let known = uploads.get(&tick.photo).map(|entry| entry.tick.progress);
        let progress = known.map_or(tick.progress, |known| known.max(tick.progress));
        let tick = ProgressTick { progress, ..tick };
        uploads.insert(tick.photo, Entry { tick, last_seen: now });
        drop(uploads);
        if known != Some(progress) {
            // Nobody watching is no error.
            let _ = self.watchers.send(tick);
        }
        progress
    }

    /// How far an upload is, if it has told.
    pub fn progress(&self, photo: PhotoId) -> Option<Progress> {
        self.upload(photo).map(|tick| tick.progress)
    }

    /// What is known of an upload, if it has told.
    pub fn upload(&self, photo: PhotoId) -> Option<ProgressTick> {
        let uploads = self.uploads.lock().unwrap_or_else(PoisonError::into_inner);
        uploads.get(&photo).map(|entry| entry.tick)
    }

    /// When an upload last told.
    pub fn last_sign_of_life(&self, photo: PhotoId) -> Option<Timestamp> {
        let uploads = self.uploads.lock().unwrap_or_else(PoisonError::into_inner);
        uploads.get(&photo).map(|entry| entry.last_seen)
    }

    /// Forgets uploads that have not told since `before`: they are over, one way or another.
    pub fn forget_silent(&self, before: Timestamp) {
        let mut uploads = self.uploads.lock().unwrap_or_else(PoisonError::into_inner);
        uploads.retain(|_, entry| entry.last_seen >= before);
    }

    /// Forgets one upload: it has arrived, or begins anew.
    pub fn forget(&self, photo: PhotoId) {
        self.uploads
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&photo);
    }

    /// Every step forward from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<ProgressTick> {
        self.watchers.subscribe()
    }
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
    fn progress_never_falls_and_repetitions_are_not_told() {
        let board = ProgressBoard::default();
        let mut watcher = board.subscribe();
        let at = |seconds| Timestamp::from_timestamp(seconds, 0).unwrap();
        for (sent, second) in [(10, 1), (50, 2), (20, 3), (50, 4)] {
            board.report(tick(sent), at(second));
        }
        assert_eq!(
            board.progress(PhotoId::from_bits(1)),
            Some(Progress::new(50, 100))
        );
        assert_eq!(
            board.last_sign_of_life(PhotoId::from_bits(1)),
            Some(at(4)),
            "a late tick is a sign of life"
        );
        assert_eq!(watcher.try_recv().unwrap(), tick(10));
        assert_eq!(watcher.try_recv().unwrap(), tick(50));
        assert!(watcher.try_recv().is_err());
        board.forget_silent(at(5));
        assert_eq!(board.progress(PhotoId::from_bits(1)), None);
    }
}
