use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// How an embedded store is set up.
#[derive(Clone)]
pub struct EmbeddedConfig {
    /// The directory that holds everything; made when it is missing.
    pub root: PathBuf,
    /// The only bucket, by the naming rules of AWS.
    pub bucket: String,
    /// The region that requests must be signed for.
    pub region: String,
    /// The only access key.
    pub access_key: String,
    /// Its secret.
    pub secret_key: String,
    /// Origins whose pages may use the store, such as `https://photos.example`; `*` is any.
    pub allowed_origins: Vec<String>,
    /// The largest object taken, in bytes.
    pub max_object_bytes: u64,
    /// How long a client may send, or take, nothing before it is dropped.
    pub idle_timeout: Duration,
    /// How long a request's head may take, which is also how long an idle connection is kept.
    pub header_timeout: Duration,
    /// How long an upload's answer waits for its message to be taken; the taking goes on.
    pub announce_timeout: Duration,
    /// How long requests may still run after the shutdown began; uploads that are past their last byte get a few
    /// seconds more.
    pub shutdown_grace: Duration,
    /// Connections served at once; more of them wait.
    pub max_connections: usize,
}

impl EmbeddedConfig {
    /// A set-up for `root` and `bucket`, with every limit at its default and no foreign origin allowed.
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
            // What S3 takes in a single PUT.
            max_object_bytes: 5 * 1024 * 1024 * 1024,
            idle_timeout: Duration::from_secs(30),
            header_timeout: Duration::from_mins(1),
            announce_timeout: Duration::from_secs(10),
            shutdown_grace: Duration::from_secs(15),
            max_connections: 1024,
        }
    }

    pub(crate) fn check(&self) -> Result<(), &'static str> {
        if !s3s::path::check_bucket_name(&self.bucket) {
            return Err("the bucket's name breaks the naming rules of S3");
        }
        if s3s::region::Region::new(self.region.as_str().into()).is_err() {
            return Err("the region's name is not one");
        }
        if self.access_key.is_empty() || self.secret_key.is_empty() {
            return Err("the key pair is empty");
        }
        if self.access_key.contains('/') {
            return Err("an access key can't contain a slash");
        }
        if self.idle_timeout.is_zero() || self.header_timeout.is_zero() || self.announce_timeout.is_zero() {
            return Err("a time-out of zero lets nothing through");
        }
        if self.max_connections == 0 {
            return Err("with no connection allowed nothing can be served");
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
            .field("idle_timeout", &self.idle_timeout)
            .field("header_timeout", &self.header_timeout)
            .field("announce_timeout", &self.announce_timeout)
            .field("shutdown_grace", &self.shutdown_grace)
            .field("max_connections", &self.max_connections)
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
    fn the_secret_is_never_printed() {
        assert!(!format!("{:?}", config()).contains("hush"));
    }

    #[test]
    fn a_set_up_that_could_not_work_is_refused() {
        assert_eq!(config().check(), Ok(()));
        let broken: [fn(&mut EmbeddedConfig); 6] = [
            |c| c.bucket = "../up".to_owned(),
            |c| c.bucket = "UPPER".to_owned(),
            |c| c.region = String::new(),
            |c| c.secret_key.clear(),
            |c| c.idle_timeout = Duration::ZERO,
            |c| c.max_connections = 0,
        ];
        for spoil in broken {
            let mut config = config();
            spoil(&mut config);
            assert!(config.check().is_err(), "{config:?}");
        }
    }
}
