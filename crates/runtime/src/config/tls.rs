use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Certificate of a listener. Changes of the files take effect within seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsSection {
    /// PEM file of the certificate, followed by the intermediate certificates.
    pub certificate: PathBuf,
    /// PEM file of the private key.
    pub key: PathBuf,
}
