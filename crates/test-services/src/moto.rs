use std::{ops::Deref, sync::OnceLock};

use crate::server::{Server, free_ports};

/// An imitation of AWS: SQS, SNS, EventBridge and S3. It checks no signatures.
#[derive(Debug)]
pub struct MotoServer {
    server: Server,
    port: u16,
}

impl MotoServer {
    /// Starts a server.
    ///
    /// # Panics
    /// If it can't be started.
    pub fn start() -> Self {
        let [port] = free_ports();
        Self {
            server: Server::start("moto.sh", &[port]),
            port,
        }
    }

    /// A server that all tests of this process share, each with names of its own.
    ///
    /// # Panics
    /// If the server can't be started.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<MotoServer> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// Base URL of all its services.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

/// Stops, kills, freezes and restarts the server.
impl Deref for MotoServer {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}
