use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use ipnet::IpNet;
use rapidphoto_application::settings::Registration;
use rapidphoto_domain::photo::{Check, Policy};
use serde::{Deserialize, Serialize};

use super::{
    distributed::{BrokerSection, DatabaseSection, EventsSection, SecretsSection},
    imaging::ImagingSection,
    limits::LimitsSection,
    storage::StorageSection,
    tls::TlsSection,
};

const MIB: u64 = 1024 * 1024;

/// The complete configuration.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The HTTP API.
    pub server: ServerSection,
    /// The object storage.
    pub storage: StorageSection,
    /// The data directory and its database.
    pub data: DataSection,
    /// PostgreSQL.
    pub database: DatabaseSection,
    /// RabbitMQ.
    pub broker: BrokerSection,
    /// The queue of storage events.
    pub events: EventsSection,
    /// Keys of the API.
    pub secrets: SecretsSection,
    /// Limits of uploads.
    pub uploads: UploadsSection,
    /// Workers that process photos.
    pub work: WorkSection,
    /// Checks of photos.
    pub checks: ChecksSection,
    /// Passwords and tokens.
    pub auth: AuthSection,
    /// Limits of one user.
    pub limits: LimitsSection,
    /// Processes, threads and memory for decoding images.
    pub imaging: ImagingSection,
    /// Logs and traces.
    pub log: LogSection,
}

/// The HTTP API.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerSection {
    /// Listen address of the API; port 0 selects a free port.
    pub listen: String,
    /// Base URL of the API for clients; default: the listen address, with `https://` if there is a certificate.
    pub public_url: Option<String>,
    /// CORS origins that may use the API and the storage; `*` allows all.
    pub allowed_origins: Vec<String>,
    /// Maximum size of a request body in bytes.
    pub body_limit: usize,
    /// Time a request may take, body included.
    #[serde(with = "humantime_serde")]
    pub request_timeout: Duration,
    /// Time that requests and work in progress get to finish on shutdown.
    #[serde(with = "humantime_serde")]
    pub drain_timeout: Duration,
    /// Time between SIGTERM and the end of the listeners; meanwhile `/readyz` answers 503, so that a load balancer sends
    /// requests elsewhere.
    #[serde(with = "humantime_serde")]
    pub shutdown_delay: Duration,
    /// Networks of proxies whose `X-Forwarded-For` is trusted, such as `10.0.0.0/8`.
    pub trusted_proxies: Vec<IpNet>,
    /// Maximum number of trusted proxies between a client and the server.
    pub proxy_hops: usize,
    /// Listen address for operators: `/metrics` and `/readyz` are served there and not on `listen`; default: none.
    pub operations_listen: Option<String>,
    /// True if `/docs` and `/openapi.json` are served on `listen`; otherwise on `operations_listen`, if it is set.
    pub public_docs: bool,
    /// Certificate and key; default: plain text.
    pub tls: Option<TlsSection>,
    /// True if proxies terminate TLS in front of the API and the storage, which may then listen in plain text.
    pub behind_tls_proxy: bool,
    /// True to listen in plain text beyond this machine without such proxies.
    pub insecure: bool,
    /// Maximum number of connections.
    pub max_connections: usize,
    /// Maximum number of connections of one client address; of one /64 with IPv6.
    pub max_connections_per_address: usize,
    /// Time for a TLS handshake, and for the head of each request.
    #[serde(with = "humantime_serde")]
    pub head_timeout: Duration,
    /// Time between requests after which a connection is closed.
    #[serde(with = "humantime_serde")]
    pub idle_timeout: Duration,
    /// Time of waiting for a client to read a response over which its throughput is measured.
    #[serde(with = "humantime_serde")]
    pub stall_timeout: Duration,
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
            shutdown_delay: Duration::ZERO,
            trusted_proxies: Vec::new(),
            proxy_hops: 1,
            operations_listen: None,
            public_docs: true,
            tls: None,
            behind_tls_proxy: false,
            insecure: false,
            max_connections: 2048,
            max_connections_per_address: 256,
            head_timeout: Duration::from_secs(10),
            // Longer than the usual interval between two polls.
            idle_timeout: Duration::from_secs(75),
            stall_timeout: Duration::from_secs(30),
        }
    }
}

