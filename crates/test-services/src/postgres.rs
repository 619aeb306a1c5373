use std::{ops::Deref, sync::OnceLock};

use crate::server::{Server, free_ports};

/// A PostgreSQL server whose superuser `postgres` needs no password.
#[derive(Debug)]
pub struct PostgresServer {
    server: Server,
    port: u16,
}

impl PostgresServer {
    /// Starts a server.
    ///
    /// # Panics
    /// If it can't be started.
    pub fn start() -> Self {
        let [port] = free_ports();
        Self {
            server: Server::start("postgres.sh", &[port]),
            port,
        }
    }

    /// URL of the database `postgres` on a server that all tests of this process share, each in a database or namespace of
    /// its own: `RAPIDPHOTO_TEST_POSTGRES_URL`, or a private server.
    ///
    /// # Panics
    /// If the server can't be started.
    pub fn shared_url() -> String {
        static SHARED: OnceLock<PostgresServer> = OnceLock::new();
        std::env::var("RAPIDPHOTO_TEST_POSTGRES_URL")
            .unwrap_or_else(|_| SHARED.get_or_init(Self::start).url())
    }

    /// URL of the database `postgres`.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Port of the server.
    pub const fn port(&self) -> u16 {
        self.port
    }
}

/// Stops, kills, freezes and restarts the server.
impl Deref for PostgresServer {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}
