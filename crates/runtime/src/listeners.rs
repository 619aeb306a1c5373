//! Listening sockets, their certificates and the limits of their connections.

use std::{net::IpAddr, sync::Arc};

use anyhow::Context;
use rapidphoto_listener::{Limits, Tls, TlsFiles};
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::net::TcpListener;

use crate::{Config, config::TlsSection, task_group::TaskGroup};

/// Sockets that listen, and the certificates of those that speak TLS.
pub(crate) struct Listeners {
    pub(crate) api: std::net::TcpListener,
    pub(crate) api_tls: Option<Arc<Tls>>,
    /// `/metrics` and `/readyz`, with the API's certificate.
    pub(crate) operations: Option<std::net::TcpListener>,
    /// The storage, for clients.
    pub(crate) storage: TcpListener,
    pub(crate) storage_tls: Option<Arc<Tls>>,
}

impl Listeners {
    pub(crate) async fn open(config: &Config) -> anyhow::Result<Self> {
        let (server, storage) = (&config.server, &config.storage);
        let operations = server
            .operations_listen
            .as_ref()
            .map_or(0, |_| OPERATIONS_CONNECTIONS);
        raise_file_limit(server.max_connections + storage.max_connections + operations);
        if server.behind_tls_proxy && server.trusted_proxies.is_empty() {
            tracing::warn!(
                "server.behind_tls_proxy is set and server.trusted_proxies is empty: all clients share the limits of the \
                 proxy's address; add it to server.trusted_proxies"
            );
        }
        let certificates = (
            load(server.tls.as_ref()).context("server.tls")?,
            load(storage.tls.as_ref()).context("storage.tls")?,
        );
        Ok(Self {
            api: std::net::TcpListener::bind(&server.listen)
                .with_context(|| format!("the API can't listen on {} (server.listen)", server.listen))?,
            api_tls: certificates.0,
            operations: self::operations(config)?,
            storage: TcpListener::bind(&storage.listen).await.with_context(|| {
                format!("the storage can't listen on {} (storage.listen)", storage.listen)
            })?,
            storage_tls: certificates.1,
        })
    }

    /// Certificates of all listeners.
    pub(crate) fn certificates(&self) -> Vec<Arc<Tls>> {
        self.api_tls.iter().chain(&self.storage_tls).cloned().collect()
    }
}

/// Sockets of the API as a process of its own.
#[cfg(feature = "distributed")]
pub(crate) struct ApiListeners {
    pub(crate) api: std::net::TcpListener,
    pub(crate) api_tls: Option<Arc<Tls>>,
    pub(crate) operations: Option<std::net::TcpListener>,
}

#[cfg(feature = "distributed")]
impl ApiListeners {
    pub(crate) fn open(config: &Config) -> anyhow::Result<Self> {
        let server = &config.server;
        raise_file_limit(server.max_connections + OPERATIONS_CONNECTIONS);
        Ok(Self {
            api: std::net::TcpListener::bind(&server.listen)
                .with_context(|| format!("the API can't listen on {} (server.listen)", server.listen))?,
            api_tls: load(server.tls.as_ref()).context("server.tls")?,
            operations: operations(config)?,
        })
    }
}

/// Socket for operators, if it is configured.
pub(crate) fn operations(config: &Config) -> anyhow::Result<Option<std::net::TcpListener>> {
    config
        .server
        .operations_listen
        .as_ref()
        .map(std::net::TcpListener::bind)
        .transpose()
        .context("the server can't listen for operators (server.operations_listen)")
}

/// Loads certificates again whenever their files change.
pub(crate) fn watch(tasks: &mut TaskGroup, certificates: &[Arc<Tls>]) {
    for certificate in certificates {
        let certificate = Arc::clone(certificate);
        tasks.spawn("TLS certificate", |stop| async move {
            stop.run_until_cancelled(certificate.watch()).await;
        });
    }
}

pub(crate) fn load(files: Option<&TlsSection>) -> anyhow::Result<Option<Arc<Tls>>> {
    let load = |files: &TlsSection| {
        Tls::load(TlsFiles {
            certificate: files.certificate.clone(),
            key: files.key.clone(),
        })
    };
    Ok(files.map(load).transpose()?.map(Arc::new))
}

/// Files of the database, logs and so on, beside connections.
const OTHER_FILES: usize = 512;

/// Raises the limit of open files as far as the connections need it; shells often set 1024.
pub(crate) fn raise_file_limit(connections: usize) {
    let needed = (connections + OTHER_FILES) as u64;
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= needed) {
        return;
    }
    limit.current = Some(limit.maximum.map_or(needed, |maximum| maximum.min(needed)));
    let raised = setrlimit(Resource::Nofile, limit).is_ok();
    if !raised || limit.current < Some(needed) {
        tracing::warn!(
            needed,
            possible = limit.current,
            "the limit of open files (ulimit -n) does not allow all connections; connections beyond it are not accepted"
        );
    }
}

pub(crate) fn api_limits(config: &Config) -> Limits {
    let server = &config.server;
    Limits {
        max_connections: server.max_connections,
        max_connections_per_address: server.max_connections_per_address,
        head_timeout: server.head_timeout,
        idle_timeout: server.idle_timeout,
        stall_timeout: server.stall_timeout,
        is_proxy: is_proxy(config),
    }
}

/// Connections for operators: probes and a few scrapers, each of which may stand for a whole network.
const OPERATIONS_CONNECTIONS: usize = 64;

pub(crate) fn operations_limits(config: &Config) -> Limits {
    Limits {
        max_connections: OPERATIONS_CONNECTIONS,
        max_connections_per_address: OPERATIONS_CONNECTIONS,
        ..api_limits(config)
    }
}

pub(crate) fn storage_limits(config: &Config) -> Limits {
    let storage = &config.storage;
    Limits {
        max_connections: storage.max_connections,
        max_connections_per_address: storage.max_connections_per_address,
        head_timeout: storage.head_timeout,
        idle_timeout: storage.idle_timeout,
        stall_timeout: storage.idle_timeout,
        is_proxy: is_proxy(config),
    }
}

/// A proxy stands for many clients.
fn is_proxy(config: &Config) -> Arc<dyn Fn(IpAddr) -> bool + Send + Sync> {
    let proxies = config.server.trusted_proxies.clone();
    Arc::new(move |address| proxies.iter().any(|network| network.contains(&address)))
}
