//! Progress of running uploads, kept in memory only: single ticks are not stored.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use futures::{StreamExt as _, stream, stream::BoxStream};
use metrics::gauge;
use rapidphoto_domain::{JobId, PhotoId, Timestamp, UserId, values::Progress};
use tokio::sync::broadcast;

use crate::ports::{ACTIVITY_INTERVAL, ProgressTick, ProgressTicks};

/// State of one running upload.
#[derive(Debug, Clone, Copy)]
struct Entry {
    tick: ProgressTick,
    last_seen: Timestamp,
    /// Last sign of life that is stored.
    recorded: Timestamp,
}

/// Progress of all running uploads of the deployment, as far as this process knows.
///
/// Progress is best effort: it is lost when the process stops, and that of other processes is late or missing.
#[derive(Debug, Default)]
pub struct ProgressBoard {
    uploads: Mutex<Uploads>,
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

    fn insert(&mut self, upload: ProgressTick, recorded: Timestamp, now: Timestamp) {
        let std::collections::hash_map::Entry::Vacant(free) = self.entries.entry(upload.photo) else {
            return;
        };
        free.insert(Entry {
            tick: upload,
            last_seen: now,
            recorded,
        });
        self.jobs.entry(upload.job).or_default().uploads += 1;
        self.touch(upload.job, now);
    }

