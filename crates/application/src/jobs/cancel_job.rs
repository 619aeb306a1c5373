use std::sync::Arc;

use rapidphoto_domain::{
    JobId, PhotoId, UserId,
    job::{JobCounts, JobStatus},
    photo::{Photo, PhotoCommand},
};

use crate::{
    batch::{PHOTOS_PER_COMMIT, PhotoBatch},
    commit::{Contended, Decided, RetryPolicy, WriteError, commit_with_retry},
    decision::{record_job, record_photo},
    ports::{CommitError, EventMetadata, PhotoReads, Ports, Unavailable, Versioned, WritePorts},
    settings::WorkSettings,
};

/// Request to cancel a job.
#[derive(Debug, Clone)]
pub struct CancelJob {
    /// Owner of the job.
    pub owner: UserId,
    /// The job.
    pub job: JobId,
    /// Metadata of the events that the request leads to.
    pub metadata: EventMetadata,
}

/// Reason for which a job was not cancelled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CancelJobError {
    /// The user has no such job.
    #[error("there is no such job")]
    NoSuchJob,
    /// The job, or one of its photos, was changed concurrently each time.
    #[error(transparent)]
    Contended(#[from] Contended),
    /// The database can't be reached.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl From<WriteError> for CancelJobError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Contended(contended) => contended.into(),
            WriteError::Unavailable(unavailable) => unavailable.into(),
        }
    }
}

impl From<CommitError> for CancelJobError {
    fn from(error: CommitError) -> Self {
        WriteError::from(error).into()
    }
}

/// Cancels jobs. The job's own event and the first hundred photos are one commit; the job-completion reactor
/// cancels the others, also if this process crashes.
pub struct CancelJobHandler {
    ports: WritePorts,
    photos: Arc<dyn PhotoReads>,
    settings: WorkSettings,
}

/// Few attempts together with photos: after them the job's event has a commit of its own.
const TOGETHER_RETRY: RetryPolicy = RetryPolicy::on_conflict("the job or one of its photos", 3);
const JOB_RETRY: RetryPolicy = RetryPolicy::on_conflict("the job", 16);

impl CancelJobHandler {
    /// A handler on these ports.
    pub fn new(ports: &Ports, settings: WorkSettings) -> Self {
        Self {
            ports: ports.write_ports(),
            photos: Arc::clone(&ports.database.photos),
            settings,
        }
    }

    /// Cancels the job and its photos that are not in a final state, and returns the job's status afterwards:
    /// `IN_PROGRESS` if there are so many photos that the reactor has still to cancel some. A job that has ended is left as
    /// it is.
    pub async fn handle(&self, command: CancelJob) -> Result<JobStatus, CancelJobError> {
        let reactor_cancels = match self.commit(&command, TOGETHER_RETRY, PHOTOS_PER_COMMIT).await {
            Err(CancelJobError::Contended(_)) => {
                self.commit(&command, JOB_RETRY, 0).await?;
                false
            }
            cancelled => cancelled?,
        };
        if !reactor_cancels {
            // The reactor may have handled an earlier cancellation already, and leaves photos that were retried since.
            self.cancel_remaining(&command).await?;
        }
        let photos = self.ports.aggregates.photos_of_job(command.job).await?;
        let counts = JobCounts::of(photos.iter().map(|photo| photo.value.status()));
        Ok(JobStatus::of(&counts))
    }

    /// Commits the job's cancellation, unless the job has ended or is cancelled, and that of up to `max_photos` open
    /// photos. Returns true if the job's event was written, after which the reactor cancels the rest.
    async fn commit(
        &self,
        command: &CancelJob,
        policy: RetryPolicy,
        max_photos: usize,
    ) -> Result<bool, CancelJobError> {
        commit_with_retry(&*self.ports.journal, policy, || async {
            let job = self.ports.aggregates.job(command.job).await?;
            let job = job
                .filter(|job| job.value.owner == command.owner)
                .ok_or(CancelJobError::NoSuchJob)?;
            let mut commit = self.ports.commit(command.metadata.clone());
            let ids = self.ports.ids.as_ref();
            let event = job.value.cancel();
            let reactor_cancels = event.is_ok();
            if let Ok(event) = event {
                record_job(&mut commit, &job, event, ids);
            }
            let photos = self.ports.aggregates.photos_of_job(command.job).await?;
            for photo in photos.iter().filter(|photo| is_open(photo)).take(max_photos) {
                let events = photo.value.decide(PhotoCommand::Cancel).unwrap_or_default();
                record_photo(&mut commit, photo, events, ids, &self.settings);
            }
            Ok(Decided::of(commit, reactor_cancels))
        })
        .await
    }

    async fn cancel_remaining(&self, command: &CancelJob) -> Result<(), CancelJobError> {
        let photos = self.ports.aggregates.photos_of_job(command.job).await?;
        let open: Vec<PhotoId> = photos
            .iter()
            .filter(|photo| is_open(photo))
            .map(|photo| photo.value.id)
            .collect();
        let batch = PhotoBatch {
            ports: &self.ports,
            reads: &*self.photos,
            settings: &self.settings,
            owner: command.owner,
            metadata: &command.metadata,
        };
        Ok(cancel_photos(&batch, &open).await?)
    }
}

fn is_open(photo: &Versioned<Photo>) -> bool {
    !photo.value.status().is_terminal()
}

/// Cancels photos, except those in a final state.
pub(crate) async fn cancel_photos(batch: &PhotoBatch<'_>, photos: &[PhotoId]) -> Result<(), WriteError> {
    let cancel = |photo: &Photo, _| photo.decide(PhotoCommand::Cancel).unwrap_or_default();
    batch.write(photos, cancel).await.map(drop)
}
