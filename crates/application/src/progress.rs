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
    uploads: Mutex<Uploads>,
    watchers: broadcast::Sender<ProgressTick>,
}

#[derive(Debug, Default)]
struct Uploads {
    entries: HashMap<PhotoId, Entry>,
    /// Jobs with tracked uploads.
    jobs: HashMap<JobId, JobProgress>,
    last_generation: u64,
}

#[derive(Debug, Default)]
struct JobProgress {
    uploads: usize,
    generation: u64,
}

impl Uploads {
    /// Moves the generation of a job. Generations begin at the time of the first one, in milliseconds since 1970, so that
    /// those of an earlier process are not repeated.
    fn touch(&mut self, job: JobId, now: Timestamp) {
        let floor = u64::try_from(now.timestamp_millis()).unwrap_or(0);
        self.last_generation = floor.max(self.last_generation + 1);
        if let Some(progress) = self.jobs.get_mut(&job) {
            progress.generation = self.last_generation;
        }
    }

    fn insert(&mut self, upload: ProgressTick, now: Timestamp) {
        let std::collections::hash_map::Entry::Vacant(free) = self.entries.entry(upload.photo) else {
            return;
        };
        free.insert(Entry {
            tick: upload,
            last_seen: now,
        });
        self.jobs.entry(upload.job).or_default().uploads += 1;
        self.touch(upload.job, now);
    }

    fn remove(&mut self, photo: PhotoId) {
        let Some(Entry { tick, last_seen }) = self.entries.remove(&photo) else {
            return;
        };
        let Some(progress) = self.jobs.get_mut(&tick.job) else {
            return;
        };
        progress.uploads -= 1;
        if progress.uploads == 0 {
            self.jobs.remove(&tick.job);
        } else {
            self.touch(tick.job, last_seen);
        }
    }
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
        let mut uploads = self.uploads();
        uploads.insert(upload, now);
        report_count(&uploads);
    }

    /// Records progress and notifies watchers. Returns false if the upload is not tracked or has another owner.
    ///
    /// Progress never decreases: a smaller number of bytes only updates the time of the last activity. A late tick of a
    /// removed upload does not add it again.
    pub fn advance(&self, owner: UserId, photo: PhotoId, bytes_sent: u64, now: Timestamp) -> bool {
        let mut uploads = self.uploads();
        let Some(entry) = uploads
            .entries
            .get_mut(&photo)
            .filter(|entry| entry.tick.owner == owner)
        else {
            return false;
        };
        entry.last_seen = now;
        let known = entry.tick.progress;
        entry.tick.progress = known.max(Progress::new(bytes_sent, known.bytes_total()));
        let tick = entry.tick;
        if tick.progress != known {
            uploads.touch(tick.job, now);
        }
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
        self.uploads().entries.get(&photo).map(|entry| entry.tick)
    }

    /// Time of an upload's last activity; `None` if it is not tracked.
    pub fn last_activity(&self, photo: PhotoId) -> Option<Timestamp> {
        self.uploads().entries.get(&photo).map(|entry| entry.last_seen)
    }

    /// Number that changes with each change of a job's progress; `None` while no upload of the job is tracked.
    pub fn generation(&self, job: JobId) -> Option<u64> {
        self.uploads().jobs.get(&job).map(|progress| progress.generation)
    }

    /// Removes uploads without activity since `before`: they have ended or were abandoned.
    pub fn remove_inactive(&self, before: Timestamp) {
        let mut uploads = self.uploads();
        let inactive = uploads.entries.values().filter(|entry| entry.last_seen < before);
        let inactive: Vec<PhotoId> = inactive.map(|entry| entry.tick.photo).collect();
        for photo in inactive {
            uploads.remove(photo);
        }
        report_count(&uploads);
    }

    /// Removes one upload, because it completed, ended or restarted.
    pub fn remove(&self, photo: PhotoId) {
        let mut uploads = self.uploads();
        uploads.remove(photo);
        report_count(&uploads);
    }

    /// Subscribes to the progress of all uploads.
    pub fn subscribe(&self) -> broadcast::Receiver<ProgressTick> {
        self.watchers.subscribe()
    }

    fn uploads(&self) -> MutexGuard<'_, Uploads> {
        self.uploads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sets the gauge of running uploads. Called while the lock is held, so that the gauge never keeps an outdated number.
fn report_count(uploads: &Uploads) {
    #[expect(
        clippy::cast_precision_loss,
        reason = "the number of uploads is far below 2^52"
    )]
    gauge!("upload_inflight").set(uploads.entries.len() as f64);
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
        let generation = board.generation(JobId::from_bits(1));
        assert!(report(51, 5));
        assert!(board.generation(JobId::from_bits(1)) > generation);
        board.remove_inactive(at(6));
        assert_eq!(board.generation(JobId::from_bits(1)), None);
        assert_eq!(board.progress(PhotoId::from_bits(1)), None);
        assert!(!report(60, 6), "a removed upload is not added again");
    }
}
