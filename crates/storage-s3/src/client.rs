use aws_sdk_s3::{
    Client,
    config::{
        BehaviorVersion, Credentials, IdentityCache, Region, RequestChecksumCalculation,
        ResponseChecksumValidation, SharedHttpClient, StalledStreamProtectionConfig, retry::RetryConfig,
        timeout::TimeoutConfig,
    },
};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};

use crate::config::{S3Config, S3ConfigError};

/// Client that sends requests to the servers' endpoint.
pub(crate) fn for_requests(config: &S3Config) -> Result<Client, S3ConfigError> {
    build(config, config.endpoint.as_deref())
}

/// Client that presigns URLs for the public endpoint. It sends no requests.
pub(crate) fn for_presigning(config: &S3Config) -> Result<Client, S3ConfigError> {
    build(
        config,
        config.public_endpoint.as_deref().or(config.endpoint.as_deref()),
    )
}

fn build(config: &S3Config, endpoint: Option<&str>) -> Result<Client, S3ConfigError> {
    config.check()?;
    let configured = &config.credentials;
    let credentials = Credentials::new(
        &configured.access_key,
        &configured.secret_key,
        configured.session_token.clone(),
        None,
        "configuration",
    );
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(config.timeouts.connect)
        .operation_attempt_timeout(config.timeouts.attempt)
        .operation_timeout(config.timeouts.operation)
        .build();
    let stall = StalledStreamProtectionConfig::enabled()
        .grace_period(config.timeouts.stall)
        .build();
    let mut sdk = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(config.region.clone()))
        .credentials_provider(credentials)
        // Static credentials need no cache.
        .identity_cache(IdentityCache::no_cache())
        .force_path_style(config.force_path_style)
        .http_client(http_client(endpoint)?)
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
        .retry_config(RetryConfig::standard().with_max_attempts(config.max_attempts))
        .timeout_config(timeouts)
        .stalled_stream_protection(stall);
    if let Some(endpoint) = endpoint {
        // The SDK appends the bucket to the endpoint's path without a separator.
        sdk = sdk.endpoint_url(format!("{}/", endpoint.trim_end_matches('/')));
    }
    Ok(Client::from_conf(sdk.build()))
}

/// HTTP client with rustls and ring; it also supports plain HTTP.
fn http_client(endpoint: Option<&str>) -> Result<SharedHttpClient, S3ConfigError> {
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
