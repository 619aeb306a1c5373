use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use rapidphoto_domain::photo::{Check, Policy};
use serde::{Deserialize, Serialize};

const MIB: u64 = 1024 * 1024;

/// The HTTP API.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerSection {
    /// Where the API listens; port 0 takes a free one.
    pub listen: String,
    /// How clients reach the API, where that is not where it listens.
    pub public_url: Option<String>,
    /// Origins of web pages that may use the API and the storage; `*` is all.
    pub allowed_origins: Vec<String>,
    /// The most bytes in a request's body.
    pub body_limit: usize,
    /// How long a request may take.
    #[serde(with = "humantime_serde")]
    pub request_timeout: Duration,
    /// How long in-flight work may take to finish at the end.
    #[serde(with = "humantime_serde")]
    pub drain_timeout: Duration,
    /// Whether `X-Forwarded-For` is believed: only behind a proxy that sets it.
    pub behind_proxy: bool,
}

impl Default for ServerSection {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".to_owned(),
            public_url: None,
            allowed_origins: Vec::new(),
            body_limit: 1024 * 1024,
            request_timeout: Duration::from_secs(30),
            drain_timeout: Duration::from_secs(15),
            behind_proxy: false,
        }
    }
}

/// The embedded object storage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StorageSection {
    /// Where the storage listens; port 0 takes a free one.
    pub listen: String,
    /// How clients reach the storage, where that is not where it listens.
    pub public_url: Option<String>,
    /// The bucket's name.
    pub bucket: String,
    /// The bucket's region.
    pub region: String,
    /// The deployment's part of the bucket.
    pub environment: String,
    /// How long a connection may stand still.
    #[serde(with = "humantime_serde")]
    pub idle_timeout: Duration,
}

impl Default for StorageSection {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:9000".to_owned(),
            public_url: None,
            bucket: "photos".to_owned(),
            region: "us-east-1".to_owned(),
            environment: "local".to_owned(),
            idle_timeout: Duration::from_secs(30),
        }
    }
}

/// Where things are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataSection {
    /// The directory of the record, the objects and the secrets.
    pub dir: PathBuf,
    /// How many connections read the record.
    pub readers: usize,
}

impl Default for DataSection {
    fn default() -> Self {
        Self {
            dir: PathBuf::from("data"),
            readers: 4,
        }
    }
}

/// What uploads are accepted, and for how long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UploadsSection {
    /// The most files in one job.
    pub max_files: usize,
    /// The most bytes in one file.
    pub max_file_bytes: u64,
    /// How long an upload or download URL works.
    #[serde(with = "humantime_serde")]
    pub url_lifetime: Duration,
    /// How long an upload may take, from its last sign of life.
    #[serde(with = "humantime_serde")]
    pub window: Duration,
}

impl Default for UploadsSection {
    fn default() -> Self {
        Self {
            max_files: 1000,
            max_file_bytes: 100 * MIB,
            url_lifetime: Duration::from_mins(15),
            window: Duration::from_hours(24),
        }
    }
}

/// How work is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WorkSection {
    /// How many photos are worked on at once.
    pub concurrency: usize,
    /// How long a claim holds without being renewed.
    #[serde(with = "humantime_serde")]
    pub lease: Duration,
    /// The longest pause between two looks at the record.
    #[serde(with = "humantime_serde")]
    pub poll: Duration,
    /// How long after a URL's end storage is asked whether the object came.
    #[serde(with = "humantime_serde")]
    pub look_grace: Duration,
    /// The pause between two looks for an object that was reported, before jitter.
    #[serde(with = "humantime_serde")]
    pub look_pause: Duration,
    /// The pause after a first error; it doubles with each.
    #[serde(with = "humantime_serde")]
    pub retry_pause: Duration,
    /// The most bytes of originals held in memory at once.
    pub download_budget_bytes: u64,
    /// How long the originals of rejected photos are kept.
    #[serde(with = "humantime_serde")]
    pub keep_rejected: Duration,
    /// How long the originals of failed photos are kept.
    #[serde(with = "humantime_serde")]
    pub keep_failed: Duration,
}

impl Default for WorkSection {
    fn default() -> Self {
        Self {
            concurrency: 8,
            lease: Duration::from_mins(1),
            poll: Duration::from_secs(5),
            look_grace: Duration::from_secs(30),
            look_pause: Duration::from_secs(5),
            retry_pause: Duration::from_secs(2),
            download_budget_bytes: 256 * MIB,
            keep_rejected: Duration::from_hours(7 * 24),
            keep_failed: Duration::from_hours(30 * 24),
        }
    }
}

/// How photos are judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChecksSection {
    /// The most pixels in a photo.
    pub max_pixels: u64,
    /// The least length of a photo's shorter edge.
    pub min_edge: Option<u32>,
    /// `off`, `warn` or `reject` for checks that shall not do what they do by default.
    pub policies: BTreeMap<Check, Policy>,
}

impl Default for ChecksSection {
    fn default() -> Self {
        Self {
            max_pixels: 100_000_000,
            min_edge: None,
            policies: BTreeMap::new(),
        }
    }
}

/// How users prove who they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuthSection {
    /// Whether anybody may register.
    pub registration_open: bool,
    /// How long an access token holds.
    #[serde(with = "humantime_serde")]
    pub access_lifetime: Duration,
    /// How long a refresh token holds.
    #[serde(with = "humantime_serde")]
    pub refresh_lifetime: Duration,
    /// The least length of a password.
    pub min_password_chars: usize,
    /// How many failed logins a minute an account and address may have.
    pub failed_logins_per_minute: usize,
    /// How many passwords are hashed at once.
    pub concurrent_hashes: usize,
}

impl Default for AuthSection {
    fn default() -> Self {
        Self {
            registration_open: true,
            access_lifetime: Duration::from_mins(15),
            refresh_lifetime: Duration::from_hours(30 * 24),
            min_password_chars: 10,
            failed_logins_per_minute: 5,
            concurrent_hashes: 2,
        }
    }
}

/// How much one user may ask for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsSection {
    /// Jobs a user may create in a minute.
    pub jobs_per_minute: u32,
    /// Progress posts a user may send in a second.
    pub progress_per_second: u32,
}

impl Default for LimitsSection {
    fn default() -> Self {
        Self {
            jobs_per_minute: 10,
            progress_per_second: 20,
        }
    }
}

/// Threads and memory for images.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ImagingSection {
    /// How many photos are decoded at once; as many as there are processors without it.
    pub threads: Option<usize>,
    /// The most memory that decoding takes at once; a photo that needs more is rejected.
    pub memory_budget_bytes: u64,
}

impl Default for ImagingSection {
    fn default() -> Self {
        Self {
            threads: None,
            memory_budget_bytes: 1024 * MIB,
        }
    }
}

/// What is logged, and where traces go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogSection {
    /// Which messages, as `tracing-subscriber` filters them.
    pub filter: String,
    /// `text` for people, `json` for machines.
    pub format: LogFormat,
    /// Where OpenTelemetry traces are sent over HTTP.
    pub otlp_endpoint: Option<String>,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For machines.
    Json,
}

impl Default for LogSection {
    fn default() -> Self {
        Self {
            filter: "info".to_owned(),
            format: LogFormat::Text,
            otlp_endpoint: None,
        }
    }
}
