//! URL of the bucket, by the SDK's own rules.

use aws_sdk_s3::config::endpoint::{DefaultResolver, Params, ResolveEndpoint as _};
use futures::FutureExt as _;
use rapidphoto_presigning::BucketUrl;

use crate::config::{Addressing, S3Config, S3ConfigError};

/// URL of the bucket for clients, determined without a request.
pub(crate) fn bucket_for_clients(config: &S3Config) -> Result<BucketUrl, S3ConfigError> {
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
    BucketUrl::parse(resolved.url()).ok_or_else(|| S3ConfigError::Unresolved(resolved.url().to_owned()))
}

/// The endpoint with a slash at its end: the SDK appends the bucket to the endpoint's path without a separator.
pub(crate) fn terminated(endpoint: &str) -> String {
    format!("{}/", endpoint.trim_end_matches('/'))
}
