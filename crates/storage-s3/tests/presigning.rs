//! Signed headers, endpoint and validity of presigned URLs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "clippy.toml allows them in tests, and does not see that this file holds nothing else"
)]

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use rapidphoto_application::ports::{Clock, PresignedUrl, Presigner, PutGrant, ReadGrant};
use rapidphoto_domain::values::{Checksum, Filename, MimeType};
use rapidphoto_storage_s3::{Addressing, ConditionalWrites, S3Config, S3Credentials, S3Store};

/// Always 2026-03-01T10:20:30.987Z.
struct FixedClock;

impl Clock for FixedClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(1_772_360_430_987).unwrap()
    }
}

fn config() -> S3Config {
    S3Config {
        endpoint: Some("http://minio:9000".to_owned()),
        public_endpoint: Some("https://photos.example/objects".to_owned()),
        addressing: Addressing::Path,
        ..S3Config::new(
            "photos",
            "eu-central-1",
            S3Credentials::new("AKIDEXAMPLE", "secret"),
        )
    }
}

fn store(config: &S3Config) -> S3Store {
    S3Store::new(config, Arc::new(FixedClock)).unwrap()
}

fn upload() -> PutGrant {
    PutGrant {
        key: "u/1/photo one".to_owned(),
        mime_type: MimeType::Jpeg,
        bytes: 1234,
        checksum: Some(Checksum::from_bytes([7; 32])),
        valid_for: Duration::from_mins(15),
    }
}

fn read() -> ReadGrant {
    ReadGrant {
        key: "u/1/photo".to_owned(),
        download_as: Some(Filename::parse("Ünterwegs.jpg").unwrap()),
        mime_type: MimeType::Jpeg,
        valid_for: Duration::from_mins(1),
    }
}

async fn signed_put(config: &S3Config, grant: &PutGrant) -> PresignedUrl {
    Presigner::put(&store(config), grant).await.unwrap()
}

fn query(url: &str) -> BTreeMap<String, String> {
    let (_, query) = url.split_once('?').unwrap();
    query
        .split('&')
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap();
            (percent_decoded(name), percent_decoded(value))
        })
        .collect()
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next().unwrap(), rest.next().unwrap()];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).unwrap()
}

fn headers(signed: &PresignedUrl) -> BTreeMap<&str, &str> {
    signed
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}

#[tokio::test]
async fn length_type_checksum_and_condition_are_signed_as_headers() {
    let signed = signed_put(&config(), &upload()).await;
    let query = query(&signed.url);
    assert_eq!(
        query["X-Amz-SignedHeaders"],
        "content-length;content-type;host;if-none-match;x-amz-checksum-sha256"
    );
    assert_eq!(
        headers(&signed),
        BTreeMap::from([
            ("content-type", "image/jpeg"),
            ("if-none-match", "*"),
            (
                "x-amz-checksum-sha256",
                "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="
            ),
        ]),
        "Content-Length is signed, but browsers set it"
    );
}

#[tokio::test]
async fn the_query_of_an_upload_url_contains_only_the_signature() {
    let signed = signed_put(&config(), &upload()).await;
    let names: Vec<_> = query(&signed.url).into_keys().collect();
    assert_eq!(
        names,
        [
            "X-Amz-Algorithm",
            "X-Amz-Credential",
            "X-Amz-Date",
            "X-Amz-Expires",
            "X-Amz-Signature",
            "X-Amz-SignedHeaders",
            "x-id",
        ],
        "neither the checksum of an empty body nor values of headers"
    );
}

#[tokio::test]
async fn an_upload_without_a_checksum_signs_none() {
    let grant = PutGrant {
        checksum: None,
        ..upload()
    };
    let signed = signed_put(&config(), &grant).await;
    assert_eq!(
        query(&signed.url)["X-Amz-SignedHeaders"],
        "content-length;content-type;host;if-none-match"
    );
    assert_eq!(
        headers(&signed),
        BTreeMap::from([("content-type", "image/jpeg"), ("if-none-match", "*")])
    );
}

#[tokio::test]
async fn without_conditional_writes_no_condition_is_signed() {
    let config = S3Config {
        conditional_writes: ConditionalWrites::Off,
        ..config()
    };
    let signed = signed_put(&config, &upload()).await;
    assert!(!signed.url.contains("if-none-match"));
    assert!(!headers(&signed).contains_key("if-none-match"));
}

