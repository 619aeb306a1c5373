use rapidphoto_domain::{
    JobId, PhotoId, UserId,
    job::{JobCounts, JobStatus},
    photo::PhotoCommand,
};

use crate::{
    commit::{Contended, Decided, RetryPolicy, WriteError, commit_with_retry},
    decision::{record_job, record_photo},
    ports::{CommitError, EventMetadata, Ports, Unavailable, WritePorts},
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

/// Cancels jobs: commits the job's own event first and then each photo by itself, as a worker may be processing it. If
/// the process crashes in between, the job-completion reactor cancels the remaining photos.
pub struct CancelJobHandler {
    ports: WritePorts,
    settings: WorkSettings,
}

const JOB_RETRY: RetryPolicy = RetryPolicy::on_conflict("the job", 16);
const PHOTO_RETRY: RetryPolicy = RetryPolicy::on_conflict("the photo", 16);

impl CancelJobHandler {
    /// A handler on these ports.
    pub fn new(ports: &Ports, settings: WorkSettings) -> Self {
        Self {
            ports: ports.write_ports(),
            settings,
        }
    }

    /// Cancels all photos that are not in a final state and returns the job's status afterwards. A job that has ended
    /// is left as it is.
    pub async fn handle(&self, command: CancelJob) -> Result<JobStatus, CancelJobError> {
        self.cancel_job(&command).await?;
        for photo in self.ports.aggregates.photos_of_job(command.job).await? {
            if !photo.value.status().is_terminal() {
                cancel_photo(&self.ports, &self.settings, photo.value.id, &command.metadata).await?;
            }
        }
        let photos = self.ports.aggregates.photos_of_job(command.job).await?;
        let counts = JobCounts::of(photos.iter().map(|photo| photo.value.status()));
        Ok(JobStatus::of(&counts))
    }

    /// Commits the job's cancellation, unless the job has ended.
    async fn cancel_job(&self, command: &CancelJob) -> Result<(), CancelJobError> {
        commit_with_retry(&*self.ports.journal, JOB_RETRY, || async {
            let job = self.ports.aggregates.job(command.job).await?;
            let job = job
                .filter(|job| job.value.owner == command.owner)
                .ok_or(CancelJobError::NoSuchJob)?;
            let mut commit = self.ports.commit(command.metadata.clone());
            if let Ok(event) = job.value.cancel() {
                record_job(&mut commit, &job, event, self.ports.ids.as_ref());
            }
            Ok(Decided::of(commit, ()))
        })
        .await
    }
}

/// Cancels one photo unless it is in a final state.
pub(crate) async fn cancel_photo(
    ports: &WritePorts,
    settings: &WorkSettings,
    photo: PhotoId,
    metadata: &EventMetadata,
) -> Result<(), WriteError> {
    commit_with_retry(&*ports.journal, PHOTO_RETRY, || async {
        let Some(current) = ports.aggregates.photo(photo).await? else {
            return Ok(Decided::Nothing(()));
        };
        let events = current.value.decide(PhotoCommand::Cancel).unwrap_or_default();
        let mut commit = ports.commit(metadata.clone());
        record_photo(&mut commit, &current, events, ports.ids.as_ref(), settings);
        Ok(Decided::of(commit, ()))
    })
    .await
}
