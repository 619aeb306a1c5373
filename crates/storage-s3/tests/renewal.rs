//! Credentials that expire: fetched again in time, shared by requests and URLs, and never outlived by a URL.

#![allow(
    clippy::unwrap_used,
    reason = "clippy.toml allows them in tests, and does not see that this file holds nothing else"
)]

use std::{
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use aws_credential_types::provider::{error::CredentialsError, future};
use aws_sdk_s3::config::{Credentials, ProvideCredentials};
use chrono::{DateTime, Utc};
use futures::future::join_all;
use rapidphoto_application::ports::{Clock, PresignedUrl, Presigner, ReadGrant, Unavailable};
use rapidphoto_domain::values::MimeType;
use rapidphoto_storage_s3::{S3Config, S3Credentials, S3Store};

/// Clock and provider of numbered credentials.
#[derive(Debug, Default)]
struct World {
    /// Seconds since 1970.
    now: Mutex<u64>,
    issued: Mutex<u32>,
    /// Lifetime of new credentials in seconds; none are issued if it is `None`.
    lifetime: Mutex<Option<u64>>,
}

#[derive(Debug, Clone)]
struct Shared(Arc<World>);

impl Clock for Shared {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp((*self.0.now.lock().unwrap()).cast_signed(), 0).unwrap()
    }
}

impl Shared {
    fn issue(&self) -> Result<Credentials, CredentialsError> {
        let mut issued = self.0.issued.lock().unwrap();
        *issued += 1;
        let lifetime = self.0.lifetime.lock().unwrap();
        let lifetime = lifetime.ok_or_else(|| CredentialsError::provider_error("no answer"))?;
        let expiry = SystemTime::UNIX_EPOCH + Duration::from_secs(*self.0.now.lock().unwrap() + lifetime);
        Ok(Credentials::new(
            format!("KEY{issued}"),
            "secret",
            Some(format!("token{issued}")),
            Some(expiry),
            "test",
        ))
    }

    fn issued(&self) -> u32 {
        *self.0.issued.lock().unwrap()
    }

    fn pass(&self, minutes: u64) {
        *self.0.now.lock().unwrap() += minutes * 60;
    }

    fn set_lifetime(&self, minutes: Option<u64>) {
        *self.0.lifetime.lock().unwrap() = minutes.map(|minutes| minutes * 60);
    }
}

impl ProvideCredentials for Shared {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            // Others get their turn meanwhile.
            tokio::task::yield_now().await;
            self.issue()
        })
    }
}

/// Store whose credentials are valid for an hour.
fn store() -> (S3Store, Shared) {
    let world = Shared(Arc::default());
    world.set_lifetime(Some(60));
    let credentials = S3Credentials::fetched(world.clone());
    let config = S3Config::new("photos", "eu-central-1", credentials);
    (S3Store::new(&config, Arc::new(world.clone())).unwrap(), world)
}

async fn sign(store: &S3Store, minutes: u64) -> Result<PresignedUrl, Unavailable> {
    let grant = ReadGrant {
        key: "a".to_owned(),
        download_as: None,
        mime_type: MimeType::Jpeg,
        valid_for: Duration::from_mins(minutes),
    };
    Presigner::get(store, &grant).await
}

fn signed_by(url: &PresignedUrl, number: u32) -> bool {
    url.url.contains(&format!("X-Amz-Credential=KEY{number}%2F"))
        && url.url.contains(&format!("X-Amz-Security-Token=token{number}&"))
}

#[tokio::test]
async fn credentials_are_fetched_once_and_again_before_they_expire() {
    let (store, world) = store();
    for _ in 0..3 {
        assert!(signed_by(&sign(&store, 15).await.unwrap(), 1));
        world.pass(13);
    }
    assert_eq!(world.issued(), 1);
    world.pass(1);
    assert!(signed_by(&sign(&store, 15).await.unwrap(), 2));
    assert_eq!(world.issued(), 2);
}

#[tokio::test]
async fn no_url_outlives_the_credentials_that_signed_it() {
    let (store, world) = store();
    let url = sign(&store, 90).await.unwrap();
    assert_eq!(url.expires_at.timestamp(), 60 * 60);
    assert!(url.url.contains("X-Amz-Expires=3600&"), "{url:?}");
    world.pass(30);
    let url = sign(&store, 90).await.unwrap();
    assert_eq!(url.expires_at.timestamp(), 60 * 60);
    assert!(url.url.contains("X-Amz-Expires=1800&"), "{url:?}");
    let url = sign(&store, 15).await.unwrap();
    assert_eq!(url.expires_at.timestamp(), 45 * 60, "the shorter validity counts");
}

#[tokio::test]
async fn valid_credentials_are_used_while_others_cannot_be_fetched() {
    let (store, world) = store();
    sign(&store, 15).await.unwrap();
    world.set_lifetime(None);
    world.pass(50);
    for _ in 0..5 {
        let url = sign(&store, 15).await.unwrap();
        assert!(signed_by(&url, 1));
        assert_eq!(url.expires_at.timestamp(), 60 * 60);
    }
    assert_eq!(
        world.issued(),
        2,
        "a failed attempt is not repeated within a minute"
    );
    world.pass(10);
    assert_eq!(sign(&store, 15).await.unwrap_err().what, "object storage");
    world.set_lifetime(Some(60));
    sign(&store, 15).await.unwrap();
}

#[tokio::test]
async fn concurrent_callers_fetch_once() {
    let (store, world) = store();
    let urls = join_all((0..20).map(|_| sign(&store, 15))).await;
    assert!(urls.into_iter().all(|url| signed_by(&url.unwrap(), 1)));
    world.pass(45);
    let urls = join_all((0..20).map(|_| sign(&store, 15))).await;
    // One fetches; the others don't wait, as theirs are still valid.
    let renewed = urls.into_iter().filter(|url| signed_by(url.as_ref().unwrap(), 2));
    assert_eq!(renewed.count(), 1);
    assert_eq!(world.issued(), 2);
}
