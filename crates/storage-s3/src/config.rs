use std::{fmt, time::Duration};

use http::Uri;

/// How a store is reached.
#[derive(Debug, Clone)]
pub struct S3Config {
    /// Where servers reach the store, such as `http://minio:9000`; AWS itself when it is `None`.
    pub endpoint: Option<String>,
    /// What URLs for clients are signed for; the servers' endpoint when it is `None`.
    pub public_endpoint: Option<String>,
    /// The bucket's region.
    pub region: String,
    /// The bucket.
    pub bucket: String,
    /// Who signs.
    pub credentials: S3Credentials,
    /// Whether the bucket is named in the path, as most stores but AWS want it, and not in the host's name.
    pub force_path_style: bool,
    /// Whether upload URLs demand `If-None-Match: *`, so that none can replace an object. Some stores don't know it.
    pub conditional_writes: bool,
    /// How long the store may take.
    pub timeouts: S3Timeouts,
    /// How often a request is tried, the first time included.
    pub max_attempts: u32,
}

impl S3Config {
    /// A set-up for AWS with everything at its default.
    pub fn new(bucket: impl Into<String>, region: impl Into<String>, credentials: S3Credentials) -> Self {
        Self {
            endpoint: None,
            public_endpoint: None,
            region: region.into(),
            bucket: bucket.into(),
            credentials,
            force_path_style: false,
            conditional_writes: true,
            timeouts: S3Timeouts::default(),
            max_attempts: 3,
        }
    }

    /// Whether a store could be reached so.
    pub fn check(&self) -> Result<(), S3ConfigError> {
        for endpoint in [&self.endpoint, &self.public_endpoint].into_iter().flatten() {
            check_endpoint(endpoint)?;
        }
        if self.bucket.is_empty() {
            return Err(S3ConfigError::Bucket);
        }
        if self.region.is_empty() {
            return Err(S3ConfigError::Region);
        }
        if self.credentials.access_key.is_empty() || self.credentials.secret_key.is_empty() {
            return Err(S3ConfigError::Credentials);
        }
        if self.max_attempts == 0 || self.timeouts.any_is_zero() {
            return Err(S3ConfigError::NoTime);
        }
        Ok(())
    }
}

/// A path is fine: some stores stand behind a proxy.
fn check_endpoint(endpoint: &str) -> Result<(), S3ConfigError> {
    let uri: Uri = endpoint.parse().map_err(|_| S3ConfigError::endpoint(endpoint))?;
    let known = matches!(uri.scheme_str(), Some("http" | "https"));
    // Credentials in an address would end up in logs and in the URLs of clients.
    let plain = uri
        .authority()
        .is_some_and(|authority| !authority.as_str().contains('@'));
    if known && plain && uri.query().is_none() {
        Ok(())
    } else {
        Err(S3ConfigError::endpoint(endpoint))
    }
}

/// A pair of keys. They are asked for nowhere else: neither the environment nor a file is read here.
#[derive(Clone)]
pub struct S3Credentials {
    /// The public half.
    pub access_key: String,
    /// The secret half.
    pub secret_key: String,
    /// What temporary keys come with.
    pub session_token: Option<String>,
}

impl S3Credentials {
    /// A lasting pair of keys.
    pub fn new(access_key: impl Into<String>, secret_key: impl Into<String>) -> Self {
        Self {
            access_key: access_key.into(),
            secret_key: secret_key.into(),
            session_token: None,
        }
    }
}

impl fmt::Debug for S3Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Credentials")
            .field("access_key", &self.access_key)
            .finish_non_exhaustive()
    }
}

/// How long a store may take.
#[derive(Debug, Clone, Copy)]
pub struct S3Timeouts {
    /// For a connection to stand.
    pub connect: Duration,
    /// For one attempt at a request, up to the head of its answer.
    pub attempt: Duration,
    /// For a request with all its attempts, up to the head of the answer.
    pub operation: Duration,
    /// How long a body may stand still, in either direction, before it is given up.
    pub stall: Duration,
}

impl S3Timeouts {
    fn any_is_zero(&self) -> bool {
        [self.connect, self.attempt, self.operation, self.stall]
            .iter()
            .any(Duration::is_zero)
    }
}

impl Default for S3Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            attempt: Duration::from_secs(15),
            operation: Duration::from_secs(40),
            stall: Duration::from_secs(20),
        }
    }
}

/// Why no store can be reached so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum S3ConfigError {
    /// An endpoint that is no plain address.
    #[error("{0:?} is no address such as https://objects.example:9000, without user, password and query")]
    Endpoint(String),
    /// No bucket.
    #[error("the bucket has no name")]
    Bucket,
    /// No region.
    #[error("the region has no name")]
    Region,
    /// A key is missing.
    #[error("the store's key pair is not complete")]
    Credentials,
    /// No attempt, or no time for one.
    #[error("requests need at least one attempt and some time")]
    NoTime,
    /// The TLS library refuses.
    #[error("TLS can't be set up: {0}")]
    Tls(String),
}

impl S3ConfigError {
    /// Names the address without what may be a password in it.
    fn endpoint(raw: &str) -> Self {
        Self::Endpoint(match raw.rsplit_once('@') {
            Some((_, rest)) => format!("…@{rest}"),
            None => raw.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> S3Config {
        S3Config::new("photos", "eu-central-1", S3Credentials::new("key", "hush"))
    }

    #[test]
    fn the_secret_is_never_printed() {
        let mut config = config();
        config.credentials.session_token = Some("whisper".to_owned());
        let printed = format!("{config:?}");
        assert!(
            !printed.contains("hush") && !printed.contains("whisper"),
            "{printed}"
        );

        config.endpoint = Some("https://me:hush@objects.example".to_owned());
        let refused = config.check().unwrap_err();
        assert!(!refused.to_string().contains("hush"), "{refused}");
    }

    #[test]
    fn a_set_up_that_could_not_work_is_refused() {
        type Spoil = fn(&mut S3Config);
        assert_eq!(config().check(), Ok(()));
        let broken: [(Spoil, S3ConfigError); 5] = [
            (|c| c.bucket.clear(), S3ConfigError::Bucket),
            (|c| c.region.clear(), S3ConfigError::Region),
            (|c| c.credentials.secret_key.clear(), S3ConfigError::Credentials),
            (|c| c.max_attempts = 0, S3ConfigError::NoTime),
            (|c| c.timeouts.connect = Duration::ZERO, S3ConfigError::NoTime),
        ];
        for (spoil, why) in broken {
            let mut config = config();
            spoil(&mut config);
            assert_eq!(config.check(), Err(why));
        }
    }

    #[test]
    fn an_endpoint_is_an_address_with_a_scheme() {
        for good in [
            "http://127.0.0.1:9000",
            "https://objects.example",
            "https://example.com/s3",
        ] {
            let config = S3Config {
                public_endpoint: Some(good.to_owned()),
                ..config()
            };
            assert_eq!(config.check(), Ok(()), "{good}");
        }
        for bad in [
            "",
            "minio:9000",
            "objects.example",
            "ftp://objects.example",
            "http://",
            "http://o/?a=b",
        ] {
            let config = S3Config {
                endpoint: Some(bad.to_owned()),
                ..config()
            };
            assert_eq!(config.check(), Err(S3ConfigError::Endpoint(bad.to_owned())));
        }
    }
}
