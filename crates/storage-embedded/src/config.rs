use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// Configuration of an embedded store.
#[derive(Clone)]
pub struct EmbeddedConfig {
    /// Root directory of all data; created if it is missing.
    pub root: PathBuf,
    /// Name of the only bucket, by the naming rules of S3.
    pub bucket: String,
    /// Region that requests must be signed for.
    pub region: String,
    /// Access key ID of the only key pair.
    pub access_key: String,
    /// Secret access key of the only key pair.
    pub secret_key: String,
    /// Origins whose pages may send requests (CORS), such as `https://photos.example`; `*` allows any.
    pub allowed_origins: Vec<String>,
    /// Maximum size of an object in bytes.
    pub max_object_bytes: u64,
    /// Free space in bytes that uploads of clients must leave; 0 for none. Requests without `If-None-Match: *`, such as those
    /// of workers, may use it: they finish what was accepted.
    pub min_free_bytes: u64,
    /// Values of `Host` that URLs of this store are signed for, such as `photos.example:9000`; for messages only. Empty
    /// if they are not known.
    pub hosts: Vec<String>,
    /// Minimum rate of an upload, over periods of one `idle_timeout` of waiting for its client.
    pub min_upload_bytes_per_second: u64,
    /// Time without progress of a request's or a response's body before the connection is closed.
    pub idle_timeout: Duration,
    /// Maximum time that the response to an upload waits for its event notification to be processed. The processing
    /// continues after that.
    pub notification_timeout: Duration,
    /// Time for open requests to finish after the shutdown began. Completely received uploads get a few seconds more.
    pub shutdown_grace: Duration,
}

impl EmbeddedConfig {
    /// Configuration with all limits at their defaults and no allowed origins.
    pub fn new(
        root: impl Into<PathBuf>,
        bucket: impl Into<String>,
        access_key: impl Into<String>,
        secret_key: impl Into<String>,
    ) -> Self {
        Self {
            root: root.into(),
            bucket: bucket.into(),
            region: "us-east-1".to_owned(),
            access_key: access_key.into(),
            secret_key: secret_key.into(),
            allowed_origins: Vec::new(),
            // Maximum of a single PUT in S3.
            max_object_bytes: 5 * 1024 * 1024 * 1024,
            min_free_bytes: 0,
            hosts: Vec::new(),
            // 64 kbit/s: a photo of 5 MB takes at most 11 minutes.
            min_upload_bytes_per_second: 8 * 1024,
            idle_timeout: Duration::from_secs(30),
            notification_timeout: Duration::from_secs(10),
            shutdown_grace: Duration::from_secs(15),
        }
    }

    pub(crate) fn check(&self) -> Result<(), &'static str> {
        if !s3s::path::check_bucket_name(&self.bucket) {
            return Err("the bucket name does not follow the naming rules of S3");
        }
        if s3s::region::Region::new(self.region.as_str().into()).is_err() {
            return Err("the region is empty or not a region name");
        }
        if self.access_key.is_empty() || self.secret_key.is_empty() {
            return Err("the access key and the secret key must not be empty");
        }
        if self.access_key.contains('/') {
            return Err("the access key must not contain a slash");
        }
        if self.idle_timeout.is_zero() || self.notification_timeout.is_zero() {
            return Err("idle and notification time-outs must be greater than zero");
        }
        Ok(())
    }
}

impl fmt::Debug for EmbeddedConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedConfig")
            .field("root", &self.root)
            .field("bucket", &self.bucket)
            .field("region", &self.region)
            .field("access_key", &self.access_key)
            .field("secret_key", &"…")
            .field("allowed_origins", &self.allowed_origins)
            .field("max_object_bytes", &self.max_object_bytes)
            .field("min_free_bytes", &self.min_free_bytes)
            .field("hosts", &self.hosts)
            .field("min_upload_bytes_per_second", &self.min_upload_bytes_per_second)
            .field("idle_timeout", &self.idle_timeout)
            .field("notification_timeout", &self.notification_timeout)
            .field("shutdown_grace", &self.shutdown_grace)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> EmbeddedConfig {
        EmbeddedConfig::new("/nowhere", "photos", "key", "hush")
    }

    #[test]
    fn debug_output_does_not_contain_the_secret() {
        assert!(!format!("{:?}", config()).contains("hush"));
    }

    #[test]
    fn invalid_configurations_are_errors() {
        assert_eq!(config().check(), Ok(()));
        let invalid: [fn(&mut EmbeddedConfig); 5] = [
            |c| c.bucket = "../up".to_owned(),
            |c| c.bucket = "UPPER".to_owned(),
            |c| c.region = String::new(),
            |c| c.secret_key.clear(),
            |c| c.idle_timeout = Duration::ZERO,
        ];
        for invalidate in invalid {
            let mut config = config();
            invalidate(&mut config);
            assert!(config.check().is_err(), "{config:?}");
        }
    }
}
