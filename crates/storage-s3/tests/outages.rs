//! Stores that fail for a while, or never respond.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "clippy.toml allows them in tests, and does not see that this file holds nothing else"
)]

mod support;

use std::time::Duration;

use bytes::Bytes;
use rapidphoto_application::ports::ObjectStore;
use rapidphoto_domain::values::ETag;
use rapidphoto_storage_s3::{S3Config, S3Timeouts};
use support::{config, serve, store};
use tokio::net::TcpListener;

const BUSY: &str = "HTTP/1.1 503 Slow Down\nContent-Type: application/xml\nContent-Length: 65\n\n\
                    <Error><Code>SlowDown</Code><Message>not so fast</Message></Error>";

/// Server that is busy for this number of requests.
async fn busy_for(requests: usize) -> (String, tokio::sync::mpsc::UnboundedReceiver<String>) {
    let mut left = requests;
    serve(move |_| {
        if left > 0 {
            left -= 1;
            BUSY.to_owned()
        } else {
            "HTTP/1.1 200 OK\nETag: \"abc\"\nContent-Length: 0\n\n".to_owned()
        }
    })
    .await
}

fn count(mut heads: tokio::sync::mpsc::UnboundedReceiver<String>) -> usize {
    std::iter::from_fn(|| heads.try_recv().ok()).count()
}

#[tokio::test]
async fn a_request_is_repeated_until_the_store_recovers() {
    let (endpoint, heads) = busy_for(2).await;
    let store = store(&S3Config {
        max_attempts: 3,
        ..config(endpoint)
    });
    let stored = store.put("a", Bytes::new(), "image/jpeg").await.unwrap();
    assert_eq!(stored, ETag::parse("abc").unwrap());
    assert_eq!(count(heads), 3);
}

#[tokio::test]
async fn a_store_that_stays_busy_is_unavailable() {
    let (endpoint, heads) = busy_for(usize::MAX).await;
    let store = store(&S3Config {
        max_attempts: 3,
        ..config(endpoint)
    });
    let error = store.head("a").await.unwrap_err();
    assert_eq!(error.what, "object storage");
    assert_eq!(count(heads), 3);
}

/// Each time-out alone ends the wait for a server that accepts connections and never responds.
#[tokio::test]
async fn a_store_that_never_responds_times_out() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (short, long) = (Duration::from_millis(500), Duration::from_hours(1));
    let none = S3Timeouts {
        connect: long,
        read: long,
        attempt: long,
        operation: long,
        stall: long,
    };
    for timeouts in [
        S3Timeouts { read: short, ..none },
        S3Timeouts {
            attempt: short,
            ..none
        },
        S3Timeouts {
            operation: short,
            ..none
        },
    ] {
        let silent = store(&S3Config {
            timeouts,
            ..config(endpoint.clone())
        });
        let result = tokio::time::timeout(Duration::from_mins(1), silent.head("a")).await;
        let error = result.expect("the store's time-out comes first").unwrap_err();
        assert_eq!(error.what, "object storage", "{timeouts:?}");
    }
}
