use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{secret::Secret, tls::TlsSection};

/// Object storage: the embedded one, and how the API and the worker reach a store of another process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StorageSection {
    /// Listen address of the embedded storage; port 0 selects a free port.
    pub listen: String,
    /// Base URL of the embedded storage for clients; default: the listen address, with `https://` if there is a certificate.
    pub public_url: Option<String>,
    /// Name of the bucket.
    pub bucket: String,
    /// Region of the bucket; part of every signature.
    pub region: String,
    /// First segment of all object keys; separates deployments that share a bucket.
    pub environment: String,
    /// Certificate and key of the embedded storage; default: plain text.
    pub tls: Option<TlsSection>,
    /// Maximum number of connections of clients.
    pub max_connections: usize,
    /// Maximum number of connections of one client address; of one /64 with IPv6.
    pub max_connections_per_address: usize,
    /// Time for a TLS handshake, and for the head of each request.
    #[serde(with = "humantime_serde")]
    pub head_timeout: Duration,
    /// Time after which a connection without traffic is closed.
    #[serde(with = "humantime_serde")]
    pub idle_timeout: Duration,
    /// URL of the store for the API and the worker; default: that of AWS in the region.
    pub endpoint: Option<String>,
    /// URL of the store in presigned URLs, for clients; default: `endpoint`.
    pub public_endpoint: Option<String>,
    /// `path` or `virtual`; default: `path` with an endpoint, else `virtual`.
    pub addressing: Option<AddressingStyle>,
    /// `static` (`access_key` and `secret_key`) or `chain`: environment, web identity, container, instance.
    pub credentials: CredentialsSource,
    /// Access key ID.
    pub access_key: Option<Secret>,
    /// Secret access key.
    pub secret_key: Option<Secret>,
    /// Encryption that the store is asked for: `none` (its default), `s3` or `kms`.
    pub encryption: EncryptionKind,
    /// Key of KMS with `kms`; default: the account's.
    pub kms_key: Option<String>,
    /// `on`, `off` or `auto`: uploads that must not replace an object are refused by the store itself.
    pub conditional_writes: Conditional,
}

impl Default for StorageSection {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:9000".to_owned(),
            public_url: None,
            bucket: "photos".to_owned(),
            region: "us-east-1".to_owned(),
            environment: "local".to_owned(),
            tls: None,
            max_connections: 1024,
            max_connections_per_address: 128,
            head_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(30),
            endpoint: None,
            public_endpoint: None,
            addressing: None,
            credentials: CredentialsSource::Static,
            access_key: None,
            secret_key: None,
            encryption: EncryptionKind::None,
            kms_key: None,
            conditional_writes: Conditional::Auto,
        }
    }
}

/// Place of the bucket's name in URLs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AddressingStyle {
    /// First segment of the path.
    Path,
    /// First label of the host.
    Virtual,
}

/// Source of the credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CredentialsSource {
    /// The configuration.
    Static,
    /// The environment, as AWS's SDKs look for them.
    Chain,
}

/// Server-side encryption.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EncryptionKind {
    /// The bucket's default.
    None,
    /// Keys of the store.
    S3,
    /// Keys of KMS.
    Kms,
}

/// Use of `If-None-Match`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Conditional {
    /// If a probe at the start shows that the store honours it.
    Auto,
    /// Always.
    On,
    /// Never.
    Off,
}
