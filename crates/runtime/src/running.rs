//! A complete deployment in one process: start, addresses and draining.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use rapidphoto_application::{
    Housekeeping, UseCases,
    intake::StorageEventHandler,
    live::{LiveTail, WatchHandler},
    ports::{Clock, Ids, SingleProcess},
    progress::ProgressBoard,
    signals::Signals,
    uploads::UploadSweep,
    work::{LONGEST_RETRY_DELAY, WorkRunner},
};
use rapidphoto_http::App;
use rapidphoto_listener::{Acceptor, Tls};
use rapidphoto_persistence::DataDirLock;
use rapidphoto_storage_embedded::{EmbeddedObjects, EmbeddedPresigner, EmbeddedStore, Listener};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    Config, Program, SystemClock, SystemIds,
    addresses::{Addresses, host},
    data_dir::{self, DataDir},
    database::Database,
    free_space::FreeSpace,
    housekeeping,
    listeners::{self, Listeners},
    reactors,
    readiness::Dependencies,
    task_group::TaskGroup,
    wiring::{self, SharedParts, StorageKeys},
};

/// A running deployment.
pub struct Running {
    pub(crate) addresses: Addresses,
    /// Line of JSON that tells the caller of a program where it listens.
    pub(crate) announcement: serde_json::Value,
    /// TLS of the listeners.
    pub(crate) certificates: Vec<Arc<Tls>>,
    pub(crate) max_files_per_job: usize,
    pub(crate) ids: Arc<dyn Ids>,
    pub(crate) database: Arc<dyn Database>,
    /// The API and the live tail; stopped first, together with the workers.
    pub(crate) api_tasks: TaskGroup,
    pub(crate) workers: TaskGroup,
    /// The listener for operators, so that `/readyz` says until the end that the process is stopping, and the exchange with
    /// other processes; stopped last.
    pub(crate) operations: TaskGroup,
    /// The embedded storage; stopped after the workers, which need it to finish.
    pub(crate) storage: TaskGroup,
    /// Cancelled when a task ends unexpectedly.
    pub(crate) failed: CancellationToken,
    /// Set to true when the deployment begins to stop.
    pub(crate) draining: watch::Sender<bool>,
    pub(crate) shutdown_delay: Duration,
    pub(crate) drain_timeout: Duration,
    // Last field: released after everything else is dropped. `None` without a data directory.
    pub(crate) _lock: Option<DataDirLock>,
}

