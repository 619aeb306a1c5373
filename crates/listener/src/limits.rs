use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

/// Limits of the connections of one listener.
#[derive(Clone)]
pub struct Limits {
    /// Maximum number of connections.
    pub max_connections: usize,
    /// Maximum number of connections of one client address; of one /64 with IPv6.
    pub max_connections_per_address: usize,
    /// Time for a TLS handshake and, from its first byte, for the head of each request.
    pub head_timeout: Duration,
    /// Time between requests after which a connection is closed.
    pub idle_timeout: Duration,
    /// Time of waiting for a client to read over which its throughput is measured.
    pub stall_timeout: Duration,
    /// Returns true for the addresses of proxies in front of the server, whose connections are limited only overall.
    pub is_proxy: Arc<dyn Fn(IpAddr) -> bool + Send + Sync>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_connections: 2048,
            max_connections_per_address: 256,
            head_timeout: Duration::from_secs(10),
            // Longer than the usual interval between two polls.
            idle_timeout: Duration::from_secs(75),
            stall_timeout: Duration::from_secs(30),
            is_proxy: Arc::new(|_| false),
        }
    }
}

impl fmt::Debug for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limits")
            .field("max_connections", &self.max_connections)
            .field("max_connections_per_address", &self.max_connections_per_address)
            .field("head_timeout", &self.head_timeout)
            .field("idle_timeout", &self.idle_timeout)
            .field("stall_timeout", &self.stall_timeout)
            .finish_non_exhaustive()
    }
}
