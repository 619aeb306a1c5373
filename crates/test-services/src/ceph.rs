use std::{ops::Deref, sync::OnceLock};

use crate::server::{Server, free_ports};

/// A Ceph cluster of one node, with its data in memory and an S3 gateway: a store of other makers, with bucket
/// notifications.
#[derive(Debug)]
pub struct CephServer {
    server: Server,
    port: u16,
}

impl CephServer {
    /// Access key of its user.
    pub const ACCESS_KEY: &'static str = "key";

    /// Secret key of its user.
    pub const SECRET_KEY: &'static str = "secret";

    /// Starts a cluster, which takes about 15 seconds.
    ///
    /// # Panics
    /// If it can't be started.
    pub fn start() -> Self {
        let [port, monitor] = free_ports();
        Self {
            server: Server::start("ceph.sh", &[port, monitor]),
            port,
        }
    }

    /// A cluster that all tests of this process share, each with a bucket of its own.
    ///
    /// # Panics
    /// If it can't be started.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<CephServer> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// URL of the gateway.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

/// Stops, kills, freezes and restarts the gateway; the cluster keeps running.
impl Deref for CephServer {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}
