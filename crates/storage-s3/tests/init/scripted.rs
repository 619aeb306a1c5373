//! Stores that lack settings, refuse requests, or answer as moto and Ceph do not.

use std::sync::Arc;

use rapidphoto_storage_s3::{BucketSettings, BucketState, InitError, NotificationTarget, init_storage};

use crate::{
    SystemClock, changes, dry_run, init, settings,
    support::{config, serve},
};

#[tokio::test]
async fn what_a_store_does_not_support_is_left_to_the_operator() {
    let (endpoint, _heads) = serve(|head| {
        if head.starts_with("HEAD ") {
            "HTTP/1.1 200 OK\nContent-Length: 0\n\n".to_owned()
        } else {
            "HTTP/1.1 501 Not Implemented\nContent-Length: 0\n\n".to_owned()
        }
    })
    .await;
    let settings = BucketSettings {
        notifications: Some(NotificationTarget::EventBridge),
        ..settings()
    };
    let steps = init(&config(endpoint), &settings).await;
    assert_eq!(steps[0].state, BucketState::UpToDate);
    assert_eq!(
        steps[1].to_string(),
        "public access block: not supported by this store: set it by hand: block all public access"
    );
    assert!(
        steps[1..]
            .iter()
            .all(|step| matches!(step.state, BucketState::Unsupported(_))),
        "{steps:?}"
    );
}

/// Moto does not tell that events go to EventBridge.
#[tokio::test]
async fn events_go_to_eventbridge_once() {
    for (present, expected) in [("<EventBridgeConfiguration/>", false), ("", true)] {
        let (endpoint, _heads) = serve(move |head| {
            let body = format!("<NotificationConfiguration>{present}</NotificationConfiguration>");
            if head.starts_with("GET ") && head.contains("?notification") {
                format!("HTTP/1.1 200 OK\nContent-Length: {}\n\n{body}", body.len())
            } else if head.starts_with("HEAD ") {
                "HTTP/1.1 200 OK\nContent-Length: 0\n\n".to_owned()
            } else {
                "HTTP/1.1 501 Not Implemented\nContent-Length: 0\n\n".to_owned()
            }
        })
        .await;
        let settings = BucketSettings {
            notifications: Some(NotificationTarget::EventBridge),
            ..settings()
        };
        let steps = dry_run(&config(endpoint), &settings).await;
        assert_eq!(changes(&steps).contains(&"notifications"), expected, "{steps:?}");
    }
}

#[tokio::test]
async fn a_bucket_that_cannot_be_created_is_an_error() {
    let (endpoint, _heads) = serve(|_| "HTTP/1.1 403 Forbidden\nContent-Length: 0\n\n".to_owned()).await;
    let error = init_storage(&config(endpoint), &settings(), Arc::new(SystemClock), false)
        .await
        .unwrap_err();
    assert!(
        matches!(error, InitError::Store { part: "bucket", .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn days_below_the_stores_minimum_are_an_error() {
    let settings = BucketSettings {
        infrequent_access_after_days: Some(29),
        ..settings()
    };
    let error = init_storage(
        &config("http://127.0.0.1:1".to_owned()),
        &settings,
        Arc::new(SystemClock),
        true,
    )
    .await
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        "objects move to infrequent access after 29 days; it must be 30 at least"
    );
}
