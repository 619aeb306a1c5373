use std::{collections::BTreeSet, sync::Arc};

use rapidphoto_domain::{
    PhotoId, Timestamp, UserId,
    photo::{Photo, PhotoCommand},
    values::Progress,
};

use crate::{
    batch::PhotoBatch,
    commit::WriteError,
    ports::{EventMetadata, PhotoReads, Ports, Unavailable, WritePorts},
    progress::{ProgressBoard, ProgressTick},
    settings::WorkSettings,
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

/// Receives the progress of uploads. It is best effort: only the first tick of a photo is committed.
#[derive(Clone)]
pub struct ReportProgressHandler {
    ports: WritePorts,
    photos: Arc<dyn PhotoReads>,
    board: Arc<ProgressBoard>,
    settings: WorkSettings,
}

impl ReportProgressHandler {
    /// A handler on these ports.
    pub fn new(ports: &Ports, board: Arc<ProgressBoard>, settings: WorkSettings) -> Self {
        Self {
            ports: ports.write_ports(),
            photos: Arc::clone(&ports.database.photos),
            board,
            settings,
        }
    }

    /// Receives ticks and returns how many were accepted. Ticks of other users' photos, and of photos that await no bytes,
    /// are not.
    pub async fn handle(&self, command: ReportProgress) -> Result<usize, WriteError> {
        let now = self.ports.clock.now();
        let advance = |tick: &Tick| {
            self.board
                .advance(command.owner, tick.photo, tick.bytes_sent, now)
        };
        let (known, first): (Vec<Tick>, Vec<Tick>) = command.ticks.iter().partition(|tick| advance(tick));
        if first.is_empty() {
            return Ok(known.len());
        }
        self.start_tracking(&command, &first, now).await?;
        let taken = first.iter().filter(|tick| advance(tick)).count();
        Ok(known.len() + taken)
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
