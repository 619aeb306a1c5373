use std::sync::Arc;

use aws_sdk_s3::{
    Client,
    config::{
        BehaviorVersion, IdentityCache, ProvideCredentials, Region, RequestChecksumCalculation,
        ResponseChecksumValidation, SharedCredentialsProvider, SharedHttpClient,
        StalledStreamProtectionConfig, retry::RetryConfig, timeout::TimeoutConfig,
    },
};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};

use crate::{
    config::{Addressing, S3Config, S3ConfigError},
    endpoint::terminated,
};

/// Client that sends requests to the servers' endpoint.
pub(crate) fn build(
    config: &S3Config,
    credentials: Arc<dyn ProvideCredentials>,
) -> Result<Client, S3ConfigError> {
    let endpoint = config.endpoint.as_deref();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(config.timeouts.connect)
        .read_timeout(config.timeouts.read)
        .operation_attempt_timeout(config.timeouts.attempt)
        .operation_timeout(config.timeouts.operation)
        .build();
    let stall = StalledStreamProtectionConfig::enabled()
        .grace_period(config.timeouts.stall)
        .build();
    let mut sdk = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(config.region.clone()))
        .credentials_provider(SharedCredentialsProvider::from(credentials))
        // `CurrentCredentials` is the cache.
        .identity_cache(IdentityCache::no_cache())
        .force_path_style(config.addressing == Addressing::Path)
        .http_client(http_client(endpoint)?)
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
        .retry_config(RetryConfig::standard().with_max_attempts(config.max_attempts))
        .timeout_config(timeouts)
        .stalled_stream_protection(stall);
    if let Some(endpoint) = endpoint {
        sdk = sdk.endpoint_url(terminated(endpoint));
    }
    Ok(Client::from_conf(sdk.build()))
}

/// HTTP client with rustls and ring; it also supports plain HTTP.
pub(crate) fn http_client(endpoint: Option<&str>) -> Result<SharedHttpClient, S3ConfigError> {
    // Root certificates are not loaded for plain HTTP, because a small container may have none.
    let uses_tls = endpoint.is_none_or(|endpoint| {
        endpoint
            .get(..6)
            .is_some_and(|scheme| scheme.eq_ignore_ascii_case("https:"))
    });
    let trust = TrustStore::empty().with_native_roots(uses_tls);
    let tls = TlsContext::builder()
        .with_trust_store(trust)
        .build()
        .map_err(|error| S3ConfigError::Tls(error.to_string()))?;
    Ok(Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(tls)
        .build_https())
}
