//! A process whose clock differs from the database's clock.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use rapidphoto_application::ports::{Clock, ObjectStore};
use rapidphoto_domain::{Timestamp, photo::PhotoStatus};
use rapidphoto_memory::{TestApp, fixtures::BODY};

struct SkewedClock {
    inner: Arc<dyn Clock>,
    skew: TimeDelta,
}

impl Clock for SkewedClock {
    fn now(&self) -> Timestamp {
        self.inner.now() + self.skew
    }
}

/// The application's clock is an hour ahead of or behind the database's clock.
fn skewed_apps() -> [TestApp; 2] {
    [1, -1].map(|hours| {
        TestApp::with(|_, ports| {
            ports.clock = Arc::new(SkewedClock {
                inner: Arc::clone(&ports.clock),
                skew: TimeDelta::hours(hours),
            });
        })
    })
}

#[tokio::test]
async fn a_photo_is_completed_at_once_whatever_the_clock_says() {
    for app in skewed_apps() {
        let declared = app.declare_one().await;
        // Not through the URL, whose validity the storage judges by its own clock.
        let key = app.original_key(declared.photo);
        ObjectStore::put(&*app.objects, &key, BODY.into(), "image/jpeg")
            .await
            .unwrap();
        app.finalize(declared.photo).await;
        app.execute_due().await;
        assert_eq!(app.status(declared.photo).await, PhotoStatus::Completed);
    }
}

#[tokio::test]
async fn looks_and_retries_follow_the_databases_clock() {
    for app in skewed_apps() {
        let declared = app.declare_one().await;
        let key = app.original_key(declared.photo);
        ObjectStore::put(&*app.objects, &key, BODY.into(), "image/jpeg")
            .await
            .unwrap();
        // The storage event is lost; the first look is due soon after the URL has expired.
        let broken = rapidphoto_application::ports::InspectError::Failed("requested by a test".to_owned());
        app.inspector.answer(Err(broken));
        assert_eq!(app.execute_due().await, 0);
        app.execute_for(app.settings.uploads.url_lifetime + Duration::from_mins(2))
            .await;
        assert_eq!(app.status(declared.photo).await, PhotoStatus::Completed);
    }
}
