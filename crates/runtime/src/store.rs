//! `rapidphoto store`: the embedded storage as a process of its own, which announces new objects to the message broker.

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::Context as _;
use async_trait::async_trait;
use rapidphoto_application::ports::{Clock, Ids};
use rapidphoto_http::{CachedReadiness, Dependency, Process, Readiness};
use rapidphoto_listener::Acceptor;
use rapidphoto_persistence::DataDirLock;
use rapidphoto_queue_rabbitmq::NotificationPublisher;
use rapidphoto_storage_embedded::{EmbeddedConfig, EmbeddedStore, Listener, WriteCheck};
use serde_json::json;
use tokio::{net::TcpListener, sync::watch};
use tokio_util::sync::CancellationToken;

use crate::{
    Config, ConfigError, Program, Running, SystemClock, SystemIds,
    addresses::{Addresses, host, local_url},
    broker,
    database::Database,
    free_space::FreeSpace,
    listeners, operations,
    readiness::state,
    serve::{self, Metrics},
    task_group::TaskGroup,
    wiring::{self, StorageKeys},
};

/// Time that an upload waits for its announcement: the broker may be away, and photos are looked for in any case.
const ANNOUNCEMENT: Duration = Duration::from_secs(1);

/// Serves the storage until SIGTERM or SIGINT, then drains. Once ready, prints the addresses as one line of JSON on stdout.
///
/// On SIGHUP, `reload` loads the configuration again, as `rapidphoto serve` does.
pub async fn serve_store(
    config: Config,
    reload: impl Fn() -> Result<Config, ConfigError>,
) -> anyhow::Result<()> {
    serve::run("rapidphoto-store", config, reload, start).await
}

async fn start(config: Config, metrics: Metrics) -> anyhow::Result<Running> {
    config.check_for(Program::Store)?;
    rapidphoto_listener::install_crypto_provider();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let ids: Arc<dyn Ids> = Arc::new(SystemIds::new(Arc::clone(&clock)));
    let lock = DataDirLock::acquire(&config.data.dir)?;
    let section = &config.storage;
    listeners::raise_file_limit(section.max_connections);
    let tls = listeners::load(section.tls.as_ref()).context("storage.tls")?;
    let socket = TcpListener::bind(&section.listen)
        .await
        .with_context(|| format!("the storage can't listen on {} (storage.listen)", section.listen))?;
    let address = socket.local_addr()?;
    let operators = listeners::operations(&config)?;
    let url = section.public_url.clone().unwrap_or_else(|| local_url(address));

    let broker = broker::open(&config).await?.context("broker.url")?;
    let messages = Arc::new(NotificationPublisher::new(&broker, Arc::clone(&ids)));
    let embedded = EmbeddedConfig {
        notification_timeout: ANNOUNCEMENT,
        ..wiring::embedded(&config, keys(&config)?, vec![host(&url)])
    };
    let opened = tokio::task::spawn_blocking({
        let (clock, ids) = (Arc::clone(&clock), Arc::clone(&ids));
        move || EmbeddedStore::open(&embedded, messages, clock, ids)
    });
    let objects = opened.await?.context("the storage can't be opened")?;
    let write_check = objects.write_check();

    let failed = CancellationToken::new();
    let mut storage = TaskGroup::new(&failed);
    let certificates = tls.iter().cloned().collect::<Vec<_>>();
    listeners::watch(&mut storage, &certificates);
    let served = vec![Listener {
        acceptor: Acceptor::new("storage", listeners::storage_limits(&config), tls),
        socket,
    }];
    storage.spawn("storage", |stop| async move {
        objects.serve(served, stop.cancelled_owned()).await;
    });

    let draining = watch::Sender::new(false);
    let objects_dir = wiring::objects_dir(&config);
    let free_space = FreeSpace::new(&objects_dir, &objects_dir);
    let readiness = StoreReadiness {
        write_check,
        objects_dir,
    };
    let mut operations = TaskGroup::new(&failed);
    let process = Process {
        readiness: Arc::new(CachedReadiness::new(Arc::new(readiness))),
        metrics: Arc::new(move || {
            // A failure is reported by `/readyz`.
            let _ = free_space.record();
            metrics()
        }),
        draining: draining.subscribe(),
    };
    let operations_address = operations::serve(&mut operations, operators, process)?;
    Ok(Running {
        announcement: json!({ "s3": url, "listens": local_url(address), "operations": operations_address }),
        addresses: Addresses {
            s3_public: url,
            ..Addresses::default()
        },
        certificates,
        operations,
        storage,
        failed,
        draining,
        _lock: Some(lock),
        ..Running::idle(&config, ids, Arc::new(NoDatabase))
    })
}

/// Key pair of the configuration.
fn keys(config: &Config) -> anyhow::Result<StorageKeys<'_>> {
    let (access_key, secret_key) = (&config.storage.access_key, &config.storage.secret_key);
    Ok(StorageKeys {
        access_key: access_key.as_ref().context("storage.access_key")?.reveal(),
        secret_key: secret_key.as_ref().context("storage.secret_key")?.reveal(),
    })
}

/// The store has no database.
struct NoDatabase;

#[async_trait]
impl Database for NoDatabase {
    async fn remove_traces(&self) {}

    async fn close(&self) {}
}

struct StoreReadiness {
    write_check: WriteCheck,
    objects_dir: PathBuf,
}

#[async_trait]
impl Readiness for StoreReadiness {
    async fn dependencies(&self) -> Vec<Dependency> {
        let check = self.write_check.clone();
        let directory = self.objects_dir.display().to_string();
        let written = async move {
            tokio::task::spawn_blocking(move || check.run())
                .await
                .map_err(|error| error.to_string())?
                .map_err(|error| format!("{directory}: {error}"))
        };
        vec![Dependency {
            name: "object storage",
            state: state(written).await,
            required: true,
        }]
    }
}
