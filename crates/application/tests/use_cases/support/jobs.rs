//! Creation of jobs with an idempotency key.

use std::{sync::Arc, time::Duration};

use rapidphoto_application::{
    jobs::{CreateJob, CreateJobHandler, CreatedJob, UploadOptions},
    ports::{EventMetadata, IdempotencyKey},
};
use rapidphoto_domain::PhotoId;
use rapidphoto_memory::{TestApp, fixtures::file};

/// Creates a job, or repeats the request if it was sent before.
pub(crate) async fn create_with_key(app: &TestApp, photos: usize) -> CreatedJob {
    let command = CreateJob {
        owner: app.owner,
        files: (0..photos).map(file).collect(),
        options: UploadOptions::default(),
        idempotency_key: Some(IdempotencyKey::parse("the same request").unwrap()),
        metadata: EventMetadata::default(),
    };
    CreateJobHandler::new(&app.ports, Arc::clone(&app.settings))
        .handle(command)
        .await
        .unwrap()
}

/// Cancels a photo and deletes it.
pub(crate) async fn cancel_and_delete(app: &TestApp, photo: PhotoId) {
    app.delete(photo).await;
    assert!(app.delete(photo).await.deleted);
}

/// Advances the clock until less than half of the lifetime of new URLs is left.
pub(crate) fn age_upload_urls(app: &TestApp) {
    app.clock
        .advance(app.settings.uploads.url_lifetime / 2 + Duration::from_secs(1));
}
