use std::sync::Arc;

use rapidphoto_application::{
    jobs::{CancelJob, CancelJobError, CancelJobHandler},
    ports::EventMetadata,
};
use rapidphoto_domain::photo::PhotoStatus;
use rapidphoto_memory::{ConflictingJournal, TestApp};

#[tokio::test]
async fn a_cancellation_that_is_not_stored_is_an_error() {
    let mut app = TestApp::new();
    let declared = app.declare(2).await;
    app.ports.database.journal = Arc::new(ConflictingJournal(Arc::clone(&app.ports.database.journal)));
    let handler = CancelJobHandler::new(&app.ports, app.settings.work);
    let command = CancelJob {
        owner: app.owner,
        job: declared[0].job,
        metadata: EventMetadata::default(),
    };
    let result = handler.handle(command).await;
    assert!(matches!(result, Err(CancelJobError::Contended(_))), "{result:?}");
    for declared in &declared {
        assert_eq!(app.status(declared.photo).await, PhotoStatus::Queued);
    }
}
