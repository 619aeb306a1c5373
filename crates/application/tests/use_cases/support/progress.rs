//! Progress reports, and the progress that results from them.

use std::{sync::Arc, time::Duration};

use rapidphoto_application::{
    jobs::JobSnapshotHandler,
    ports::EventMetadata,
    uploads::{ReportProgress, ReportProgressHandler, Tick},
};
use rapidphoto_domain::{JobId, PhotoId, UserId, photo::PhotoStatus, values::Progress};
use rapidphoto_memory::{
    DeclaredPhoto, TestApp,
    fixtures::{BODY, DAY, TEST_TIMEOUT},
};
use tokio::time::timeout;

/// Size of each photo.
pub(crate) const BYTES: u64 = BODY.len() as u64;

pub(crate) fn handler(app: &TestApp) -> ReportProgressHandler {
    let board = Arc::clone(&app.board);
    ReportProgressHandler::new(&app.ports, board, &app.settings)
}

/// Reports the same progress of several photos. Returns the number of accepted reports.
pub(crate) async fn report_as(
    app: &TestApp,
    owner: UserId,
    photos: &[DeclaredPhoto],
    bytes_sent: u64,
) -> usize {
    let tick = |declared: &DeclaredPhoto| Tick {
        photo: declared.photo,
        bytes_sent,
    };
    let command = ReportProgress {
        owner,
        ticks: photos.iter().map(tick).collect(),
        metadata: EventMetadata::default(),
    };
    handler(app).handle(command).await.unwrap()
}

/// Reports the same progress of several photos as their owner.
pub(crate) async fn report(app: &TestApp, photos: &[DeclaredPhoto], bytes_sent: u64) -> usize {
    report_as(app, app.owner, photos, bytes_sent).await
}

/// Progress of a photo on the board.
pub(crate) fn reported(app: &TestApp, photo: PhotoId) -> Option<u64> {
    app.board.progress(photo).map(Progress::bytes_sent)
}

/// Uploaded bytes of a job in its snapshot.
pub(crate) async fn job_bytes(app: &TestApp, job: JobId) -> u64 {
    let snapshot = JobSnapshotHandler::new(&app.ports, Arc::clone(&app.board))
        .handle(app.owner, job)
        .await
        .unwrap();
    snapshot.unwrap().total_progress().bytes_sent()
}

/// Cancels a photo during its upload, or lets its upload expire.
pub(crate) async fn end_upload(app: &TestApp, declared: &DeclaredPhoto, expected: PhotoStatus) {
    match expected {
        PhotoStatus::Cancelled => drop(app.delete(declared.photo).await),
        PhotoStatus::Failed => app.execute_for(DAY * 3).await,
        other => panic!("{other:?}"),
    }
    assert_eq!(app.status(declared.photo).await, expected);
}

/// Waits until the board has no progress of a photo.
pub(crate) async fn wait_until_removed(app: &TestApp, photo: PhotoId) {
    let removed = async {
        while app.board.upload(photo).is_some() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(TEST_TIMEOUT, removed).await.expect("in time");
}