/// Starts a deployment; once this returns, it accepts requests.
///
/// `metrics` renders the metrics of the process in Prometheus's text format.
#[expect(
    clippy::too_many_lines,
    reason = "the composition, in the order in which its parts depend on each other"
)]
pub async fn start(
    config: Config,
    metrics: Arc<dyn Fn() -> String + Send + Sync>,
) -> anyhow::Result<Running> {
    config.check_for(Program::Standalone)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let ids: Arc<dyn Ids> = Arc::new(SystemIds::new(Arc::clone(&clock)));
    let DataDir { store, secrets, lock } = data_dir::open(&config, &clock, ids.as_ref()).await?;

    let listeners = Listeners::open(&config).await?;
    let addresses = Addresses::new(
        &config,
        listeners.api.local_addr()?,
        listeners.storage.local_addr()?,
    );

    let signals = Signals::default();
    let shared = SharedParts {
        clock: Arc::clone(&clock),
        ids: Arc::clone(&ids),
        store: Arc::clone(&store),
        signals: signals.clone(),
    };
    let settings = wiring::settings(&config)?;
    let embedded = wiring::embedded(
        &config,
        StorageKeys {
            access_key: &secrets.s3_access_key,
            secret_key: &secrets.s3_secret_key,
        },
        vec![host(&addresses.s3_public)],
    );
    let presigner = EmbeddedPresigner::new(&embedded, &addresses.s3_public, Arc::clone(&clock))
        .context("storage.public_url is not a URL with a host")?;
    let opened = tokio::task::spawn_blocking({
        let (embedded, clock, ids) = (embedded.clone(), Arc::clone(&clock), Arc::clone(&ids));
        move || EmbeddedObjects::open(&embedded, clock, ids)
    });
    let objects = opened.await?.context("the embedded storage can't be opened")?;
    let ports = wiring::ports(&config, &secrets, &shared, Arc::new(objects.clone()), presigner).await?;
    let board = Arc::new(ProgressBoard::default());
    // The lock excludes other processes, so every lease left in the database belongs to a process that no longer
    // exists. A crash may also have lost storage events: photos that wait for one are checked now.
    store.expire_claims().await?;
    store.expire_leases().await?;
    store.make_looks_due().await?;
    store.shorten_processing_delays(LONGEST_RETRY_DELAY).await?;

    let failed = CancellationToken::new();
    let mut storage = TaskGroup::new(&failed);
    let messages = Arc::new(StorageEventHandler::new(&ports, &settings));
    let server = EmbeddedStore::new(&embedded, objects, messages);
    let object_directory = server.write_check();
    let certificates = listeners.certificates();
    let listening = vec![Listener {
        acceptor: Acceptor::new(
            "storage",
            listeners::storage_limits(&config),
            listeners.storage_tls,
        ),
        socket: listeners.storage,
    }];
    storage.spawn("storage", |stop| async move {
        server.serve(listening, stop.cancelled_owned()).await;
    });

    let mut workers = TaskGroup::new(&failed);
    // Without its writer the process can do nothing useful: its end is a failure of the deployment.
    let writer = Arc::clone(&store);
    workers.spawn("database writer", |stop| async move {
        stop.run_until_cancelled(writer.writer_ended()).await;
    });
    let runner = WorkRunner::new(&ports, &settings, signals.clone());
    workers.spawn("worker", |stop| async move { runner.run(stop).await });
    reactors::spawn(&mut workers, &ports, &settings, &signals, None);
    let tail = Arc::new(LiveTail::new(
        &ports,
        Arc::clone(&board),
        signals,
        config.work.poll,
    ));
    let sweep = UploadSweep::new(&ports, &settings);
    let housekeeping = Housekeeping::new(&ports, &settings.uploads);
    let emptied: Arc<dyn Database> = Arc::clone(&store) as _;
    workers.spawn("housekeeping", |stop| {
        housekeeping::run(housekeeping, sweep, emptied, stop)
    });
    let (kept, limit, of_board) = (
        Arc::clone(&board),
        settings.uploads.inactivity_limit(),
        Arc::clone(&clock),
    );
    workers.spawn("progress of uploads", move |stop| {
        housekeeping::remove_inactive(kept, of_board, limit, stop)
    });

    let mut api_tasks = TaskGroup::new(&failed);
    let running = Arc::clone(&tail);
    api_tasks.spawn("live tail", |stop| async move { running.run(stop).await });
    let free_space = FreeSpace::new(&config.data.dir, &wiring::objects_dir(&config));
    let readiness = Dependencies::cached(
        &ports,
        Arc::clone(&store),
        &config.data.dir,
        object_directory,
        free_space.clone(),
        Arc::clone(&tail),
    );
    let draining = watch::Sender::new(false);
    let app = App {
        use_cases: Arc::new(UseCases::new(&ports, &settings, &board, secrets.refresh_key)),
        watch: WatchHandler::new(&ports, board, tail),
        readiness,
        metrics: Arc::new(move || {
            // A failure is reported by `/readyz`.
            let _ = free_space.record();
            metrics()
        }),
        main_runtime: tokio::runtime::Handle::current(),
        ids: Arc::clone(&ids),
        draining: draining.subscribe(),
        cursor_key: secrets.refresh_key,
        config: wiring::http(&config),
    };
    listeners::watch(&mut api_tasks, &certificates);
    let watches = app.use_cases.session_watches.clone();
    api_tasks.spawn("session ends", |stop| async move { watches.run(stop).await });
    let mut operations = TaskGroup::new(&failed);
    if let Some(listener) = listeners.operations {
        tracing::info!(address = %listener.local_addr()?, "listening for operators");
        let acceptor = Acceptor::new(
            "operations",
            listeners::operations_limits(&config),
            listeners.api_tls.clone(),
        );
        let app = App {
            config: wiring::operations(&config),
            ..app.clone()
        };
        operations.spawn("operations", |stop| serve_http(listener, acceptor, app, stop));
    }
    let acceptor = Acceptor::new("api", listeners::api_limits(&config), listeners.api_tls);
    api_tasks.spawn("API", |stop| serve_http(listeners.api, acceptor, app, stop));

    Ok(Running {
        announcement: serde_json::json!({ "api": addresses.api_public, "s3": addresses.s3_public }),
        addresses,
        certificates,
        api_tasks,
        operations,
        workers,
        storage,
        failed,
        draining,
        _lock: Some(lock),
        ..Running::idle(&config, ids, store)
    })
}

pub(crate) async fn serve_http(
    listener: std::net::TcpListener,
    acceptor: Acceptor,
    app: App,
    stop: CancellationToken,
) {
    if let Err(error) = rapidphoto_http::serve(listener, acceptor, app, stop.cancelled_owned()).await {
        tracing::error!(%error, "an HTTP server failed");
    }
}

