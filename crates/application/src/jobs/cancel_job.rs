use rapidphoto_domain::{
    JobId, PhotoId, UserId,
    job::JobStatus,
    photo::{Photo, PhotoCommand},
};

use crate::{
    decision::{event_id, record_job, record_photo, write_unless_moved},
    ports::{EventMetadata, Ports, Unavailable, Versioned, WritePorts},
    settings::WorkSettings,
};

/// Gives a whole job up.
#[derive(Debug, Clone)]
pub struct CancelJob {
    /// Whose job it is.
    pub owner: UserId,
    /// Which job.
    pub job: JobId,
    /// Where the request came from.
    pub metadata: EventMetadata,
}

/// Why a job was not cancelled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CancelJobError {
    /// The user has no such job.
    #[error("there is no such job")]
    NoSuchJob,
    /// The record can't be reached.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Cancels jobs: the job's own event first, then its photos one by one, as each may be at work. What a crash leaves
/// undone, the job-completion reactor finishes.
#[derive(Clone)]
pub struct CancelJobHandler {
    ports: WritePorts,
    settings: WorkSettings,
}

/// How often a photo's cancellation is decided anew when its state moves.
const MAX_ROUNDS: usize = 16;

impl CancelJobHandler {
    /// A handler on these ports.
    pub fn new(ports: &Ports, settings: WorkSettings) -> Self {
        Self {
            ports: ports.write_ports(),
            settings,
        }
    }

    /// Cancels what is not at an end and tells the job's status afterwards. A job that has ended stays as it is.
    pub async fn handle(&self, command: CancelJob) -> Result<JobStatus, CancelJobError> {
        self.cancel_job(&command).await?;
        for photo in self.ports.aggregates.photos_of_job(command.job).await? {
            if !photo.value.status().is_terminal() {
                cancel_photo(&self.ports, &self.settings, photo.value.id, &command.metadata).await?;
            }
        }
        let photos = self.ports.aggregates.photos_of_job(command.job).await?;
        let counts = rapidphoto_domain::job::JobCounts::of(photos.iter().map(|photo| photo.value.status()));
        Ok(JobStatus::of(&counts))
    }

    /// Records that the job is given up, unless it is at an end.
    async fn cancel_job(&self, command: &CancelJob) -> Result<(), CancelJobError> {
        for _ in 0..MAX_ROUNDS {
            let job = self.ports.aggregates.job(command.job).await?;
            let job = job
                .filter(|job| job.value.owner == command.owner)
                .ok_or(CancelJobError::NoSuchJob)?;
            let Ok(event) = job.value.cancel() else {
                return Ok(());
            };
            let mut commit = self.ports.commit(command.metadata.clone());
            record_job(&mut commit, &job, event_id(self.ports.ids.as_ref()), event);
            if write_unless_moved(&*self.ports.journal, commit).await? {
                return Ok(());
            }
        }
        Err(Unavailable::record("the job keeps changing").into())
    }
}

/// Cancels one photo unless it is at an end; gives what it is afterwards.
pub(crate) async fn cancel_photo(
    ports: &WritePorts,
    settings: &WorkSettings,
    photo: PhotoId,
    metadata: &EventMetadata,
) -> Result<Option<Versioned<Photo>>, Unavailable> {
    for _ in 0..MAX_ROUNDS {
        let Some(current) = ports.aggregates.photo(photo).await? else {
            return Ok(None);
        };
        let Ok(events) = current.value.decide(PhotoCommand::Cancel) else {
            return Ok(Some(current));
        };
        let mut commit = ports.commit(metadata.clone());
        let cancelled = record_photo(&mut commit, &current, events, ports.ids.as_ref(), settings);
        if write_unless_moved(&*ports.journal, commit).await? {
            return Ok(Some(Versioned {
                version: current.version.plus(1),
                value: cancelled,
            }));
        }
    }
    Err(Unavailable::record("the photo keeps changing"))
}
