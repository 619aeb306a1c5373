use rapidphoto_application::{
    admin::VerifyStateRows,
    ports::{AggregateState, Aggregates, Journal},
};
use rapidphoto_domain::{StreamId, photo::PhotoCommand};
use rapidphoto_memory::TestApp;

use crate::support::photo_commit;

#[tokio::test]
async fn the_rows_that_use_cases_write_match_their_events() {
    let app = TestApp::new();
    let declared = app.declare(450).await;
    for declared in &declared[..30] {
        app.put(declared);
    }
    app.deliver_storage_events().await;
    app.execute_due().await;
    app.completion().catch_up().await.unwrap();
    let report = VerifyStateRows::new(&app.ports.database).handle().await.unwrap();
    assert!(report.is_clean());
    assert_eq!(report.streams, 451);
}

#[tokio::test]
async fn a_row_that_does_not_match_its_events_is_found() {
    let app = TestApp::new();
    let declared = app.declare_one().await;
    let before = Aggregates::photo(&app.store, declared.photo)
        .await
        .unwrap()
        .unwrap();
    let mut commit = photo_commit(&app, &before, PhotoCommand::StartUpload);
    // The state before the event instead of the state after it.
    commit.changes[0].state = AggregateState::Photo(Box::new(before.value));
    app.store.commit(commit).await.unwrap();
    let report = VerifyStateRows::new(&app.ports.database).handle().await.unwrap();
    assert_eq!(report.mismatches.len(), 1);
    assert_eq!(report.mismatches[0].stream, StreamId::Photo(declared.photo));
    assert!(report.mismatches[0].to_string().contains("not the fold"));
}

#[tokio::test]
async fn concurrent_commits_are_no_mismatches() {
    for seed in 0..10 {
        let app = TestApp::seeded(seed);
        app.store.faults().yield_randomly(seed);
        let declared = app.declare(20).await;
        for declared in &declared {
            app.put(declared);
        }
        app.deliver_storage_events().await;
        let (_, (), ()) = tokio::join!(app.execute_due(), app.assert_rows_match_events(), async {
            app.declare(5).await;
        });
        app.assert_rows_match_events().await;
    }
}
