//! How far uploads are: kept in memory, never written tick by tick.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use metrics::gauge;
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
    /// Makes room for an upload that is about to tell. Nobody hears of it yet; one that is known stays as it is.
    pub fn expect(&self, upload: ProgressTick, now: Timestamp) {
        let entry = Entry {
            tick: upload,
            last_seen: now,
        };
        let mut uploads = self.uploads();
        uploads.entry(upload.photo).or_insert(entry);
        measure(&uploads);
    }

    /// Takes in how far an upload is; false if it is not expected, or is somebody else's. Progress that is no further
    /// than what is known is a sign of life, nothing more.
    ///
    /// An upload that was forgotten stays so: a tick that comes late does not bring it back.
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
            // Nobody watching is no error.
            let _ = self.watchers.send(tick);
        }
        true
    }

    /// How far an upload is, if it has told.
    pub fn progress(&self, photo: PhotoId) -> Option<Progress> {
        self.upload(photo).map(|tick| tick.progress)
    }

    /// What is known of an upload, if it has told.
    pub fn upload(&self, photo: PhotoId) -> Option<ProgressTick> {
        self.uploads().get(&photo).map(|entry| entry.tick)
    }

    /// When an upload last told.
    pub fn last_sign_of_life(&self, photo: PhotoId) -> Option<Timestamp> {
        self.uploads().get(&photo).map(|entry| entry.last_seen)
    }

    /// Forgets uploads that have not told since `before`: they are over, one way or another.
    pub fn forget_silent(&self, before: Timestamp) {
        let mut uploads = self.uploads();
        uploads.retain(|_, entry| entry.last_seen >= before);
        measure(&uploads);
    }

    /// Forgets one upload: it has arrived, came to nothing, or begins anew.
    pub fn forget(&self, photo: PhotoId) {
        let mut uploads = self.uploads();
        uploads.remove(&photo);
        measure(&uploads);
    }

    /// Every step forward from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<ProgressTick> {
        self.watchers.subscribe()
    }

    fn uploads(&self) -> MutexGuard<'_, HashMap<PhotoId, Entry>> {
        self.uploads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells how many uploads are under way. Called under their lock, so that the last word is the last count.
fn measure(uploads: &HashMap<PhotoId, Entry>) {
    #[expect(clippy::cast_precision_loss, reason = "nobody counts uploads beyond 2^52")]
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
    fn progress_never_falls_and_repetitions_are_not_told() {
        let board = ProgressBoard::default();
        let mut watcher = board.subscribe();
        let at = |seconds| Timestamp::from_timestamp(seconds, 0).unwrap();
        let tell = |sent, second| {
            let upload = tick(0);
            board.advance(upload.owner, upload.photo, sent, at(second))
        };
        assert!(!tell(10, 0), "it is not expected yet");
        board.expect(tick(0), at(0));
        for (sent, second) in [(10, 1), (50, 2), (20, 3), (50, 4)] {
            assert!(tell(sent, second));
        }
        let stranger = UserId::from_bits(2);
        assert!(!board.advance(stranger, PhotoId::from_bits(1), 60, at(5)));
        board.expect(tick(0), at(5));
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
        assert!(!tell(60, 6), "what is forgotten does not come back");
    }
}
