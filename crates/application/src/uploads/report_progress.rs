use std::sync::Arc;

use rapidphoto_domain::{
    PhotoId, UserId,
    photo::{Photo, PhotoCommand},
    values::Progress,
};

use crate::{
    decision::record_photo,
    outside::Outside,
    ports::{Commit, CommitError, EventMetadata, Unavailable, Versioned},
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
        let mut taken = 0;
        for tick in &command.ticks {
            taken += usize::from(self.take(&command, *tick).await?);
        }
        Ok(taken)
    }

    async fn take(&self, command: &ReportProgress, tick: Tick) -> Result<bool, Unavailable> {
        let now = self.outside.clock.now();
        if let Some(known) = self.board.upload(tick.photo) {
            if known.owner != command.owner {
                return Ok(false);
            }
            let progress = Progress::new(tick.bytes_sent, known.progress.bytes_total());
            self.board.report(ProgressTick { progress, ..known }, now);
            return Ok(true);
        }
        let Some(current) = self.outside.aggregates.photo(tick.photo).await? else {
            return Ok(false);
        };
        let photo = &current.value;
        if photo.owner != command.owner || photo.deleted || !photo.status().awaits_upload() {
            return Ok(false);
        }
        let progress = Progress::new(tick.bytes_sent, photo.declared.bytes);
        let first = ProgressTick {
            owner: photo.owner,
            job: photo.job,
            photo: photo.id,
            progress,
        };
        self.start(command, &current).await?;
        self.board.report(first, now);
        Ok(true)
    }

    /// The first tick of a photo makes it UPLOADING. If something else happened to it meanwhile, that is newer.
    async fn start(&self, command: &ReportProgress, current: &Versioned<Photo>) -> Result<(), Unavailable> {
        let Ok(events) = current.value.decide(PhotoCommand::StartUpload) else {
            return Ok(());
        };
        let mut commit = Commit::new(self.outside.clock.now(), command.metadata.clone());
        record_photo(
            &mut commit,
            current,
            events,
            self.outside.ids.as_ref(),
            &self.settings,
        );
        match self.outside.journal.commit(commit).await {
            Ok(_) | Err(CommitError::Conflict(_)) => Ok(()),
            Err(CommitError::Unavailable(unavailable)) => Err(unavailable),
            Err(other) => Err(Unavailable::record(other)),
        }
    }
}