/// The data directory and its database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataSection {
    /// Directory of the database, the objects and the secrets.
    pub dir: PathBuf,
    /// Number of database connections for reading.
    pub readers: usize,
    /// Free space in bytes that new photos must leave; 0 for none.
    pub min_free_bytes: u64,
}

impl Default for DataSection {
    fn default() -> Self {
        Self {
            dir: PathBuf::from("data"),
            readers: 4,
            min_free_bytes: 1024 * MIB,
        }
    }
}

/// Limits of uploads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UploadsSection {
    /// Maximum number of files in one job.
    pub max_files: usize,
    /// Maximum size of one file in bytes.
    pub max_file_bytes: u64,
    /// Lifetime of upload and download URLs.
    #[serde(with = "humantime_serde")]
    pub url_lifetime: Duration,
    /// Time after which an upload without any sign of life expires.
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

/// Workers that process photos.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WorkSection {
    /// Number of photos processed at once.
    pub concurrency: usize,
    /// Time a claim of work is valid without renewal; then another worker takes over.
    #[serde(with = "humantime_serde")]
    pub lease: Duration,
    /// Interval at which the database is polled when no wake-up arrives.
    #[serde(with = "humantime_serde")]
    pub poll: Duration,
    /// Delay after the expiry of an upload URL until the storage is checked for the object.
    #[serde(with = "humantime_serde")]
    pub look_grace: Duration,
    /// Interval between checks for an object that a client has reported, before jitter.
    #[serde(with = "humantime_serde")]
    pub look_pause: Duration,
    /// Delay before the first retry after an error; doubles with each retry.
    #[serde(with = "humantime_serde")]
    pub retry_pause: Duration,
    /// Maximum number of bytes of originals in memory at once.
    pub download_budget_bytes: u64,
    /// Retention of rejected photos' originals.
    #[serde(with = "humantime_serde")]
    pub keep_rejected: Duration,
    /// Retention of failed photos' originals.
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

/// Checks of photos.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChecksSection {
    /// Maximum number of pixels of a photo.
    pub max_pixels: u64,
    /// Minimum length of a photo's shorter edge in pixels; default: none.
    pub min_edge: Option<u32>,
    /// Policies, `off`, `warn` or `reject`, that override the defaults of single checks.
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

/// Passwords and tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuthSection {
    /// `open` if anyone may create an account, `closed` if only administrators may.
    pub registration: Registration,
    /// Lifetime of access tokens.
    #[serde(with = "humantime_serde")]
    pub access_lifetime: Duration,
    /// Lifetime of refresh tokens.
    #[serde(with = "humantime_serde")]
    pub refresh_lifetime: Duration,
    /// Lifetime of a session, however often its refresh token is used.
    #[serde(with = "humantime_serde")]
    pub session_lifetime: Duration,
    /// Minimum length of passwords in characters.
    pub min_password_chars: usize,
    /// Maximum number of failed logins per minute for one account from one network: an IPv4 address or an IPv6 /64.
    pub failed_logins_per_minute: usize,
    /// Maximum number of logins per minute from one network.
    pub logins_per_minute: usize,
    /// Maximum number of registrations per minute from one network.
    pub registrations_per_minute: usize,
    /// Number of passwords hashed at once; each takes a thread and memory.
    pub concurrent_hashes: usize,
}

impl Default for AuthSection {
    fn default() -> Self {
        Self {
            registration: Registration::Open,
            access_lifetime: Duration::from_mins(15),
            refresh_lifetime: Duration::from_hours(30 * 24),
            session_lifetime: Duration::from_hours(180 * 24),
            min_password_chars: 10,
            failed_logins_per_minute: 5,
            logins_per_minute: 60,
            registrations_per_minute: 10,
            concurrent_hashes: 2,
        }
    }
}

/// Logs and traces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogSection {
    /// Filter in the syntax of `tracing-subscriber`'s `EnvFilter`.
    pub filter: String,
    /// `text` for people or `json` for machines.
    pub format: LogFormat,
    /// Base URL of an OpenTelemetry collector (OTLP over HTTP); default: no traces.
    pub otlp_endpoint: Option<String>,
}

/// Format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Human-readable lines.
    #[default]
    Text,
    /// One JSON object per line.
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