    fn remove(&mut self, photo: PhotoId) {
        let Some(Entry { tick, last_seen, .. }) = self.entries.remove(&photo) else {
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

/// Result of a progress report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Advanced {
    /// The upload's progress, if the report has increased it.
    pub tick: Option<ProgressTick>,
    /// True if this sign of life must be stored. The next one is due a minute later.
    pub record: bool,
}

impl ProgressBoard {
    /// Adds an upload whose last sign of life was stored at `recorded`. An upload that is already tracked is not changed.
    pub fn track(&self, upload: ProgressTick, recorded: Timestamp, now: Timestamp) {
        let mut uploads = self.uploads();
        uploads.insert(upload, recorded, now);
        report_count(&uploads);
    }

    /// Records a progress report. Returns `None` if the upload is not tracked or has another owner.
    ///
    /// Progress never decreases: a smaller number of bytes only updates the time of the last activity. A late tick of a
    /// removed upload does not add it again.
    pub fn advance(
        &self,
        owner: UserId,
        photo: PhotoId,
        bytes_sent: u64,
        now: Timestamp,
    ) -> Option<Advanced> {
        let mut uploads = self.uploads();
        let entry = uploads
            .entries
            .get_mut(&photo)
            .filter(|entry| entry.tick.owner == owner)?;
        entry.last_seen = now;
        let record = entry.recorded + ACTIVITY_INTERVAL <= now;
        if record {
            entry.recorded = now;
        }
        let known = entry.tick.progress;
        entry.tick.progress = known.max(Progress::new(bytes_sent, known.bytes_total()));
        let tick = (entry.tick.progress != known).then_some(entry.tick);
        if let Some(tick) = tick {
            uploads.touch(tick.job, now);
        }
        drop(uploads);
        Some(Advanced { tick, record })
    }

    /// Adds or increases progress that any process received. Returns the upload's progress.
    pub fn merge(&self, tick: ProgressTick, now: Timestamp) -> ProgressTick {
        let mut uploads = self.uploads();
        // The other process has stored the sign of life; if not, this one stores the next that it receives.
        uploads.insert(tick, now, now);
        let Some(entry) = uploads.entries.get_mut(&tick.photo) else {
            return tick;
        };
        entry.last_seen = now;
        let known = entry.tick.progress;
        entry.tick.progress = known.max(tick.progress);
        let merged = entry.tick;
        if merged.progress != known {
            uploads.touch(merged.job, now);
        }
        report_count(&uploads);
        merged
    }

    /// Makes the next sign of life of these uploads due for storage, because storing the last one has failed.
    pub fn not_recorded(&self, photos: &[PhotoId]) {
        let mut uploads = self.uploads();
        for photo in photos {
            if let Some(entry) = uploads.entries.get_mut(photo) {
                entry.recorded = Timestamp::MIN_UTC;
            }
        }
    }

    /// Progress of an upload; `None` if it is not tracked.
    pub fn progress(&self, photo: PhotoId) -> Option<Progress> {
        self.upload(photo).map(|tick| tick.progress)
    }

    /// Last tick of an upload; `None` if it is not tracked.
    pub fn upload(&self, photo: PhotoId) -> Option<ProgressTick> {
        self.uploads().entries.get(&photo).map(|entry| entry.tick)
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

    fn uploads(&self) -> MutexGuard<'_, Uploads> {
        self.uploads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Distribution of ticks within one process, for deployments that have only one.
#[derive(Debug)]
pub struct LocalTicks(broadcast::Sender<ProgressTick>);

/// Ticks that a slow subscriber may have pending before it misses some.
const TICK_CHANNEL_CAPACITY: usize = 4096;

impl Default for LocalTicks {
    fn default() -> Self {
        Self(broadcast::Sender::new(TICK_CHANNEL_CAPACITY))
    }
}

impl ProgressTicks for LocalTicks {
    fn publish(&self, tick: ProgressTick) {
        // Sending fails if there are no subscribers, which is no error.
        let _ = self.0.send(tick);
    }

    fn subscribe(&self) -> BoxStream<'static, ProgressTick> {
        stream::unfold(self.0.subscribe(), |mut ticks| async move {
            loop {
                match ticks.recv().await {
                    Ok(tick) => return Some((tick, ticks)),
                    Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(broadcast::error::RecvError::Closed) => return None,
                }
            }
        })
        .boxed()
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
    use rapidphoto_domain::JobId;

    use super::*;

    fn tick(bytes_sent: u64) -> ProgressTick {
        ProgressTick {
            owner: UserId::from_bits(1),
            job: JobId::from_bits(1),
            photo: PhotoId::from_bits(1),
            progress: Progress::new(bytes_sent, 100),
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_timestamp(seconds, 0).unwrap()
    }

    fn report(board: &ProgressBoard, sent: u64, second: i64) -> Option<Advanced> {
        board.advance(tick(0).owner, tick(0).photo, sent, at(second))
    }

    #[test]
    fn progress_never_decreases_and_repeated_ticks_are_not_sent() {
        let board = ProgressBoard::default();
        assert!(report(&board, 10, 0).is_none(), "the upload is not tracked yet");
        board.track(tick(0), at(0), at(0));
        for (sent, second, expected) in [(10, 1, Some(10)), (50, 2, Some(50)), (20, 3, None), (50, 4, None)] {
            let advanced = report(&board, sent, second).unwrap();
            assert_eq!(advanced.tick, expected.map(tick));
        }
        let other_user = UserId::from_bits(2);
        assert!(
            board
                .advance(other_user, PhotoId::from_bits(1), 60, at(5))
                .is_none()
        );
        board.track(tick(0), at(5), at(5));
        assert_eq!(
            board.progress(PhotoId::from_bits(1)),
            Some(Progress::new(50, 100))
        );
        board.remove_inactive(at(4));
        assert!(
            board.progress(PhotoId::from_bits(1)).is_some(),
            "a repeated tick counts as activity"
        );
        let generation = board.generation(JobId::from_bits(1));
        assert!(report(&board, 51, 5).is_some());
        assert!(board.generation(JobId::from_bits(1)) > generation);
        board.remove_inactive(at(6));
        assert_eq!(board.generation(JobId::from_bits(1)), None);
        assert_eq!(board.progress(PhotoId::from_bits(1)), None);
        assert!(
            report(&board, 60, 6).is_none(),
            "a removed upload is not added again"
        );
    }

    #[test]
    fn progress_of_other_processes_never_decreases_the_known_one() {
        let board = ProgressBoard::default();
        for (sent, known) in [(10, 10), (40, 40), (20, 40)] {
            assert_eq!(board.merge(tick(sent), at(1)), tick(known));
            assert_eq!(
                board.progress(PhotoId::from_bits(1)),
                Some(Progress::new(known, 100))
            );
        }
        assert_eq!(report(&board, 30, 2).unwrap().tick, None);
        assert_eq!(report(&board, 50, 2).unwrap().tick, Some(tick(50)));
    }

    #[test]
    fn a_sign_of_life_is_due_for_storage_once_a_minute() {
        let board = ProgressBoard::default();
        board.track(tick(0), at(0), at(30));
        let due = |second| report(&board, 1, second).unwrap().record;
        assert!(!due(59));
        assert!(due(60));
        assert!(!due(60) && !due(119));
        assert!(due(120));
        board.not_recorded(&[PhotoId::from_bits(1)]);
        assert!(due(121), "the last one was not stored");
        assert!(!due(122));
    }
}
