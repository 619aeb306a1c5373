use std::sync::Arc;

use rapidphoto_domain::{UserId, values::Progress};

use crate::{
    ports::{JobListQuery, JobPosition, JobReads, JobSummary, Ports, Unavailable},
    progress::ProgressBoard,
};

/// Job of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedJob {
    /// The job.
    pub job: JobSummary,
    /// Upload progress of the whole job.
    pub progress: Progress,
}

/// Lists jobs in pages.
#[derive(Clone)]
pub struct ListJobsHandler {
    jobs: Arc<dyn JobReads>,
    board: Arc<ProgressBoard>,
}

impl ListJobsHandler {
    /// Creates a handler.
    pub fn new(ports: &Ports, board: Arc<ProgressBoard>) -> Self {
        Self {
            jobs: Arc::clone(&ports.database.jobs),
            board,
        }
    }

    /// Returns a page of a user's jobs, newest first, and the position after which the next page starts.
    pub async fn handle(
        &self,
        owner: UserId,
        query: &JobListQuery,
    ) -> Result<(Vec<ListedJob>, Option<JobPosition>), Unavailable> {
        let page = self.jobs.jobs(owner, query).await?;
        let listed = page.items.into_iter().map(|job| {
            let awaited = job.awaited.iter().filter_map(|photo| self.board.progress(*photo));
            let sent = awaited
                .map(Progress::bytes_sent)
                .fold(job.arrived_bytes, u64::saturating_add);
            ListedJob {
                progress: Progress::new(sent, job.bytes),
                job,
            }
        });
        Ok((listed.collect(), page.next))
    }
}
