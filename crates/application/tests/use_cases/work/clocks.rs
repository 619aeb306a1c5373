//! A process whose clock differs from the database's clock.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use rapidphoto_application::{
    auth::{RefreshError, TicketError},
    ports::{Clock, InspectError, ObjectStore},
    work::WorkRunner,
};
use rapidphoto_domain::{PhotoId, Timestamp, photo::PhotoStatus};
use rapidphoto_memory::{TestApp, fixtures::BODY};

use crate::support::accounts::{EMAIL, log_in, register};

const MOMENT: Duration = Duration::from_millis(1);

struct SkewedClock {
    inner: Arc<dyn Clock>,
    skew: TimeDelta,
}

impl Clock for SkewedClock {
    fn now(&self) -> Timestamp {
        self.inner.now() + self.skew
    }
}

/// Applications on one database whose clocks are an hour ahead of and behind the database's clock.
fn skewed_apps() -> [TestApp; 2] {
    let app = TestApp::new();
    [1, -1].map(|hours| {
        let mut skewed = app.clone();
        skewed.ports.clock = Arc::new(SkewedClock {
            inner: app.clock.clone(),
            skew: TimeDelta::hours(hours),
        });
        let runner = WorkRunner::new(&skewed.ports, &app.settings, app.signals.clone());
        skewed.runner = Arc::new(runner);
        skewed
    })
}

/// Stores a photo's original, but not through its URL, whose validity the storage judges by its own clock.
async fn put_original(app: &TestApp, photo: PhotoId) {
    let key = app.original_key(photo);
    ObjectStore::put(&*app.objects, &key, BODY.into(), "image/jpeg")
        .await
        .unwrap();
}

#[tokio::test]
async fn a_photo_is_completed_at_once_whatever_the_clock_says() {
    for app in skewed_apps() {
        let declared = app.declare_one().await;
        put_original(&app, declared.photo).await;
        app.finalize(declared.photo).await;
        app.execute_due().await;
        assert_eq!(app.status(declared.photo).await, PhotoStatus::Completed);
    }
}

#[tokio::test]
async fn looks_and_retries_follow_the_databases_clock() {
    for app in skewed_apps() {
        let declared = app.declare_one().await;
        put_original(&app, declared.photo).await;
        // The storage event is lost; the first look is due soon after the URL has expired.
        let broken = InspectError::Failed("requested by a test".to_owned());
        app.inspector.answer(Err(broken));
        assert_eq!(app.execute_due().await, 0);
        app.execute_for(app.settings.uploads.url_lifetime + Duration::from_mins(2))
            .await;
        assert_eq!(app.status(declared.photo).await, PhotoStatus::Completed);
    }
}

#[tokio::test]
async fn tickets_and_sessions_expire_by_the_databases_clock() {
    let [ahead, behind] = skewed_apps();
    let owner = register(&ahead, EMAIL).await;
    for (one, other) in [(&ahead, &behind), (&behind, &ahead)] {
        let (one, other) = (one.use_cases(), other.use_cases());
        let session = ahead.open_session(owner).await;
        let auth = ahead.settings.auth;
        for (delay, valid) in [
            (auth.ticket_first_use.saturating_sub(MOMENT), true),
            (auth.ticket_first_use, false),
        ] {
            let issued = one.stream_tickets.issue(owner, session, None).await.unwrap();
            ahead.clock.advance(delay);
            let redeemed = other.stream_tickets.redeem(&issued.ticket, None).await;
            match redeemed {
                Ok(_) => assert!(valid, "after {delay:?}"),
                Err(error) => assert!(
                    !valid && matches!(error, TicketError::Rejected),
                    "after {delay:?}: {error}"
                ),
            }
        }
        for (delay, valid) in [
            (auth.refresh_lifetime.saturating_sub(MOMENT), true),
            (auth.refresh_lifetime, false),
        ] {
            let tokens = log_in(&one, EMAIL).await;
            ahead.clock.advance(delay);
            match other.refresh.handle(&tokens.refresh_token).await {
                Ok(_) => assert!(valid, "after {delay:?}"),
                Err(error) => assert!(
                    !valid && matches!(error, RefreshError::Rejected),
                    "after {delay:?}: {error}"
                ),
            }
        }
    }
}
