//! A whole deployment in one process, from its start to its end.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use rapidphoto_application::{
    Housekeeping, UseCases,
    auth::FailedLogins,
    intake::StorageEventHandler,
    live::{LiveTail, WatchHandler},
    ports::{Clock, Ids, Subscriptions, WorkQueue},
    progress::ProgressBoard,
    signals::Signals,
    subscriptions::{JobCompletion, SubscriptionRunner},
    work::WorkRunner,
};
use rapidphoto_http::App;
use rapidphoto_persistence::{DataDirLock, SqliteStore};
use rapidphoto_storage_embedded::EmbeddedStore;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    Config, Secrets, SystemClock, SystemIds, housekeeping,
    lane::Lane,
    readiness::Dependencies,
    wiring::{self, Addresses, Parts},
};

/// A deployment that runs.
pub struct Running {
    addresses: Addresses,
    max_files_per_job: usize,
    ids: Arc<dyn Ids>,
    store: Arc<SqliteStore>,
    /// Stops what takes new work in, and then what that work needs.
    front: Lane,
    workers: Lane,
    storage: Lane,
    /// Cancelled when a part ends unasked.
    broken: CancellationToken,
    // Given back last.
    _lock: DataDirLock,
}

/// Starts a deployment. When this answers, it serves.
///
/// `metrics` writes down the metrics of the process.
pub async fn start(
    config: Config,
    metrics: Arc<dyn Fn() -> String + Send + Sync>,
) -> anyhow::Result<Running> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let ids: Arc<dyn Ids> = Arc::new(SystemIds::new(Arc::clone(&clock)));
    let lock = DataDirLock::acquire(&config.data.dir)?;
    let secrets = Secrets::load_or_create(&config.data.dir, ids.as_ref())?;
    let store = wiring::record(&config, &clock).await?;

    let api = std::net::TcpListener::bind(&config.server.listen)
        .with_context(|| format!("the API can't listen on {}", config.server.listen))?;
    let s3 = TcpListener::bind(&config.storage.listen)
        .await
        .with_context(|| format!("the storage can't listen on {}", config.storage.listen))?;
    let addresses = Addresses::new(&config, api.local_addr()?, s3.local_addr()?);

    let signals = Signals::default();
    let shared = Parts {
        clock: Arc::clone(&clock),
        ids: Arc::clone(&ids),
        store: Arc::clone(&store),
        signals: signals.clone(),
    };
    let settings = wiring::settings(&config)?;
    let ports = wiring::ports(&config, &secrets, &shared, &addresses)?;
    let board = Arc::new(ProgressBoard::default());
    // The lock says that nobody else works here: whoever held a claim is gone. And nobody knows which announcements a
    // crash has swallowed: whoever waits for one looks now.
    store.expire_claims().await?;
    store.expire_leases().await?;
    store.make_looks_due().await?;

    let broken = CancellationToken::new();
    let mut storage = Lane::new(&broken);
    let messages = Arc::new(StorageEventHandler::new(&ports, &settings));
    let embedded = wiring::embedded(&config, &secrets);
    let opened = tokio::task::spawn_blocking({
        let (clock, ids) = (Arc::clone(&clock), Arc::clone(&ids));
        move || EmbeddedStore::open(&embedded, messages, clock, ids)
    });
    let objects = opened.await?.context("the embedded storage can't be opened")?;
    let stop = storage.stopped();
    storage.run("storage", async move {
        objects.serve(s3, stop.cancelled_owned()).await;
    });

    let mut workers = Lane::new(&broken);
    let runner = WorkRunner::new(&ports, &settings, Arc::clone(&board) as _, signals.clone());
    let stop = workers.stopped();
    workers.run("worker", async move { runner.run(stop).await });
    let completion = Arc::new(JobCompletion::new(&ports, settings.work));
    let completion = SubscriptionRunner::new(completion, &ports, signals.clone(), config.work.poll);
    let stop = workers.stopped();
    workers.run("job completion", async move { completion.run(stop).await });
    let tail = Arc::new(LiveTail::new(
        &ports,
        Arc::clone(&board),
        signals,
        config.work.poll,
    ));
    let housekeeping = Housekeeping::new(&ports, Arc::clone(&board), &settings.uploads);
    workers.run("housekeeping", housekeeping::run(housekeeping, workers.stopped()));

    let mut front = Lane::new(&broken);
    let stop = front.stopped();
    front.run("live tail", {
        let tail = Arc::clone(&tail);
        async move { tail.run(stop).await }
    });
    let failures = Arc::new(FailedLogins::new(config.auth.failed_logins_per_minute));
    let app = App {
        use_cases: Arc::new(UseCases::new(
            &ports,
            &settings,
            &board,
            failures,
            secrets.refresh_key,
        )),
        watch: WatchHandler::new(&ports, board, tail),
        readiness: Dependencies::new(&ports),
        metrics,
        main_runtime: tokio::runtime::Handle::current(),
        ids: Arc::clone(&ids),
        config: wiring::http(&config),
    };
    let stop = front.stopped();
    front.run("API", async move {
        if let Err(why) = rapidphoto_http::serve(api, app, stop.cancelled_owned()).await {
            tracing::error!(error = %why, "the API has ended");
        }
    });

    Ok(Running {
        addresses,
        max_files_per_job: config.uploads.max_files,
        ids,
        store,
        front,
        workers,
        storage,
        broken,
        _lock: lock,
    })
}

impl Running {
    /// Where clients reach the API.
    pub fn api_url(&self) -> &str {
        &self.addresses.api_public
    }

    /// Where this machine reaches the API.
    pub fn local_api_url(&self) -> &str {
        &self.addresses.api_local
    }

    /// Where clients reach the storage.
    pub fn s3_url(&self) -> &str {
        &self.addresses.s3_public
    }

    /// The most files in one job.
    pub const fn max_files_per_job(&self) -> usize {
        self.max_files_per_job
    }

    /// A secret that nobody knows yet.
    pub(crate) fn new_secret(&self) -> String {
        hex::encode(self.ids.secret().first_chunk::<8>().unwrap_or(&[0; 8]))
    }

    /// Waits until a part of the deployment ends unasked, which none ever should.
    pub async fn broken(&self) {
        self.broken.cancelled().await;
    }

    /// Drains: takes no new work in, lets what is under way finish or hands it back, and closes the record. Whoever is
    /// not done after 26 s is left behind: the record is safe at any moment.
    pub async fn stop(self) {
        let drained = async {
            // The workers need the storage to finish; both need the record.
            tokio::join!(self.front.stop(), self.workers.stop());
            self.storage.stop().await;
            self.store.close().await;
        };
        if tokio::time::timeout(PATIENCE, drained).await.is_ok() {
            tracing::info!("drained");
        } else {
            tracing::warn!("not everything ended in time");
        }
    }
}

/// How long draining may take; supervisors kill after 30 s.
const PATIENCE: Duration = Duration::from_secs(26);
