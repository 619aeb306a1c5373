//! Complete application on the in-memory adapters, for tests of the use cases and of the HTTP API.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a panic here is a failed test"
)]

mod commands;
mod conflicting_journal;
pub mod fixtures;
mod state;

use std::{sync::Arc, time::Duration};

pub use conflicting_journal::ConflictingJournal;
pub use fixtures::DeclaredPhoto;
use rapidphoto_application::{
    UseCases,
    auth::{LoginBudgets, LoginLimits},
    intake::StorageEventHandler,
    live::{LiveTail, WatchHandler},
    log::EventCodec,
    ports::{Clock, DatabasePorts, Ports},
    progress::{LocalTicks, ProgressBoard},
    settings::{
        AuthSettings, CheckSettings, QuotaSettings, Settings, StorageSettings, UploadSettings, WorkSettings,
    },
    signals::{SignallingJournal, Signals},
    subscriptions::{JobCompletion, SubscriptionRunner},
    work::WorkRunner,
};
use rapidphoto_domain::{Timestamp, UserId, values::KeySpace};

use crate::{
    FakeClock, FakeSpace, MemoryDeadLetters, MemoryObjects, MemoryStore, PlainPasswords, PlainTokens,
    SeededIds, StubInspector,
};

/// Complete application on in-memory adapters. Clones share all state.
///
/// Nothing runs in the background: a test delivers storage events, executes work and runs subscriptions by calls. The
/// adapters in [`ports`](Self::ports) can be replaced; handlers that are created afterwards use the replacement.
#[derive(Clone)]
pub struct TestApp {
    /// Clock of all adapters.
    pub clock: Arc<FakeClock>,
    /// Generator of ids and secrets.
    pub ids: Arc<SeededIds>,
    /// Database.
    pub store: MemoryStore,
    /// Object store.
    pub objects: Arc<MemoryObjects>,
    /// Image inspector.
    pub inspector: Arc<StubInspector>,
    /// Free space of the disk.
    pub free_space: Arc<FakeSpace>,
    /// Progress of uploads.
    pub board: Arc<ProgressBoard>,
    /// Notifications of commits.
    pub signals: Signals,
    /// Settings of the use cases.
    pub settings: Arc<Settings>,
    /// Ports of the use cases.
    pub ports: Ports,
    /// Executor of work items.
    pub runner: Arc<WorkRunner>,
    /// User of the requests that name no user.
    pub owner: UserId,
}

/// Failed logins per minute, account and network that [`TestApp::use_cases`] allows.
pub const ALLOWED_FAILED_LOGINS: usize = 5;

/// Polling interval of the live tail and of subscriptions.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

impl TestApp {
    /// Application with default settings.
    pub fn new() -> Self {
        Self::build(1, |_, _| {})
    }

    /// Application whose ids and secrets are generated from a seed.
    pub fn seeded(seed: u64) -> Self {
        Self::build(seed, |_, _| {})
    }

    /// Application with changed settings.
    pub fn with_settings(adjust: impl FnOnce(&mut Settings)) -> Self {
        Self::build(1, |settings, _| adjust(settings))
    }

    /// Application with changed settings and replaced adapters. The bucket's name can't be changed.
    pub fn with(adjust: impl FnOnce(&mut Settings, &mut Ports)) -> Self {
        Self::build(1, adjust)
    }

    fn build(seed: u64, adjust: impl FnOnce(&mut Settings, &mut Ports)) -> Self {
        let clock = Arc::new(FakeClock::default());
        let any_clock: Arc<dyn Clock> = clock.clone();
        let mut settings = settings();
        let ids = Arc::new(SeededIds::new(seed, Arc::clone(&any_clock)));
        let store = MemoryStore::new(Arc::clone(&any_clock), EventCodec::default());
        let objects = Arc::new(MemoryObjects::new(
            &settings.storage.bucket,
            Arc::clone(&any_clock),
        ));
        let inspector = Arc::new(StubInspector::default());
        let free_space = Arc::new(FakeSpace::default());
        let board = Arc::new(ProgressBoard::default());
        let signals = Signals::default();
        let mut database = DatabasePorts::of(Arc::new(store.clone()));
        database.journal = Arc::new(SignallingJournal::new(
            database.journal,
            Arc::clone(&database.log),
            signals.clone(),
        ));
        let mut ports = Ports {
            clock: any_clock,
            ids: ids.clone(),
            database,
            objects: objects.clone(),
            multipart: objects.clone(),
            presigner: objects.clone(),
            passwords: Arc::new(PlainPasswords),
            tokens: Arc::new(PlainTokens),
            inspector: inspector.clone(),
            ticks: Arc::new(LocalTicks::default()),
            free_space: free_space.clone(),
            dead_letters: Arc::new(MemoryDeadLetters::default()),
        };
        adjust(&mut settings, &mut ports);
        let settings = Arc::new(settings);
        let runner = WorkRunner::new(&ports, &settings, signals.clone());
        Self {
            clock,
            ids,
            store,
            objects,
            inspector,
            free_space,
            board,
            signals,
            settings,
            ports,
            runner: Arc::new(runner),
            owner: fixtures::OWNER,
        }
    }

    /// Use cases of the HTTP API. Each call returns an instance with its own limits on logins.
    pub fn use_cases(&self) -> UseCases {
        let limits = Arc::new(LoginLimits::new(LoginBudgets::default()));
        UseCases::new(&self.ports, &self.settings, &self.board, limits, [7; 32])
    }

    /// Handler of storage events.
    pub fn intake(&self) -> StorageEventHandler {
        StorageEventHandler::new(&self.ports, &self.settings)
    }

    /// Runner of the subscription that completes jobs.
    pub fn completion(&self) -> SubscriptionRunner {
        let reactor = Arc::new(JobCompletion::new(&self.ports, self.settings.work));
        SubscriptionRunner::new(reactor, &self.ports, self.signals.clone(), POLL_INTERVAL)
    }

    /// Source of live events, which is not running yet.
    pub fn tail(&self) -> Arc<LiveTail> {
        let (board, signals) = (Arc::clone(&self.board), self.signals.clone());
        Arc::new(LiveTail::new(&self.ports, board, signals, POLL_INTERVAL))
    }

    /// Handler of live streams on a tail.
    pub fn watch(&self, tail: &Arc<LiveTail>) -> WatchHandler {
        WatchHandler::new(&self.ports, Arc::clone(&self.board), Arc::clone(tail))
    }

    /// Current time of the clock.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

impl Default for TestApp {
    fn default() -> Self {
        Self::new()
    }
}

fn settings() -> Settings {
    Settings {
        storage: StorageSettings {
            bucket: "uploads".to_owned(),
            region: "memory".to_owned(),
            keys: KeySpace::new("test").unwrap(),
        },
        uploads: UploadSettings::default(),
        quotas: QuotaSettings::default(),
        work: WorkSettings::default(),
        checks: CheckSettings::default(),
        auth: AuthSettings::default(),
    }
}
