//! Credentials of the place where the server runs.

use aws_config::{
    ecs::EcsCredentialsProvider, environment::EnvironmentVariableCredentialsProvider,
    imds::credentials::ImdsCredentialsProvider, meta::credentials::CredentialsProviderChain,
    provider_config::ProviderConfig, web_identity_token::WebIdentityTokenCredentialsProvider,
};
use aws_sdk_s3::config::Region;

use crate::{client::http_client, config::S3ConfigError, credentials::S3Credentials};

impl S3Credentials {
    /// Credentials of the first source that is configured:
    ///
    /// 1. variables `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`
    /// 2. web identity of a Kubernetes service account: `AWS_WEB_IDENTITY_TOKEN_FILE`, `AWS_ROLE_ARN`
    /// 3. containers of ECS and pods of EKS: `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI` or `…_FULL_URI`
    /// 4. instance metadata of EC2, version 2
    ///
    /// A source that is configured and fails is an error; the next one is not tried. Nothing is sent before the first
    /// request or URL. `region` is the one whose token service is asked.
    ///
    /// # Errors
    /// [`S3ConfigError::Tls`]
    pub fn from_environment(region: &str) -> Result<Self, S3ConfigError> {
        let config = ProviderConfig::without_region()
            .with_region(Some(Region::new(region.to_owned())))
            .with_http_client(http_client(None)?);
        let chain =
            CredentialsProviderChain::first_try("environment", EnvironmentVariableCredentialsProvider::new())
                .or_else(
                    "web identity",
                    WebIdentityTokenCredentialsProvider::builder()
                        .configure(&config)
                        .build(),
                )
                .or_else(
                    "container",
                    EcsCredentialsProvider::builder().configure(&config).build(),
                )
                .or_else(
                    "instance metadata",
                    ImdsCredentialsProvider::builder().configure(&config).build(),
                );
        Ok(Self::fetched(chain))
    }
}
