//! Storage errors that concern the objects of one photo only, or one kind of request.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use rapidphoto_application::ports::{GetError, ObjectBody, ObjectHead, ObjectStore, Unavailable, WorkKind};
use rapidphoto_domain::{
    PhotoId,
    photo::{FailureReason, PhotoState, PhotoStatus},
    values::ETag,
};
use rapidphoto_memory::{
    Operation, TestApp,
    fixtures::{DAY, HOUR},
};

/// Object store that answers every request for one photo's objects, or every request with one method, with an error.
struct OneBroken {
    inner: Arc<dyn ObjectStore>,
    broken: Mutex<Option<PhotoId>>,
    refused: Mutex<Option<&'static str>>,
}

impl OneBroken {
    fn call(&self, method: &str, key: &str) -> Result<(), Unavailable> {
        if *self.refused.lock().unwrap() == Some(method) {
            return Err(Unavailable::storage(format!("500 for {method}")));
        }
        match *self.broken.lock().unwrap() {
            Some(photo) if key.contains(&photo.to_string()) => {
                Err(Unavailable::storage("500 for this object"))
            }
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl ObjectStore for OneBroken {
    async fn head(&self, key: &str) -> Result<Option<ObjectHead>, Unavailable> {
        self.call("HEAD", key)?;
        self.inner.head(key).await
    }

    async fn get(&self, key: &str, if_match: &ETag) -> Result<ObjectBody, GetError> {
        self.call("GET", key)?;
        self.inner.get(key, if_match).await
    }

    async fn put(&self, key: &str, body: Bytes, content_type: &str) -> Result<ETag, Unavailable> {
        self.call("PUT", key)?;
        self.inner.put(key, body, content_type).await
    }

    async fn delete(&self, key: &str) -> Result<(), Unavailable> {
        self.call("DELETE", key)?;
        self.inner.delete(key).await
    }

    async fn check(&self) -> Result<(), Unavailable> {
        self.inner.check().await
    }
}

fn app_with_one_broken() -> (TestApp, Arc<OneBroken>) {
    let mut broken = None;
    let app = TestApp::with(|_, ports| {
        let store = Arc::new(OneBroken {
            inner: Arc::clone(&ports.objects),
            broken: Mutex::default(),
            refused: Mutex::default(),
        });
        ports.objects = store.clone();
        broken = Some(store);
    });
    (app, broken.unwrap())
}

#[tokio::test]
async fn a_photo_whose_object_alone_fails_ends_while_others_are_processed() {
    let (app, store) = app_with_one_broken();
    let broken = app.declare_one().await;
    app.put(&broken);
    *store.broken.lock().unwrap() = Some(broken.photo);
    app.deliver_storage_events().await;
    for _ in 0..20 {
        app.execute_for(Duration::from_mins(1)).await;
        let other = app.upload_one().await;
        assert_eq!(
            app.status(other.photo).await,
            PhotoStatus::Completed,
            "others go on"
        );
    }
    let reason = FailureReason::ProcessingError;
    assert_eq!(app.photo(broken.photo).await.state, PhotoState::Failed { reason });
}

#[tokio::test]
async fn an_outage_of_one_method_fails_no_photo_while_the_others_answer() {
    for method in ["PUT", "GET"] {
        let (app, store) = app_with_one_broken();
        let declared = app.declare(8).await;
        *store.refused.lock().unwrap() = Some(method);
        app.upload(&declared).await;
        // HEAD answers for each of them and for later photos.
        for _ in 0..12 {
            app.execute_for(HOUR / 2).await;
            app.upload_one().await;
        }
        for declared in &declared {
            assert_eq!(
                app.status(declared.photo).await,
                PhotoStatus::Processing,
                "{method}"
            );
        }
        *store.refused.lock().unwrap() = None;
        app.execute_for(HOUR).await;
        for declared in &declared {
            assert_eq!(
                app.status(declared.photo).await,
                PhotoStatus::Completed,
                "{method}"
            );
        }
    }
}

#[tokio::test]
async fn a_photo_whose_object_alone_fails_ends_on_an_idle_system() {
    let (app, store) = app_with_one_broken();
    let broken = app.declare_one().await;
    app.put(&broken);
    *store.broken.lock().unwrap() = Some(broken.photo);
    app.deliver_storage_events().await;
    app.execute_for(HOUR).await;
    assert_eq!(app.status(broken.photo).await, PhotoStatus::Verifying);
    // Nothing else is requested, so that an attempt is counted once in an hour.
    app.execute_for(HOUR * 5).await;
    let reason = FailureReason::ProcessingError;
    assert_eq!(app.photo(broken.photo).await.state, PhotoState::Failed { reason });
}

#[tokio::test]
async fn an_upload_whose_object_can_not_be_looked_for_expires() {
    let (app, store) = app_with_one_broken();
    let broken = app.declare_one().await;
    *store.broken.lock().unwrap() = Some(broken.photo);
    for _ in 0..72 {
        app.execute_for(HOUR).await;
        app.upload_one().await;
    }
    let reason = FailureReason::UploadExpired;
    assert_eq!(app.photo(broken.photo).await.state, PhotoState::Failed { reason });
    assert_eq!(app.next_due(&[WorkKind::Look]).await, None, "the looks end");
}

#[tokio::test]
async fn an_outage_of_all_storage_fails_no_photo_however_long_it_lasts() {
    let (app, store) = app_with_one_broken();
    let declared = app.declare_one().await;
    app.put(&declared);
    *store.broken.lock().unwrap() = Some(declared.photo);
    app.objects.faults().fail_next(Operation::Bucket, u32::MAX);
    app.deliver_storage_events().await;
    app.execute_for(DAY).await;
    assert_eq!(app.status(declared.photo).await, PhotoStatus::Verifying);
    *store.broken.lock().unwrap() = None;
    app.execute_for(HOUR).await;
    assert_eq!(app.status(declared.photo).await, PhotoStatus::Completed);
}
