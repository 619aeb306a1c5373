//! Credentials of the store, fetched when needed and again before they expire.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, SystemTime},
};

use aws_credential_types::provider::{error::CredentialsError, future};
use aws_sdk_s3::config::{Credentials, ProvideCredentials, SharedCredentialsProvider};
use futures::lock::Mutex;
use rapidphoto_application::ports::Clock;

/// Remaining validity below which credentials are fetched again. Longer than upload URLs are usually valid for, because
/// no URL outlives the credentials that signed it.
const AHEAD: Duration = Duration::from_mins(20);

/// Minimum interval between attempts to fetch others while the present ones are valid: instance metadata serves the old
/// ones until five minutes before their expiry.
const PAUSE: Duration = Duration::from_mins(1);

/// Access keys of the store.
#[derive(Clone)]
pub struct S3Credentials(Source);

/// Origin of the keys.
#[derive(Clone)]
enum Source {
    Fixed(Credentials),
    Fetched(SharedCredentialsProvider),
}

impl S3Credentials {
    /// Long-term credentials, without a session token.
    pub fn new(access_key: impl Into<String>, secret_key: impl Into<String>) -> Self {
        Self::fixed(access_key, secret_key, None)
    }

    /// Temporary credentials that are not renewed.
    pub fn temporary(
        access_key: impl Into<String>,
        secret_key: impl Into<String>,
        session_token: impl Into<String>,
    ) -> Self {
        Self::fixed(access_key, secret_key, Some(session_token.into()))
    }

    /// Credentials from a provider of the SDK. They are kept, and fetched again before they expire.
    pub fn fetched(source: impl ProvideCredentials + 'static) -> Self {
        Self(Source::Fetched(SharedCredentialsProvider::new(source)))
    }

    fn fixed(
        access_key: impl Into<String>,
        secret_key: impl Into<String>,
        session_token: Option<String>,
    ) -> Self {
        Self(Source::Fixed(Credentials::new(
            access_key,
            secret_key,
            session_token,
            None,
            "configuration",
        )))
    }

    /// Returns true if the access key or the secret key is empty.
    pub(crate) fn are_empty(&self) -> bool {
        match &self.0 {
            Source::Fixed(keys) => keys.access_key_id().is_empty() || keys.secret_access_key().is_empty(),
            Source::Fetched(_) => false,
        }
    }
}

impl fmt::Debug for S3Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::Fixed(keys) => f
                .debug_struct("S3Credentials")
                .field("access_key", &keys.access_key_id())
                .finish_non_exhaustive(),
            Source::Fetched(_) => f.write_str("S3Credentials(fetched)"),
        }
    }
}

/// The present credentials, shared by requests and URLs.
pub(crate) struct CurrentCredentials {
    source: SharedCredentialsProvider,
    clock: Arc<dyn Clock>,
    held: RwLock<Option<Held>>,
    /// Held by the one caller that fetches.
    fetching: Mutex<()>,
}

#[derive(Clone)]
struct Held {
    credentials: Credentials,
    /// Time of the latest attempt to fetch others.
    tried_at: SystemTime,
}

impl CurrentCredentials {
    pub(crate) fn new(credentials: S3Credentials, clock: Arc<dyn Clock>) -> Self {
        let source = match credentials.0 {
            Source::Fixed(keys) => SharedCredentialsProvider::new(keys),
            Source::Fetched(source) => source,
        };
        Self {
            source,
            clock,
            held: RwLock::new(None),
            fetching: Mutex::new(()),
        }
    }

    /// Valid credentials. While those held are valid, a failure to fetch others is only logged, and only one caller
    /// waits for it.
    pub(crate) async fn get(&self) -> Result<Credentials, CredentialsError> {
        let valid = self.valid();
        if let Some(held) = &valid
            && !self.is_due(held)
        {
            return Ok(held.credentials.clone());
        }
        let _fetching = match (&valid, self.fetching.try_lock()) {
            (_, Some(guard)) => guard,
            (Some(held), None) => return Ok(held.credentials.clone()),
            (None, None) => self.fetching.lock().await,
        };
        // Another caller may have fetched them meanwhile.
        let valid = self.valid();
        if let Some(held) = &valid
            && !self.is_due(held)
        {
            return Ok(held.credentials.clone());
        }
        match (self.source.provide_credentials().await, valid) {
            (Ok(credentials), _) => {
                self.hold(credentials.clone());
                Ok(credentials)
            }
            (Err(error), Some(held)) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "credentials of the object storage can't be renewed"
                );
                self.hold(held.credentials.clone());
                Ok(held.credentials)
            }
            (Err(error), None) => Err(error),
        }
    }

    fn now(&self) -> SystemTime {
        SystemTime::from(self.clock.now())
    }

    fn hold(&self, credentials: Credentials) {
        let held = Held {
            credentials,
            tried_at: self.now(),
        };
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = Some(held);
    }

    /// Credentials held that have not expired.
    fn valid(&self) -> Option<Held> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner).clone()?;
        held.credentials
            .expiry()
            .is_none_or(|expiry| expiry > self.now())
            .then_some(held)
    }

    fn is_due(&self, held: &Held) -> bool {
        let now = self.now();
        held.credentials
            .expiry()
            .is_some_and(|expiry| expiry <= now + AHEAD && held.tried_at + PAUSE <= now)
    }
}

impl fmt::Debug for CurrentCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CurrentCredentials").finish_non_exhaustive()
    }
}

impl ProvideCredentials for CurrentCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.get())
    }
}
