//! URL of the bucket, by the SDK's own rules.

use aws_sdk_s3::config::endpoint::{DefaultResolver, Params, ResolveEndpoint as _};
use futures::FutureExt as _;
use http::{Uri, uri::Port};

use crate::config::{Addressing, S3Config, S3ConfigError};

/// URL of the bucket for clients, in parts.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BucketUrl {
    /// Scheme and authority, such as `https://objects.example:9000`.
    pub(crate) origin: String,
    /// Value of the `Host` header: without the port if it is the scheme's default.
    pub(crate) host: String,
    /// Path without a slash at its end: `/photos` in path style, empty if the bucket is in the host name.
    pub(crate) path: String,
}

impl BucketUrl {
    /// Determines the URL for clients without a request.
    pub(crate) fn for_clients(config: &S3Config) -> Result<Self, S3ConfigError> {
        let endpoint = config.public_endpoint.as_deref().or(config.endpoint.as_deref());
        let params = Params::builder()
            .bucket(&config.bucket)
            .region(&config.region)
            .force_path_style(config.addressing == Addressing::Path)
            .set_endpoint(endpoint.map(terminated))
            .build()
            .map_err(|error| S3ConfigError::Unresolved(error.to_string()))?;
        // The rules are evaluated at once: the future is ready.
        let resolved = DefaultResolver::new()
            .resolve_endpoint(&params)
            .now_or_never()
            .ok_or_else(|| S3ConfigError::Unresolved("it is not known yet".to_owned()))?
            .map_err(|error| S3ConfigError::Unresolved(error.to_string()))?;
        Self::parse(resolved.url()).ok_or_else(|| S3ConfigError::Unresolved(resolved.url().to_owned()))
    }

    fn parse(url: &str) -> Option<Self> {
        let uri: Uri = url.parse().ok()?;
        let (scheme, authority) = (uri.scheme_str()?, uri.authority()?);
        let default_port = if scheme == "https" { 443 } else { 80 };
        let host = match authority.port() {
            Some(port) if Port::as_u16(&port) == default_port => authority.host(),
            _ => authority.as_str(),
        };
        Some(Self {
            origin: format!("{scheme}://{authority}"),
            host: host.to_owned(),
            path: uri.path().trim_end_matches('/').to_owned(),
        })
    }
}

/// The endpoint with a slash at its end: the SDK appends the bucket to the endpoint's path without a separator.
pub(crate) fn terminated(endpoint: &str) -> String {
    format!("{}/", endpoint.trim_end_matches('/'))
}
