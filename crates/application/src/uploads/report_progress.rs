use std::{collections::BTreeSet, sync::Arc};

use rapidphoto_domain::{
    PhotoId, Timestamp, UserId,
    photo::{Photo, PhotoCommand},
    values::Progress,
};

use crate::{
    batch::PhotoBatch,
    outside::Outside,
    ports::{EventMetadata, Unavailable},
    progress::{ProgressBoard, ProgressTick},
    settings::WorkSettings,
};

/// Tells how far uploads are.
#[derive(Debug, Clone)]
pub struct ReportProgress {
    /// Who tells.
    pub owner: UserId,
    /// One for each upload.
    pub ticks: Vec<Tick>,
    /// Where the request came from.
    pub metadata: EventMetadata,
}

/// How far one upload is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tick {
    /// Which photo.
    pub photo: PhotoId,
    /// Bytes that have left the client.
    pub bytes_sent: u64,
}

/// Takes progress in. It is best effort: nothing is written but a photo's first sign of life.
#[derive(Clone)]
pub struct ReportProgressHandler {
    outside: Outside,
    board: Arc<ProgressBoard>,
    settings: WorkSettings,
}

impl ReportProgressHandler {
    /// A handler on these ports.
    pub const fn new(outside: Outside, board: Arc<ProgressBoard>, settings: WorkSettings) -> Self {
        Self {
            outside,
            board,
            settings,
        }
    }

    /// Takes ticks in and gives how many were of use; those of photos that are not the user's, or that want no bytes
    /// any more, are not.
    pub async fn handle(&self, command: ReportProgress) -> Result<usize, Unavailable> {
        let now = self.outside.clock.now();
        let advance = |tick: &Tick| {
            self.board
                .advance(command.owner, tick.photo, tick.bytes_sent, now)
        };
        let (known, first): (Vec<Tick>, Vec<Tick>) = command.ticks.iter().partition(|tick| advance(tick));
        if first.is_empty() {
            return Ok(known.len());
        }
        self.expect(&command, &first, now).await?;
        let taken = first.iter().filter(|tick| advance(tick)).count();
        Ok(known.len() + taken)
    }

    /// Makes room on the board for uploads that tell for the first time. That makes their photos UPLOADING.
    async fn expect(
        &self,
        command: &ReportProgress,
        ticks: &[Tick],
        now: Timestamp,
    ) -> Result<(), Unavailable> {
        let photos: BTreeSet<PhotoId> = ticks.iter().map(|tick| tick.photo).collect();
        let photos: Vec<PhotoId> = photos.into_iter().collect();
        let batch = PhotoBatch {
            outside: &self.outside,
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
        self.forget_ended(command.owner, &uploading).await
    }

    /// Whoever forgets uploads that end may have been there before the board knew of them.
    async fn forget_ended(&self, owner: UserId, photos: &[Photo]) -> Result<(), Unavailable> {
        let ids: Vec<PhotoId> = photos.iter().map(|photo| photo.id).collect();
        let read = self.outside.photos.by_ids(owner, &ids).await;
        let views = read.as_deref().unwrap_or_default().iter();
        let going_on: BTreeSet<PhotoId> = views
            .filter(|view| view.photo.status().awaits_upload())
            .map(|view| view.photo.id)
            .collect();
        for ended in ids.iter().filter(|id| !going_on.contains(id)) {
            self.board.remove(*ended);
        }
        read.map(|_| ())
    }
}
