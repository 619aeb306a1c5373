use rapidphoto_domain::photo::PhotoStatus;
use rapidphoto_memory::TestApp;

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
