use std::{collections::BTreeSet, sync::Arc, time::Duration};

use rapidphoto_domain::{
    PhotoId, Timestamp, UserId,
    photo::{Photo, PhotoCommand},
    values::Progress,
};

use crate::{
    batch::PhotoBatch,
    commit::WriteError,
    ports::{
        EventMetadata, PhotoReads, Ports, ProgressTick, ProgressTicks, Unavailable, UploadActivity,
        WritePorts,
    },
    progress::ProgressBoard,
    settings::{Settings, WorkSettings},
};

/// Report of the progress of uploads.
#[derive(Debug, Clone)]
pub struct ReportProgress {
    /// Owner of the photos.
    pub owner: UserId,
    /// Progress of each upload.
    pub ticks: Vec<Tick>,
    /// Metadata of the events that the report leads to.
    pub metadata: EventMetadata,
}

/// Progress of one upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tick {
    /// The photo.
    pub photo: PhotoId,
    /// Bytes that the client has sent.
    pub bytes_sent: u64,
}

/// Receives the progress of uploads. It is best effort: only the first tick of a photo is committed, and one a minute is
/// stored as a sign of life.
#[derive(Clone)]
pub struct ReportProgressHandler {
    ports: WritePorts,
    photos: Arc<dyn PhotoReads>,
    board: Arc<ProgressBoard>,
    ticks: Arc<dyn ProgressTicks>,
    activity: Arc<dyn UploadActivity>,
    settings: WorkSettings,
    /// Upload window: time from a sign of life to the end.
    window: Duration,
}

impl ReportProgressHandler {
    /// A handler on these ports.
    pub fn new(ports: &Ports, board: Arc<ProgressBoard>, settings: &Settings) -> Self {
        Self {
            ports: ports.write_ports(),
            photos: Arc::clone(&ports.database.photos),
            board,
            ticks: Arc::clone(&ports.ticks),
            activity: Arc::clone(&ports.database.activity),
            settings: settings.work,
            window: settings.uploads.window,
        }
    }

    /// Receives ticks and returns how many were accepted. Ticks of other users' photos, and of photos that await no bytes,
    /// are not.
    pub async fn handle(&self, command: ReportProgress) -> Result<usize, WriteError> {
        let now = self.ports.clock.now();
        let mut to_record = Vec::new();
        let (known, first): (Vec<Tick>, Vec<Tick>) = command
            .ticks
            .iter()
            .partition(|tick| self.advance(command.owner, **tick, now, &mut to_record));
        let mut accepted = known.len();
        if !first.is_empty() {
            self.start_tracking(&command, &first, now).await?;
            let advance = |tick: &&Tick| self.advance(command.owner, **tick, now, &mut to_record);
            accepted += first.iter().filter(advance).count();
        }
        self.record(&to_record, now).await?;
        Ok(accepted)
    }

    /// Updates the board and tells the other processes. Returns false if the upload is not on the board.
    fn advance(&self, owner: UserId, tick: Tick, now: Timestamp, to_record: &mut Vec<PhotoId>) -> bool {
        let Some(advanced) = self.board.advance(owner, tick.photo, tick.bytes_sent, now) else {
            return false;
        };
        if let Some(tick) = advanced.tick {
            self.ticks.publish(tick);
        }
        if advanced.record {
            to_record.push(tick.photo);
        }
        true
    }

    /// Stores signs of life, so that the upload windows are extended in all processes.
    async fn record(&self, photos: &[PhotoId], now: Timestamp) -> Result<(), Unavailable> {
        if photos.is_empty() {
            return Ok(());
        }
        let recorded = self.activity.record_activity(photos, now).await;
        if recorded.is_err() {
            self.board.not_recorded(photos);
        }
        recorded
    }

    /// Adds uploads to the board at their first tick, which makes their photos UPLOADING.
    async fn start_tracking(
        &self,
        command: &ReportProgress,
        ticks: &[Tick],
        now: Timestamp,
    ) -> Result<(), WriteError> {
        let photos: BTreeSet<PhotoId> = ticks.iter().map(|tick| tick.photo).collect();
        let photos: Vec<PhotoId> = photos.into_iter().collect();
        let batch = PhotoBatch {
            ports: &self.ports,
            reads: &*self.photos,
            settings: &self.settings,
            owner: command.owner,
            metadata: &command.metadata,
        };
        let started = batch.write(&photos, |photo, _| {
            photo.decide(PhotoCommand::StartUpload).unwrap_or_default()
        });
        let mut uploading = started.await?;
        uploading.retain(|photo| photo.status().awaits_upload());
        if uploading.is_empty() {
            return Ok(());
        }
        for photo in &uploading {
            self.board.track(
                ProgressTick {
                    owner: photo.owner,
                    job: photo.job,
                    photo: photo.id,
                    progress: Progress::new(0, photo.declared.bytes),
                },
                photo.window.ends_at - self.window,
                now,
            );
        }
        Ok(self.forget_ended(command.owner, &uploading).await?)
    }

    /// Removes uploads that have ended since they were read: the live tail may have handled their end before they were
    /// on the board.
    async fn forget_ended(&self, owner: UserId, photos: &[Photo]) -> Result<(), Unavailable> {
        let ids: Vec<PhotoId> = photos.iter().map(|photo| photo.id).collect();
        let read = self.photos.by_ids(owner, &ids).await;
        let views = read.as_deref().unwrap_or_default().iter();
        let still_uploading: BTreeSet<PhotoId> = views
            .filter(|view| view.photo.status().awaits_upload())
            .map(|view| view.photo.id)
            .collect();
        for ended in ids.iter().filter(|id| !still_uploading.contains(id)) {
            self.board.remove(*ended);
        }
        read.map(|_| ())
    }
}
