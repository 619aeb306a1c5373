use std::time::Duration;

use aws_sdk_s3::types::ServerSideEncryption;
use http::Uri;

use crate::credentials::S3Credentials;

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
    /// Keys that sign requests and URLs.
    pub credentials: S3Credentials,
    /// Place of the bucket in URLs.
    pub addressing: Addressing,
    /// Condition of uploads, which not all stores support.
    pub conditional_writes: ConditionalWrites,
    /// Encryption of new objects; the bucket's default if `None`.
    pub encryption: Option<Encryption>,
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
            addressing: Addressing::VirtualHost,
            conditional_writes: ConditionalWrites::Auto,
            encryption: None,
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
        if self.credentials.are_empty() {
            return Err(S3ConfigError::Credentials);
        }
        if let Some(Encryption::Kms { key: Some(key) }) = &self.encryption
            && (key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()))
        {
            return Err(S3ConfigError::KmsKey(key.clone()));
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

/// Place of the bucket in URLs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addressing {
    /// In the path (`https://objects.example/photos/key`), as most stores other than AWS require.
    Path,
    /// In the host name (`https://photos.objects.example/key`), as AWS prefers. The SDK uses the path where a name can't
    /// hold the bucket: with an IP address as the endpoint, or a bucket with dots and HTTPS.
    VirtualHost,
}

/// Use of `If-None-Match: *` in upload URLs, so that an upload never replaces an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConditionalWrites {
    /// Required unless [`S3Store::probe`](crate::S3Store::probe) finds that the store ignores it.
    Auto,
    /// Required.
    On,
    /// Not required: a client can replace an object until its URL expires.
    Off,
}

/// Encryption of new objects by the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Encryption {
    /// SSE-S3: with the store's own key (`AES256`).
    S3,
    /// SSE-KMS: with a key of the key management service.
    Kms {
        /// Id, ARN or alias of the key; the account's default key for S3 if `None`.
        key: Option<String>,
    },
}

impl Encryption {
    pub(crate) fn algorithm(&self) -> ServerSideEncryption {
        match self {
            Self::S3 => ServerSideEncryption::Aes256,
            Self::Kms { .. } => ServerSideEncryption::AwsKms,
        }
    }

    /// Key of the key management service, if it is not the default one.
    pub(crate) fn key(&self) -> Option<&str> {
        match self {
            Self::S3 => None,
            Self::Kms { key } => key.as_deref(),
        }
    }
}

/// Time-outs of requests to the store. All must be greater than zero.
#[derive(Debug, Clone, Copy)]
pub struct S3Timeouts {
    /// Time-out for establishing a connection.
    pub connect: Duration,
    /// Time-out for the head of the response, after the request has been sent.
    pub read: Duration,
    /// Time-out of one attempt, up to the head of the response.
    pub attempt: Duration,
    /// Time-out of a request with all its attempts, up to the head of the response.
    pub operation: Duration,
    /// Time without progress after which a request's or a response's body fails.
    pub stall: Duration,
}

impl S3Timeouts {
    fn any_is_zero(&self) -> bool {
        [self.connect, self.read, self.attempt, self.operation, self.stall]
            .iter()
            .any(Duration::is_zero)
    }
}

impl Default for S3Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            read: Duration::from_secs(10),
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
    /// The key for encryption can't be sent as a header.
    #[error("{0:?} is not the id, ARN or alias of a KMS key; leave it out to use the account's default key")]
    KmsKey(String),
    /// The SDK knows no URL for the bucket.
    #[error("no URL can be made of the bucket, the region and the endpoint of the store: {0}")]
    Unresolved(String),
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
        config.credentials = S3Credentials::temporary("key", "hush", "whisper");
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
        let invalid: [(Change, S3ConfigError); 6] = [
            (|c| c.bucket.clear(), S3ConfigError::Bucket),
            (|c| c.region.clear(), S3ConfigError::Region),
            (
                |c| c.credentials = S3Credentials::new("key", ""),
                S3ConfigError::Credentials,
            ),
            (
                |c| {
                    c.encryption = Some(Encryption::Kms {
                        key: Some("two words".to_owned()),
                    });
                },
                S3ConfigError::KmsKey("two words".to_owned()),
            ),
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
