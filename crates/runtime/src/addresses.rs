//! Addresses of the API and the storage.

use std::net::SocketAddr;

use crate::{Config, config::TlsSection};

/// Base URLs of the API and the storage.
#[derive(Debug, Clone, Default)]
pub(crate) struct Addresses {
    /// The API on this machine.
    pub(crate) api_local: String,
    /// The API, for clients.
    pub(crate) api_public: String,
    /// The storage, for clients.
    pub(crate) s3_public: String,
}

impl Addresses {
    pub(crate) fn new(config: &Config, api: SocketAddr, s3: SocketAddr) -> Self {
        let public = |url: Option<&String>, address, tls: &Option<TlsSection>| {
            url.map_or_else(
                || base_url(address, tls.is_some()),
                |url| url.trim_end_matches('/').to_owned(),
            )
        };
        let (server, storage) = (&config.server, &config.storage);
        Self {
            api_local: base_url(reachable(api), server.tls.is_some()),
            api_public: public(server.public_url.as_ref(), api, &server.tls),
            s3_public: public(storage.public_url.as_ref(), s3, &storage.tls),
        }
    }
}

/// Host and port of a base URL.
pub(crate) fn host(url: &str) -> String {
    url.split_once("://").map_or(url, |(_, host)| host).to_owned()
}

/// Base URL of a plain-text listener, for connections from this machine.
#[cfg(feature = "rabbitmq")]
pub(crate) fn local_url(address: SocketAddr) -> String {
    base_url(reachable(address), false)
}

fn base_url(address: SocketAddr, tls: bool) -> String {
    let scheme = if tls { "https" } else { "http" };
    format!("{scheme}://{address}")
}

/// Address for connections from this machine: loopback if the server listens on all addresses.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        let loopback = if address.is_ipv4() {
            [127, 0, 0, 1].into()
        } else {
            std::net::Ipv6Addr::LOCALHOST.into()
        };
        address.set_ip(loopback);
    }
    address
}
