use std::sync::Arc;

use async_trait::async_trait;
use rapidphoto_application::{
    jobs::JobSnapshotHandler,
    ports::{JobListPage, JobListQuery, JobReads, JobView, LastChange, Unavailable},
};
use rapidphoto_domain::{JobId, UserId, photo::PhotoStatus};
use rapidphoto_memory::{TestApp, fixtures::OTHER_USER};

use crate::support::progress::{end_upload, job_bytes, report};

#[tokio::test]
async fn the_progress_of_a_failed_or_cancelled_upload_does_not_change() {
    for status in [PhotoStatus::Cancelled, PhotoStatus::Failed] {
        // Without a live tail the board still has the progress of the photo.
        let app = TestApp::new();
        let declared = app.declare_one().await;
        report(&app, std::slice::from_ref(&declared), 5).await;
        end_upload(&app, &declared, status).await;
        let before = job_bytes(&app, declared.job).await;
        report(&app, std::slice::from_ref(&declared), 15).await;
        assert_eq!(job_bytes(&app, declared.job).await, before, "{status:?}");
        app.board.remove(declared.photo);
        assert_eq!(job_bytes(&app, declared.job).await, before, "{status:?}");
    }
}

/// Reads of jobs beside a commit that began earlier and is still open.
struct UnsettledReads(Arc<dyn JobReads>);

#[async_trait]
impl JobReads for UnsettledReads {
    async fn job(&self, owner: UserId, job: JobId) -> Result<Option<JobView>, Unavailable> {
        let view = self.0.job(owner, job).await?;
        Ok(view.map(|view| JobView {
            last_change: LastChange {
                settled: false,
                ..view.last_change
            },
            ..view
        }))
    }

    async fn jobs(&self, owner: UserId, query: &JobListQuery) -> Result<JobListPage, Unavailable> {
        self.0.jobs(owner, query).await
    }

    async fn last_change(&self, owner: UserId, job: JobId) -> Result<Option<LastChange>, Unavailable> {
        let last = self.0.last_change(owner, job).await?;
        Ok(last.map(|last| LastChange {
            settled: false,
            ..last
        }))
    }
}

#[tokio::test]
async fn a_job_that_an_open_commit_may_change_has_no_version() {
    let mut app = TestApp::new();
    let job = app.declare_one().await.job;
    let settled = JobSnapshotHandler::new(&app.ports, Arc::clone(&app.board));
    let version = settled.version(app.owner, job).await.unwrap();
    assert!(version.is_some());
    let snapshot = settled.handle(app.owner, job).await.unwrap().unwrap();
    assert_eq!(snapshot.version, version);
    assert_eq!(settled.version(OTHER_USER, job).await.unwrap(), None);
    app.ports.database.jobs = Arc::new(UnsettledReads(Arc::clone(&app.ports.database.jobs)));
    let unsettled = JobSnapshotHandler::new(&app.ports, Arc::clone(&app.board));
    assert_eq!(unsettled.version(app.owner, job).await.unwrap(), None);
    let snapshot = unsettled.handle(app.owner, job).await.unwrap().unwrap();
    assert_eq!(snapshot.version, None);
}
