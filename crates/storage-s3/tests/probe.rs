//! Conditional writes: probed, configured, and required in upload URLs. Encryption of all writes.

#![allow(
    clippy::unwrap_used,
    reason = "clippy.toml allows them in tests, and does not see that this file holds nothing else"
)]

mod support;

use std::time::Duration;

use bytes::Bytes;
use rapidphoto_application::ports::{ObjectStore, Presigner, PutGrant};
use rapidphoto_domain::values::MimeType;
use rapidphoto_storage_s3::{ConditionalWrites, Encryption, S3Config, S3Store};
use support::{config, serve, store};
use tokio::sync::mpsc::UnboundedReceiver;

const STORED: &str = "HTTP/1.1 200 OK\nETag: \"abc\"\nContent-Length: 0\n\n";
const REFUSED: &str = "HTTP/1.1 412 Precondition Failed\nContent-Length: 0\n\n";
const CONFLICT: &str = "HTTP/1.1 409 Conflict\nContent-Length: 0\n\n";
const UNKNOWN: &str = "HTTP/1.1 501 Not Implemented\nContent-Length: 0\n\n";
const DENIED: &str = "HTTP/1.1 403 Forbidden\nContent-Length: 0\n\n";

/// Store that sends these responses, the last one again and again.
async fn store_sending(
    responses: &'static [&'static str],
    conditional_writes: ConditionalWrites,
) -> (S3Store, UnboundedReceiver<String>) {
    let mut rest = responses;
    let (endpoint, heads) = serve(move |_| {
        let (first, others) = rest.split_first().unwrap();
        if !others.is_empty() {
            rest = others;
        }
        (*first).to_owned()
    })
    .await;
    let config = S3Config {
        conditional_writes,
        ..config(endpoint)
    };
    (store(&config), heads)
}

async fn requires_condition(store: &S3Store) -> bool {
    let grant = PutGrant {
        key: "a".to_owned(),
        mime_type: MimeType::Jpeg,
        bytes: 1,
        checksum: None,
        valid_for: Duration::from_mins(1),
    };
    let signed = Presigner::put(store, &grant).await.unwrap();
    let listed = signed
        .headers
        .contains(&("if-none-match".to_owned(), "*".to_owned()));
    assert_eq!(listed, signed.url.contains("if-none-match"), "{signed:?}");
    listed
}

#[tokio::test]
async fn a_refused_second_write_proves_that_conditions_are_honoured() {
    let proofs: [&[&str]; 4] = [
        &[STORED, REFUSED],
        &[STORED, CONFLICT],
        // The object is there since an earlier probe.
        &[REFUSED],
        &[CONFLICT],
    ];
    for responses in proofs {
        let (store, mut heads) = store_sending(responses, ConditionalWrites::Auto).await;
        assert!(store.probe("dev/probe").await.unwrap());
        assert!(requires_condition(&store).await);
        for _ in responses {
            let head = heads.try_recv().unwrap();
            assert!(head.starts_with("PUT /photos/dev/probe"), "{head}");
            assert!(head.contains("if-none-match: *"), "{head}");
        }
        assert!(store.probe("dev/probe").await.unwrap(), "the result is kept");
        assert!(heads.try_recv().is_err(), "nothing is sent again or deleted");
    }
}

#[tokio::test]
async fn a_store_that_ignores_conditions_gets_none() {
    let ignoring: [&[&str]; 3] = [&[STORED], &[UNKNOWN], &[STORED, UNKNOWN]];
    for responses in ignoring {
        let (store, _heads) = store_sending(responses, ConditionalWrites::Auto).await;
        assert!(requires_condition(&store).await, "before the probe");
        assert!(!store.probe("dev/probe").await.unwrap());
        assert!(!requires_condition(&store).await);
    }
}

#[tokio::test]
async fn a_failed_probe_changes_nothing_and_is_repeated() {
    let (store, _heads) = store_sending(&[DENIED, STORED, STORED], ConditionalWrites::Auto).await;
    store.probe("dev/probe").await.unwrap_err();
    assert!(requires_condition(&store).await);
    assert!(!store.probe("dev/probe").await.unwrap());
}

#[tokio::test]
async fn a_configured_condition_is_not_probed() {
    for (configured, required) in [(ConditionalWrites::On, true), (ConditionalWrites::Off, false)] {
        let (store, mut heads) = store_sending(&[STORED], configured).await;
        assert_eq!(store.probe("dev/probe").await.unwrap(), required);
        assert_eq!(requires_condition(&store).await, required);
        assert!(heads.try_recv().is_err());
    }
}

#[tokio::test]
async fn every_write_asks_for_the_configured_encryption() {
    let key = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd";
    let (algorithm, kms_key) = (
        "x-amz-server-side-encryption",
        "x-amz-server-side-encryption-aws-kms-key-id",
    );
    for (encryption, expected) in [
        (Encryption::S3, vec![(algorithm, "AES256")]),
        (Encryption::Kms { key: None }, vec![(algorithm, "aws:kms")]),
        (
            Encryption::Kms {
                key: Some(key.to_owned()),
            },
            vec![(algorithm, "aws:kms"), (kms_key, key)],
        ),
    ] {
        let (endpoint, mut heads) = serve(|_| STORED.to_owned()).await;
        let store = store(&S3Config {
            encryption: Some(encryption),
            ..config(endpoint)
        });
        ObjectStore::put(&store, "a", Bytes::new(), "image/jpeg")
            .await
            .unwrap();
        store.probe("b").await.unwrap();
        // The probe writes twice.
        for _ in 0..3 {
            let head = heads.recv().await.unwrap();
            for (name, value) in &expected {
                assert!(head.contains(&format!("{name}: {value}\r\n")), "{head}");
            }
            assert_eq!(head.contains(kms_key), expected.len() == 2, "{head}");
        }

        let grant = PutGrant {
            key: "a".to_owned(),
            mime_type: MimeType::Jpeg,
            bytes: 1,
            checksum: None,
            valid_for: Duration::from_mins(1),
        };
        let signed = Presigner::put(&store, &grant).await.unwrap();
        for (name, value) in &expected {
            assert!(
                signed
                    .headers
                    .contains(&((*name).to_owned(), (*value).to_owned())),
                "the client must send {name}: {signed:?}"
            );
        }
    }
}