impl Running {
    /// A deployment without addresses, certificates and tasks.
    pub(crate) fn idle(config: &Config, ids: Arc<dyn Ids>, database: Arc<dyn Database>) -> Self {
        let failed = CancellationToken::new();
        Self {
            addresses: Addresses::default(),
            announcement: serde_json::Value::Null,
            certificates: Vec::new(),
            max_files_per_job: config.uploads.max_files,
            ids,
            database,
            api_tasks: TaskGroup::new(&failed),
            workers: TaskGroup::new(&failed),
            operations: TaskGroup::new(&failed),
            storage: TaskGroup::new(&failed),
            failed,
            draining: watch::Sender::new(false),
            shutdown_delay: config.server.shutdown_delay,
            drain_timeout: config.server.drain_timeout,
            _lock: None,
        }
    }

    /// Base URL of the API for clients.
    pub fn api_url(&self) -> &str {
        &self.addresses.api_public
    }

    /// Base URL of the API on this machine.
    pub fn local_api_url(&self) -> &str {
        &self.addresses.api_local
    }

    /// Base URL of the storage for clients.
    pub fn s3_url(&self) -> &str {
        &self.addresses.s3_public
    }

    /// Loads the TLS certificates of all listeners again. Blocks on file-system calls.
    pub fn reload_certificates(&self) {
        for certificate in &self.certificates {
            certificate.reload();
        }
    }

    /// Maximum number of files in one job.
    pub const fn max_files_per_job(&self) -> usize {
        self.max_files_per_job
    }

    /// A new random password, 16 hexadecimal digits.
    pub(crate) fn new_secret(&self) -> String {
        hex::encode(self.ids.secret().first_chunk::<8>().unwrap_or(&[0; 8]))
    }

    /// Waits until a task of the deployment ends unexpectedly, which is a bug.
    pub async fn wait_for_failure(&self) {
        self.failed.cancelled().await;
    }

    /// Drains: reports that it is not ready, serves requests for the shutdown delay, then accepts no new ones, finishes or
    /// releases the work in progress, and closes the database. Uploads under way get the drain time-out. Tasks that run
    /// for longer are abandoned; the database is consistent at any moment.
    pub async fn stop(self) {
        self.draining.send_replace(true);
        if !self.failed.is_cancelled() {
            tokio::time::sleep(self.shutdown_delay).await;
        }
        let drained = async {
            // The workers need the storage to finish; all need the database.
            let storage = async {
                self.workers.stop().await;
                self.storage.stop().await;
            };
            tokio::join!(self.api_tasks.stop(), storage);
            self.operations.stop().await;
            self.database.close().await;
        };
        let limit = 2 * self.drain_timeout + CLOSING;
        if tokio::time::timeout(limit, drained).await.is_ok() {
            tracing::info!("drained");
        } else {
            tracing::warn!(
                "draining took longer than {} s; the remaining tasks are abandoned",
                limit.as_secs()
            );
        }
    }
}

/// Time, beside the drain time-out of the workers and then of the storage, to publish received uploads and to close the
/// database.
const CLOSING: Duration = Duration::from_secs(8);

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpStream,
    };

    use super::*;
    use crate::config::Isolation;

    async fn readiness(running: &Running) -> String {
        let address = running.local_api_url().trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        stream.write_all(request).await.unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).await.unwrap();
        response
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_end_of_the_databases_writer_is_reported_and_ends_the_deployment() {
        rapidphoto_listener::install_crypto_provider();
        let directory = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.data.dir = directory.path().join("data");
        config.server.listen = "127.0.0.1:0".to_owned();
        config.storage.listen = "127.0.0.1:0".to_owned();
        // Children are this executable, which knows nothing of them.
        config.imaging.isolation = Isolation::Thread;
        let running = start(config, Arc::new(String::new)).await.unwrap();
        let ready = readiness(&running).await;
        assert!(ready.starts_with("HTTP/1.1 200"), "{ready}");
        running.database.close().await;
        tokio::time::timeout(Duration::from_mins(1), running.wait_for_failure())
            .await
            .expect("the end of the writer is a failure");
        // Longer than a report of the dependencies is kept.
        tokio::time::sleep(Duration::from_millis(1500)).await;
        let failed = readiness(&running).await;
        assert!(failed.starts_with("HTTP/1.1 503"), "{failed}");
        assert!(failed.contains("record"), "{failed}");
        running.stop().await;
    }
}
