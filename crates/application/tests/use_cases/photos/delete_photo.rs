use rapidphoto_application::ports::{WorkKind, WorkQueue};
use rapidphoto_domain::photo::PhotoStatus;
use rapidphoto_memory::{TestApp, fixtures::DAY};

use crate::support::photo_with_due_work;

#[tokio::test]
async fn a_photo_that_is_cancelled_at_any_moment_of_its_processing_leaves_no_objects() {
    // Number of cancellations during and of deletions after the processing.
    let mut counts = [0, 0];
    for yields in 0..60 {
        let app = TestApp::new();
        let declared = photo_with_due_work(&app).await;
        let cancel = async {
            for _ in 0..yields {
                tokio::task::yield_now().await;
            }
            app.delete(declared.photo).await;
        };
        let (_, ()) = tokio::join!(app.execute_due(), cancel);
        app.execute_for(DAY * 2).await;
        let photo = app.photo(declared.photo).await;
        assert!(photo.deleted || photo.status() == PhotoStatus::Cancelled);
        counts[usize::from(photo.deleted)] += 1;
        assert!(
            app.objects.keys().is_empty(),
            "{yields}: {:?}",
            app.objects.keys()
        );
        assert_eq!(app.store.next_due(&WorkKind::ALL).await.unwrap(), None);
        app.assert_rows_match_events().await;
    }
    assert!(
        counts[0] > 5 && counts[1] > 5,
        "both orders must occur: {counts:?}"
    );
}
