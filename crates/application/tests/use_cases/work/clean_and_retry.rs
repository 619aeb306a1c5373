//! Retries beside the deletion of a failed photo's objects: the object of a retried photo is never deleted.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt as _};
use rapidphoto_application::{
    ports::{
        Aggregates as _, CommitError, GetError, InspectError, ObjectBody, ObjectHead, ObjectStore,
        Unavailable,
    },
    work::WorkRunner,
};
use rapidphoto_domain::{
    photo::{Cleaning, PhotoCommand, PhotoState, PhotoStatus},
    values::ETag,
};
use rapidphoto_memory::{
    DeclaredPhoto, TestApp,
    fixtures::{BODY, DAY},
};

use crate::support::{photo_commit, recording_journal::RecordingJournal};

type Action = BoxFuture<'static, ()>;

/// Object store that executes an action while an object is being deleted.
struct SlowDeletion {
    objects: Arc<dyn ObjectStore>,
    action: Arc<Mutex<Option<Action>>>,
}

#[async_trait]
impl ObjectStore for SlowDeletion {
    async fn head(&self, key: &str) -> Result<Option<ObjectHead>, Unavailable> {
        self.objects.head(key).await
    }

    async fn get(&self, key: &str, if_match: &ETag) -> Result<ObjectBody, GetError> {
        self.objects.get(key, if_match).await
    }

    async fn put(&self, key: &str, body: Bytes, content_type: &str) -> Result<ETag, Unavailable> {
        self.objects.put(key, body, content_type).await
    }

    async fn delete(&self, key: &str) -> Result<(), Unavailable> {
        let action = self.action.lock().unwrap().take();
        if let Some(action) = action {
            action.await;
        }
        self.objects.delete(key).await
    }

    async fn check(&self) -> Result<(), Unavailable> {
        self.objects.check().await
    }
}

/// A photo whose processing has failed.
async fn failed_photo(app: &TestApp) -> DeclaredPhoto {
    let declared = app.declare_one().await;
    for _ in 0..3 {
        app.inspector
            .answer(Err(InspectError::Failed("requested by a test".to_owned())));
    }
    assert_eq!(app.put(&declared).status, 200);
    app.deliver_storage_events().await;
    app.execute_for(Duration::from_mins(1)).await;
    assert_eq!(app.status(declared.photo).await, PhotoStatus::Failed);
    declared
}

/// Retries the photo, unless its state does not allow it. Returns true if it was retried.
async fn retry(app: &TestApp, declared: &DeclaredPhoto) -> bool {
    let before = app.store.photo(declared.photo).await.unwrap().unwrap();
    let command = PhotoCommand::Retry {
        window: before.value.window,
    };
    if before.value.decide(command.clone()).is_err() {
        return false;
    }
    let journal = &app.ports.database.journal;
    match journal.commit(photo_commit(app, &before, command)).await {
        Ok(_) => true,
        Err(CommitError::Conflict(_)) => false,
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn a_photo_is_not_retried_while_its_objects_are_being_deleted() {
    let action: Arc<Mutex<Option<Action>>> = Arc::default();
    let app = TestApp::with(|_, ports| {
        ports.objects = Arc::new(SlowDeletion {
            objects: Arc::clone(&ports.objects),
            action: Arc::clone(&action),
        });
    });
    let declared = failed_photo(&app).await;
    let (other, photo) = (app.clone(), declared.clone());
    let during = async move {
        assert_eq!(other.photo(photo.photo).await.cleaning, Cleaning::Started);
        assert!(!retry(&other, &photo).await, "the deletion is under way");
    };
    *action.lock().unwrap() = Some(during.boxed());
    app.execute_for(DAY * 30).await;
    assert!(action.lock().unwrap().is_none(), "the objects were deleted");
    assert_eq!(app.photo(declared.photo).await.cleaning, Cleaning::Done);
    assert!(app.objects.keys().is_empty());

    // From now on a retry needs a new upload, which no deletion takes.
    assert!(retry(&app, &declared).await);
    assert_eq!(app.photo(declared.photo).await.state, PhotoState::Queued);
    let key = app.original_key(declared.photo);
    ObjectStore::put(&*app.objects, &key, BODY.into(), "image/jpeg")
        .await
        .unwrap();
    app.finalize(declared.photo).await;
    app.execute_for(DAY).await;
    assert_eq!(app.status(declared.photo).await, PhotoStatus::Completed);
    assert_eq!(app.objects.keys().len(), 3);
    app.assert_rows_match_events().await;
}

#[tokio::test]
async fn a_retry_just_before_the_deletion_keeps_the_original() {
    let mut app = TestApp::new();
    let declared = failed_photo(&app).await;
    let journal = RecordingJournal::around(&mut app);
    let runner = WorkRunner::new(&app.ports, &app.settings, app.signals.clone());
    let (other, photo) = (journal.unrecorded(&app), declared.clone());
    // The cleaning was decided, and its first commit is about to be written.
    journal.before_next(async move {
        assert!(retry(&other, &photo).await);
    });
    app.clock.advance(DAY * 30);
    runner.execute_due().await.unwrap();
    assert!(journal.commits() > 0);
    assert!(app.objects.keys().contains(&app.original_key(declared.photo)));
    app.execute_for(Duration::from_mins(1)).await;
    assert_eq!(app.status(declared.photo).await, PhotoStatus::Completed);
}

#[tokio::test]
async fn a_cleaning_that_was_interrupted_is_finished_by_the_next_worker() {
    let app = TestApp::new();
    let declared = failed_photo(&app).await;
    app.objects
        .faults()
        .fail_next(rapidphoto_memory::Operation::Delete, 1);
    app.clock.advance(DAY * 30);
    app.execute_due().await;
    assert_eq!(app.photo(declared.photo).await.cleaning, Cleaning::Started);
    assert!(!retry(&app, &declared).await);
    app.execute_for(DAY).await;
    assert_eq!(app.photo(declared.photo).await.cleaning, Cleaning::Done);
    assert!(app.objects.keys().is_empty());
    app.assert_rows_match_events().await;
}
