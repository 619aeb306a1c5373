use std::time::Duration;

use aws_config::{default_provider::credentials::DefaultCredentialsChain, provider_config::ProviderConfig};
use aws_sdk_sqs::{
    Client,
    config::{
        BehaviorVersion, Credentials, Region, SharedCredentialsProvider, SharedHttpClient,
        retry::RetryConfig, timeout::TimeoutConfig,
    },
};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};

use crate::config::{SqsConfig, SqsConfigError, SqsCredentials};

/// Time-out for establishing a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Time-out of one attempt, longer than a long poll (20 s).
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);

pub(crate) async fn build(config: &SqsConfig) -> Result<Client, SqsConfigError> {
    config.check()?;
    let http = http_client(config.endpoint.as_deref())?;
    let region = Region::new(config.region.clone());
    let credentials = match &config.credentials {
        SqsCredentials::Fixed {
            access_key,
            secret_key,
        } => SharedCredentialsProvider::new(Credentials::new(
            access_key,
            secret_key,
            None,
            None,
            "configuration",
        )),
        SqsCredentials::Environment => {
            let provider = ProviderConfig::without_region()
                .with_region(Some(region.clone()))
                .with_http_client(http.clone());
            let chain = DefaultCredentialsChain::builder()
                .region(region.clone())
                .configure(provider);
            SharedCredentialsProvider::new(chain.build().await)
        }
    };
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .build();
    let mut sdk = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(region)
        .credentials_provider(credentials)
        .http_client(http)
        .retry_config(RetryConfig::standard())
        .timeout_config(timeouts);
    if let Some(endpoint) = &config.endpoint {
        sdk = sdk.endpoint_url(endpoint);
    }
    Ok(Client::from_conf(sdk.build()))
}

/// HTTP client with rustls and ring; it also supports plain HTTP.
fn http_client(endpoint: Option<&str>) -> Result<SharedHttpClient, SqsConfigError> {
    // Root certificates are not loaded for plain HTTP, because a small container may have none.
    let uses_tls = endpoint.is_none_or(|endpoint| endpoint.starts_with("https:"));
    let trust = TrustStore::empty().with_native_roots(uses_tls);
    let tls = TlsContext::builder()
        .with_trust_store(trust)
        .build()
        .map_err(|error| SqsConfigError::Tls(error.to_string()))?;
    Ok(Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(tls)
        .build_https())
}
