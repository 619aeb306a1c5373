use std::fmt;

use lapin::uri::AMQPUri;

use crate::BrokerError;

/// Access to a RabbitMQ broker.
#[derive(Clone)]
pub struct BrokerConfig {
    /// `amqp://user@host:port/vhost`, or `amqps://` for TLS. The host is a name or an IPv4 address.
    pub url: String,
    /// Password; takes the place of one in the URL.
    pub password: Option<String>,
    /// Certificates in PEM format of a private authority that signed the broker's certificate. The system's are trusted
    /// in any case.
    pub ca_certificates: Option<String>,
    /// First part of the names of all queues and exchanges, so that several deployments can share a broker: 1 to 100
    /// letters, digits, `.`, `_` and `-`.
    pub prefix: String,
    /// Deliveries of a notification, beyond the first, before it is dead-lettered: its handler panicked, or the process
    /// ended with the message in hand.
    pub delivery_limit: u16,
}

impl BrokerConfig {
    /// Default of [`prefix`](Self::prefix).
    pub const DEFAULT_PREFIX: &str = "rapidphoto";
    /// Default of [`delivery_limit`](Self::delivery_limit).
    pub const DEFAULT_DELIVERY_LIMIT: u16 = 20;

    /// Configuration with defaults for all but the URL.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            password: None,
            ca_certificates: None,
            prefix: Self::DEFAULT_PREFIX.to_owned(),
            delivery_limit: Self::DEFAULT_DELIVERY_LIMIT,
        }
    }

    /// Parsed URL with the password and defaults.
    pub(crate) fn uri(&self) -> Result<AMQPUri, BrokerError> {
        let is_allowed = |char: char| char.is_ascii_alphanumeric() || "._-".contains(char);
        if !(1..=100).contains(&self.prefix.len()) || !self.prefix.chars().all(is_allowed) {
            return Err(BrokerError::Prefix(self.prefix.clone()));
        }
        // Errors of the parsers contain the URL, and with it the password.
        let url = url::Url::parse(&self.url).map_err(|_| BrokerError::Url)?;
        // lapin would connect to `localhost`.
        if matches!(url.host(), Some(url::Host::Ipv6(_)) | None) {
            return Err(BrokerError::Url);
        }
        let mut uri: AMQPUri = self.url.parse().map_err(|_| BrokerError::Url)?;
        if let Some(password) = &self.password {
            uri.authority.userinfo.password.clone_from(password);
        }
        uri.query.heartbeat.get_or_insert(HEARTBEAT_SECONDS);
        uri.query.connection_timeout.get_or_insert(CONNECT_MILLIS);
        Ok(uri)
    }
}

/// A dead connection is noticed within two heartbeats.
const HEARTBEAT_SECONDS: u16 = 10;
/// Time for the TCP connection.
const CONNECT_MILLIS: u64 = 10_000;

impl fmt::Debug for BrokerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the URL and the password.
        f.debug_struct("BrokerConfig")
            .field("prefix", &self.prefix)
            .field("delivery_limit", &self.delivery_limit)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(url: &str, password: Option<&str>) -> Result<AMQPUri, BrokerError> {
        BrokerConfig {
            password: password.map(str::to_owned),
            ..BrokerConfig::new(url)
        }
        .uri()
    }

    #[test]
    fn the_password_takes_the_place_of_that_in_the_url() {
        let uri = uri("amqps://app:old@broker.example:5671/photos", Some("n#w")).unwrap();
        assert_eq!(uri.authority.userinfo.username, "app");
        assert_eq!(uri.authority.userinfo.password, "n#w");
        assert_eq!(
            (uri.authority.host.as_str(), uri.vhost.as_str()),
            ("broker.example", "photos")
        );
    }

    #[test]
    fn errors_and_debug_contain_no_secret() {
        for url in [
            "amqp://app:hunter2@:x",
            "http://app:hunter2@host",
            "amqp:hunter2",
            "amqp://app:hunter2@[::1]:5672",
            "amqp://app:hunter2@host?heartbeat=hunter2",
        ] {
            let error = uri(url, None).unwrap_err();
            assert!(matches!(error, BrokerError::Url), "{url}");
            assert!(!format!("{error} {error:?}").contains("hunter2"));
        }
        let mut config = BrokerConfig::new("amqp://app:hunter2@host");
        config.password = Some("hunter2".to_owned());
        assert!(!format!("{config:?}").contains("hunter2"));
    }

    #[test]
    fn a_prefix_is_part_of_names() {
        for prefix in ["", "a b", "a/b", "ü", &"x".repeat(101)] {
            let mut config = BrokerConfig::new("amqp://host");
            config.prefix = prefix.to_owned();
            assert!(matches!(config.uri(), Err(BrokerError::Prefix(_))), "{prefix}");
        }
    }
}
