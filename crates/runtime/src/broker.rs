//! Access to the message broker.

use anyhow::Context as _;
use rapidphoto_queue_rabbitmq::{Broker, BrokerConfig, BrokerError};

use crate::Config;

/// The configured broker, with its exchanges and queues; `None` if none is configured.
///
/// A broker that can't be reached is no error: everything else works without it, and it is connected to once it is back.
pub(crate) async fn open(config: &Config) -> anyhow::Result<Option<Broker>> {
    let section = &config.broker;
    let Some(url) = &section.url else { return Ok(None) };
    let ca_certificates = section.ca.as_ref().map(|path| {
        std::fs::read_to_string(path).with_context(|| format!("broker.ca: {} can't be read", path.display()))
    });
    let broker = Broker::new(&BrokerConfig {
        password: section.password.as_ref().map(|secret| secret.reveal().to_owned()),
        ca_certificates: ca_certificates.transpose()?,
        prefix: section.prefix.clone(),
        ..BrokerConfig::new(url)
    })
    .context("the configuration of the broker is invalid")?;
    match broker.declare().await {
        Ok(()) => {}
        Err(error @ BrokerError::Mismatch { .. }) => return Err(error.into()),
        Err(error) => tracing::warn!(
            error = &error as &dyn std::error::Error,
            "the broker can't be reached; it is tried again"
        ),
    }
    Ok(Some(broker))
}
