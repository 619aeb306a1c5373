use std::{fmt, time::Duration};

/// Connection to a queue of storage notifications.
#[derive(Debug, Clone)]
pub struct SqsConfig {
    /// Base URL of a server that imitates SQS; `None` for AWS.
    pub endpoint: Option<String>,
    /// Region of the queue.
    pub region: String,
    /// Keys that sign requests.
    pub credentials: SqsCredentials,
    /// URL of the queue.
    pub queue_url: String,
    /// URL of the queue of messages that can't be handled; `None` for the one in the queue's redrive policy.
    pub dead_letter_queue_url: Option<String>,
    /// Number of receive requests in parallel, each for up to 10 messages.
    pub receivers: usize,
    /// Time for which a message in hand is hidden from other consumers. It is renewed three times as often, and is the
    /// delay until the messages of a killed consumer are delivered again.
    pub visibility: Duration,
}

impl SqsConfig {
    /// Configuration for AWS with default settings.
    pub fn new(region: impl Into<String>, queue_url: impl Into<String>, credentials: SqsCredentials) -> Self {
        Self {
            endpoint: None,
            region: region.into(),
            credentials,
            queue_url: queue_url.into(),
            dead_letter_queue_url: None,
            receivers: 4,
            visibility: Duration::from_mins(1),
        }
    }

    /// Validates the configuration.
    ///
    /// # Errors
    /// [`SqsConfigError`] for the first invalid setting.
    pub fn check(&self) -> Result<(), SqsConfigError> {
        if self.region.is_empty() {
            return Err(SqsConfigError::Region);
        }
        let urls = [
            Some(&self.queue_url),
            self.dead_letter_queue_url.as_ref(),
            self.endpoint.as_ref(),
        ];
        for url in urls.into_iter().flatten() {
            if !url.starts_with("https://") && !url.starts_with("http://") {
                return Err(SqsConfigError::Url(url.clone()));
            }
        }
        if self.receivers == 0 {
            return Err(SqsConfigError::Receivers);
        }
        if !(MIN_VISIBILITY..=MAX_VISIBILITY).contains(&self.visibility) {
            return Err(SqsConfigError::Visibility(self.visibility));
        }
        Ok(())
    }
}

/// SQS counts in seconds.
const MIN_VISIBILITY: Duration = Duration::from_secs(1);
/// The longest visibility time-out of SQS is 12 hours, counted from the delivery; renewals need a part of it.
const MAX_VISIBILITY: Duration = Duration::from_hours(1);

/// Keys that sign requests.
#[derive(Clone)]
pub enum SqsCredentials {
    /// Long-term keys.
    Fixed {
        /// Access key ID.
        access_key: String,
        /// Secret access key.
        secret_key: String,
    },
    /// Those of the environment: its variables, files of profiles, web identity, container or instance metadata, in this
    /// order.
    Environment,
}

impl fmt::Debug for SqsCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed { access_key, .. } => f
                .debug_struct("Fixed")
                .field("access_key", access_key)
                .finish_non_exhaustive(),
            Self::Environment => f.write_str("Environment"),
        }
    }
}

/// An [`SqsConfig`] is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SqsConfigError {
    /// The region is empty.
    #[error("the region of the queue must not be empty")]
    Region,
    /// A URL is none.
    #[error(
        "{0:?} is not a URL; queues have URLs such as https://sqs.eu-west-1.amazonaws.com/123456789012/name"
    )]
    Url(String),
    /// There is no receiver.
    #[error("the number of receivers must be at least 1")]
    Receivers,
    /// The visibility time-out is out of range.
    #[error("the visibility time-out is {0:?}; it must be between 1 s and 1 h")]
    Visibility(Duration),
    /// TLS can't be initialised.
    #[error("TLS can't be initialised: {0}")]
    Tls(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> SqsConfig {
        let credentials = SqsCredentials::Fixed {
            access_key: "AKIA".to_owned(),
            secret_key: "very secret".to_owned(),
        };
        SqsConfig::new(
            "eu-west-1",
            "https://sqs.eu-west-1.amazonaws.com/1/q",
            credentials,
        )
    }

    #[test]
    fn secrets_are_not_in_debug_output() {
        let debug = format!("{:?}", config());
        assert!(
            debug.contains("AKIA") && !debug.contains("very secret"),
            "{debug}"
        );
    }

    #[test]
    fn invalid_settings_are_reported() {
        assert_eq!(config().check(), Ok(()));
        let invalid = |change: fn(&mut SqsConfig)| {
            let mut config = config();
            change(&mut config);
            config.check().unwrap_err()
        };
        assert_eq!(invalid(|config| config.region.clear()), SqsConfigError::Region);
        assert_eq!(
            invalid(|config| config.dead_letter_queue_url = Some("dead".to_owned())),
            SqsConfigError::Url("dead".to_owned())
        );
        assert_eq!(invalid(|config| config.receivers = 0), SqsConfigError::Receivers);
        assert_eq!(
            invalid(|config| config.visibility = Duration::ZERO),
            SqsConfigError::Visibility(Duration::ZERO)
        );
    }
}
