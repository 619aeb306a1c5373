use std::sync::Arc;

use futures::future::join_all;
use rapidphoto_application::ports::WorkKind;
use rapidphoto_domain::photo::PhotoEvent;
use rapidphoto_memory::TestApp;

use crate::support::count;

#[tokio::test]
async fn concurrent_finalize_requests_and_storage_events_have_one_result() {
    for seed in 0..20 {
        let app = Arc::new(TestApp::seeded(seed));
        app.store.faults().yield_randomly(seed);
        let declared = app.declare_one().await;
        app.put(&declared);
        let event = app.objects.take_announcements().remove(0);
        let reports = (0..50).map(|number| {
            let (app, event, photo) = (Arc::clone(&app), event.clone(), declared.photo);
            async move {
                if number % 2 == 0 {
                    app.finalize(photo).await;
                } else {
                    app.receive(event).await.unwrap();
                }
            }
        });
        let worker = async {
            for _ in 0..20 {
                app.execute_due().await;
                tokio::task::yield_now().await;
            }
        };
        tokio::join!(join_all(reports), worker);
        app.execute_due().await;
        let events = app.photo_events(declared.photo).await;
        assert_eq!(
            count(&events, |event| matches!(
                event,
                PhotoEvent::PhotoUploadCompleted {}
            )),
            1
        );
        let is_result = |event: &PhotoEvent| matches!(event, PhotoEvent::PhotoProcessingCompleted { .. });
        assert_eq!(count(&events, is_result), 1);
        assert_eq!(app.next_due(&WorkKind::ALL).await, None);
        app.assert_rows_match_events().await;
    }
}
