use std::{fmt, time::Duration};

use http::Uri;

/// Connection to an S3-compatible store.
#[derive(Debug, Clone)]
pub struct S3Config {
    /// URL of the store for this server, such as `http://minio:9000`; AWS if `None`.
    pub endpoint: Option<String>,
    /// URL of the store for clients, used in presigned URLs; `endpoint` if `None`.
    pub public_endpoint: Option<String>,
    /// Region of the bucket.
    pub region: String,
    /// Name of the bucket.
    pub bucket: String,
    /// Key pair that signs requests and URLs.
    pub credentials: S3Credentials,
    /// True if the bucket is part of the path, as most stores other than AWS require, instead of the host name.
    pub force_path_style: bool,
    /// True if upload URLs require `If-None-Match: *`, so that an upload never replaces an object. Not supported by all
    /// stores.
    pub conditional_writes: bool,
    /// Time-outs of requests.
    pub timeouts: S3Timeouts,
    /// Maximum attempts per request, including the first.
    pub max_attempts: u32,
}

impl S3Config {
    /// Configuration for AWS with all defaults.
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

    /// Validates the configuration.
    ///
    /// # Errors
    /// [`S3ConfigError`] names the first invalid setting.
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
            return Err(S3ConfigError::ZeroLimit);
        }
        Ok(())
    }
}

/// Accepts a path, because some stores are behind a proxy.
fn check_endpoint(endpoint: &str) -> Result<(), S3ConfigError> {
    let uri: Uri = endpoint.parse().map_err(|_| S3ConfigError::endpoint(endpoint))?;
    let supported_scheme = matches!(uri.scheme_str(), Some("http" | "https"));
    // Credentials in an endpoint would appear in logs and in presigned URLs.
    let without_credentials = uri
        .authority()
        .is_some_and(|authority| !authority.as_str().contains('@'));
    if supported_scheme && without_credentials && uri.query().is_none() {
        Ok(())
    } else {
        Err(S3ConfigError::endpoint(endpoint))
    }
}

/// Key pair. Unlike the SDK's default, this crate reads no credentials from the environment or from files.
#[derive(Clone)]
pub struct S3Credentials {
    /// Access key ID.
    pub access_key: String,
    /// Secret access key.
    pub secret_key: String,
    /// Session token of temporary credentials.
    pub session_token: Option<String>,
}

impl S3Credentials {
    /// Long-term credentials, without a session token.
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

/// Time-outs of requests to the store. All must be greater than zero.
#[derive(Debug, Clone, Copy)]
pub struct S3Timeouts {
    /// Time-out for establishing a connection.
    pub connect: Duration,
    /// Time-out of one attempt, up to the head of the response.
    pub attempt: Duration,
    /// Time-out of a request with all its attempts, up to the head of the response.
    pub operation: Duration,
    /// Time without progress after which a request's or a response's body fails.
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

/// An [`S3Config`] is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum S3ConfigError {
    /// An endpoint is not an HTTP URL, or has credentials or a query.
    #[error(
        "{0:?} is not an endpoint; use a URL such as https://objects.example:9000, without user, password and query"
    )]
    Endpoint(String),
    /// The bucket is empty.
    #[error("the bucket must not be empty")]
    Bucket,
    /// The region is empty.
    #[error("the region must not be empty")]
    Region,
    /// A key is empty.
    #[error("the access key and the secret key of the store must not be empty")]
    Credentials,
    /// The number of attempts or a time-out is zero.
    #[error("the number of attempts and all time-outs of the store must be greater than zero")]
    ZeroLimit,
    /// TLS can't be initialised.
    #[error("TLS can't be initialised: {0}")]
    Tls(String),
}

impl S3ConfigError {
    /// Error for an endpoint, without its user and password.
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
    fn debug_output_and_errors_do_not_contain_secrets() {
        let mut config = config();
        config.credentials.session_token = Some("whisper".to_owned());
        let printed = format!("{config:?}");
        assert!(
            !printed.contains("hush") && !printed.contains("whisper"),
            "{printed}"
        );

        config.endpoint = Some("https://me:hush@objects.example".to_owned());
        let error = config.check().unwrap_err();
        assert!(!error.to_string().contains("hush"), "{error}");
    }

    #[test]
    fn invalid_configurations_are_errors() {
        type Change = fn(&mut S3Config);
        assert_eq!(config().check(), Ok(()));
        let invalid: [(Change, S3ConfigError); 5] = [
            (|c| c.bucket.clear(), S3ConfigError::Bucket),
            (|c| c.region.clear(), S3ConfigError::Region),
            (|c| c.credentials.secret_key.clear(), S3ConfigError::Credentials),
            (|c| c.max_attempts = 0, S3ConfigError::ZeroLimit),
            (|c| c.timeouts.connect = Duration::ZERO, S3ConfigError::ZeroLimit),
        ];
        for (change, error) in invalid {
            let mut config = config();
            change(&mut config);
            assert_eq!(config.check(), Err(error));
        }
    }

    #[test]
    fn endpoints_are_http_urls() {
        for valid in [
            "http://127.0.0.1:9000",
            "https://objects.example",
            "https://example.com/s3",
        ] {
            let config = S3Config {
                public_endpoint: Some(valid.to_owned()),
                ..config()
            };
            assert_eq!(config.check(), Ok(()), "{valid}");
        }
        for invalid in [
            "",
            "minio:9000",
            "objects.example",
            "ftp://objects.example",
            "http://",
            "http://o/?a=b",
        ] {
            let config = S3Config {
                endpoint: Some(invalid.to_owned()),
                ..config()
            };
            assert_eq!(config.check(), Err(S3ConfigError::Endpoint(invalid.to_owned())));
        }
    }
}
