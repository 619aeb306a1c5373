use std::{fmt, sync::Arc, time::Duration};

use lapin::{
    Channel, Connection, ConnectionProperties, options::ConfirmSelectOptions, runtime, tcp::OwnedTLSConfig,
    uri::AMQPUri,
};
use metrics::gauge;

use crate::{
    BrokerConfig, BrokerError, Names,
    topology::{self, short},
};

/// A deployment's part of a RabbitMQ broker, from which the adapters open their connections.
///
/// Consumers and publishers have connections of their own: a broker that runs out of memory or disk stops reading from
/// connections that publish, and with them acknowledgements would stop.
#[derive(Clone)]
pub struct Broker(Arc<Access>);

struct Access {
    uri: AMQPUri,
    tls: OwnedTLSConfig,
    names: Names,
    delivery_limit: u16,
}

/// Time for log-in and declarations after the TCP connection.
const OPEN_TIMEOUT: Duration = Duration::from_secs(20);
/// Time for the goodbye to a broker, which may be gone.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

impl Broker {
    /// Access with this configuration. Connects to nothing.
    ///
    /// # Errors
    /// [`BrokerError::Url`] and [`BrokerError::Prefix`].
    pub fn new(config: &BrokerConfig) -> Result<Self, BrokerError> {
        Ok(Self(Arc::new(Access {
            uri: config.uri()?,
            tls: OwnedTLSConfig {
                identity: None,
                cert_chain: config.ca_certificates.clone(),
            },
            names: Names::new(&config.prefix),
            delivery_limit: config.delivery_limit,
        })))
    }

    /// Names of the exchanges and queues.
    pub fn names(&self) -> &Names {
        &self.0.names
    }

    /// Connects, and creates the exchanges and queues that don't exist. Every connection does so; at start this shows
    /// errors of the configuration.
    ///
    /// # Errors
    /// [`BrokerError::Mismatch`] if one exists with other settings; [`BrokerError::Unreachable`] and
    /// [`BrokerError::TimedOut`].
    pub async fn declare(&self) -> Result<(), BrokerError> {
        self.connect("topology").await?.close().await;
        Ok(())
    }

    /// Opens a connection for one purpose, which is part of its name and of the metric.
    pub(crate) async fn connect(&self, purpose: &'static str) -> Result<Link, BrokerError> {
        let open = async {
            let properties = ConnectionProperties::default()
                .with_connection_name(format!("{} {purpose}", self.0.names.notifications).into());
            let connection = Connection::connect_uri_with_config(
                self.0.uri.clone(),
                properties,
                self.0.tls.clone(),
                runtime::default_runtime()?,
            );
            let connection = connection.await?;
            let channel = connection.create_channel().await?;
            topology::declare(&channel, &self.0.names, self.0.delivery_limit).await?;
            Ok::<_, BrokerError>((connection, channel))
        };
        let opened = tokio::time::timeout(OPEN_TIMEOUT, open).await;
        let (connection, channel) = opened.map_err(|_| BrokerError::TimedOut(OPEN_TIMEOUT.as_secs()))??;
        gauge!("broker_connected", "purpose" => purpose).set(1.0);
        tracing::info!(purpose, "connected to the message broker");
        Ok(Link {
            connection,
            channel,
            purpose,
        })
    }
}

impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Broker").field(&self.0.names).finish()
    }
}

/// An open connection with one channel.
pub(crate) struct Link {
    connection: Connection,
    pub(crate) channel: Channel,
    purpose: &'static str,
}

impl Link {
    /// Turns on confirmations of published messages.
    pub(crate) async fn with_confirms(self) -> Result<Self, BrokerError> {
        let options = ConfirmSelectOptions::default();
        self.channel.confirm_select(options).await?;
        Ok(self)
    }

    /// True until the connection or the channel ends.
    pub(crate) fn is_open(&self) -> bool {
        self.connection.status().connected() && self.channel.status().connected()
    }

    /// Closes the connection after what was sent before. The broker requeues what is not acknowledged.
    pub(crate) async fn close(self) {
        let closed = self.connection.close(200, short("closed"));
        // The connection may have ended already, which is the same.
        let _ = tokio::time::timeout(CLOSE_TIMEOUT, closed).await;
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        gauge!("broker_connected", "purpose" => self.purpose).set(0.0);
    }
}