#[tokio::test]
async fn every_signed_value_changes_the_signature() {
    let signature =
        async |grant: PutGrant| query(&signed_put(&config(), &grant).await.url)["X-Amz-Signature"].clone();
    let first = signature(upload()).await;
    assert_eq!(first, signature(upload()).await, "signatures are deterministic");
    for other in [
        PutGrant {
            bytes: 1235,
            ..upload()
        },
        PutGrant {
            mime_type: MimeType::Png,
            ..upload()
        },
        PutGrant {
            checksum: Some(Checksum::from_bytes([8; 32])),
            ..upload()
        },
        PutGrant {
            key: "u/2/photo one".to_owned(),
            ..upload()
        },
        PutGrant {
            valid_for: Duration::from_secs(901),
            ..upload()
        },
    ] {
        assert_ne!(first, signature(other).await);
    }
}

#[tokio::test]
async fn urls_are_signed_for_the_public_endpoint() {
    let signed = signed_put(&config(), &upload()).await;
    assert!(
        signed
            .url
            .starts_with("https://photos.example/objects/photos/u/1/photo%20one?"),
        "{}",
        signed.url
    );

    let slash = S3Config {
        public_endpoint: Some("https://photos.example/objects/".to_owned()),
        ..config()
    };
    assert_eq!(signed_put(&slash, &upload()).await.url, signed.url);

    let same = S3Config {
        public_endpoint: None,
        ..config()
    };
    let signed = signed_put(&same, &upload()).await;
    assert!(
        signed
            .url
            .starts_with("http://minio:9000/photos/u/1/photo%20one?"),
        "{}",
        signed.url
    );

    let aws = S3Config::new(
        "photos",
        "eu-central-1",
        S3Credentials::new("AKIDEXAMPLE", "secret"),
    );
    let signed = signed_put(&aws, &upload()).await;
    assert!(
        signed
            .url
            .starts_with("https://photos.s3.eu-central-1.amazonaws.com/u/1/photo%20one?"),
        "{}",
        signed.url
    );
}

#[tokio::test]
async fn a_url_expires_at_the_reported_time() {
    let signed = signed_put(&config(), &upload()).await;
    let query = query(&signed.url);
    assert_eq!(query["X-Amz-Date"], "20260301T102030Z");
    assert_eq!(query["X-Amz-Expires"], "900");
    assert_eq!(signed.expires_at.to_rfc3339(), "2026-03-01T10:35:30+00:00");
}

#[tokio::test]
async fn a_validity_of_more_than_a_week_is_an_error() {
    let grant = PutGrant {
        valid_for: Duration::from_secs(7 * 86_400 + 1),
        ..upload()
    };
    assert!(Presigner::put(&store(&config()), &grant).await.is_err());
}

#[tokio::test]
async fn temporary_credentials_sign_with_their_token() {
    let config = S3Config {
        credentials: S3Credentials::temporary("AKIDEXAMPLE", "secret", "to/ken"),
        ..config()
    };
    let signed = signed_put(&config, &upload()).await;
    assert_eq!(query(&signed.url)["X-Amz-Security-Token"], "to/ken");
}

#[tokio::test]
async fn a_download_url_sets_filename_and_type() {
    let signed = Presigner::get(&store(&config()), &read()).await.unwrap();
    let query = query(&signed.url);
    assert_eq!(
        query["response-content-disposition"],
        "attachment; filename=\"_nterwegs.jpg\"; filename*=UTF-8''%C3%9Cnterwegs.jpg"
    );
    assert_eq!(query["response-content-type"], "image/jpeg");
    assert_eq!(query["X-Amz-SignedHeaders"], "host");
    assert_eq!(signed.headers, [], "links in pages can't send headers");
    assert_eq!(signed.expires_at.to_rfc3339(), "2026-03-01T10:21:30+00:00");
    assert!(
        signed
            .url
            .starts_with("https://photos.example/objects/photos/u/1/photo?")
    );
}

#[tokio::test]
async fn a_url_without_a_filename_has_no_disposition() {
    let grant = ReadGrant {
        download_as: None,
        ..read()
    };
    let signed = Presigner::get(&store(&config()), &grant).await.unwrap();
    assert!(!query(&signed.url).contains_key("response-content-disposition"));
}
