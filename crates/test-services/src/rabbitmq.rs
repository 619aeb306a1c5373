use std::{ops::Deref, sync::OnceLock};

use crate::server::{Server, free_ports};

/// A RabbitMQ broker with the user `guest`, password `guest`.
#[derive(Debug)]
pub struct RabbitServer {
    server: Server,
    port: u16,
}

impl RabbitServer {
    /// Starts a broker, which takes seconds.
    ///
    /// # Panics
    /// If it can't be started.
    pub fn start() -> Self {
        let [port, distribution, names] = free_ports();
        Self {
            server: Server::start("rabbitmq.sh", &[port, distribution, names]),
            port,
        }
    }

    /// URL of a broker that all tests of this process share, each with names of its own: `RAPIDPHOTO_TEST_RABBITMQ_URL`, or
    /// a private broker.
    ///
    /// # Panics
    /// If the broker can't be started.
    pub fn shared_url() -> String {
        static SHARED: OnceLock<RabbitServer> = OnceLock::new();
        std::env::var("RAPIDPHOTO_TEST_RABBITMQ_URL")
            .unwrap_or_else(|_| SHARED.get_or_init(Self::start).url())
    }

    /// URL of the broker's virtual host `/`.
    pub fn url(&self) -> String {
        format!("amqp://guest:guest@127.0.0.1:{}/%2f", self.port)
    }
}

/// Stops, kills, freezes and restarts the broker.
impl Deref for RabbitServer {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}
