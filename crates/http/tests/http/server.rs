use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use rapidphoto_application::{
    UseCases,
    auth::FailedLogins,
    intake::StorageEventHandler,
    live::{LiveTail, WatchHandler},
    log::EventCodec,
    ports::{AccessTokens, Clock, DatabasePorts, Grant, Ports, PresignedUrl, Scope, StorageMessages},
    progress::ProgressBoard,
    settings::{AuthSettings, CheckSettings, Settings, StorageSettings, UploadSettings, WorkSettings},
    signals::{SignallingJournal, Signals},
    subscriptions::{JobCompletion, SubscriptionRunner},
    work::WorkRunner,
};
use rapidphoto_domain::{UserId, values::KeySpace};
use rapidphoto_http::{App, Dependency, DependencyState, HttpConfig, Readiness, serve};
use rapidphoto_memory::{
    FakeClock, MemoryObjects, MemoryStore, PlainPasswords, PlainTokens, SeededIds, StubInspector,
};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    client::{Documented, TestRequest},
    process,
};

/// Running server of the API on in-memory adapters.
pub(crate) struct TestApp {
    pub(crate) address: SocketAddr,
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) store: MemoryStore,
    pub(crate) objects: Arc<MemoryObjects>,
    pub(crate) inspector: Arc<StubInspector>,
    runner: WorkRunner,
    intake: StorageEventHandler,
    http: reqwest::Client,
    documented: Documented,
    stop: CancellationToken,
    background: CancellationToken,
    served: JoinHandle<std::io::Result<()>>,
}

/// Parts of the composition that a test can replace.
pub(crate) struct Parts {
    pub(crate) ports: Ports,
    pub(crate) settings: Settings,
    pub(crate) config: HttpConfig,
    pub(crate) readiness: Arc<dyn Readiness>,
}

/// All dependencies are up.
pub(crate) struct AllUp;

#[async_trait::async_trait]
impl Readiness for AllUp {
    async fn dependencies(&self) -> Vec<Dependency> {
        vec![Dependency {
            name: "record",
            state: DependencyState::Up,
            required: true,
        }]
    }
}

impl TestApp {
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(adjust: impl FnOnce(&mut Parts)) -> Self {
        process::metrics();
        let clock = Arc::new(FakeClock::default());
        let any_clock: Arc<dyn Clock> = clock.clone();
        let store = MemoryStore::new(Arc::clone(&any_clock), EventCodec::default());
        let objects = Arc::new(MemoryObjects::new("uploads", Arc::clone(&any_clock)));
        let inspector = Arc::new(StubInspector::default());
        let board = Arc::new(ProgressBoard::default());
        let signals = Signals::default();
        let mut database = DatabasePorts::of(Arc::new(store.clone()));
        database.journal = Arc::new(SignallingJournal::new(database.journal, signals.clone()));
        let ports = Ports {
            clock: Arc::clone(&any_clock),
            ids: Arc::new(SeededIds::new(1, any_clock)),
            database,
            objects: objects.clone(),
            presigner: objects.clone(),
            passwords: Arc::new(PlainPasswords),
            tokens: Arc::new(PlainTokens),
            inspector: inspector.clone(),
        };
        let mut parts = Parts {
            ports,
            settings: settings(),
            config: HttpConfig {
                workers: 1,
                drain: DRAIN,
                ..HttpConfig::default()
            },
            readiness: Arc::new(AllUp),
        };
        adjust(&mut parts);
        let Parts {
            ports,
            settings,
            config,
            readiness,
        } = parts;
        let settings = Arc::new(settings);

        let background = CancellationToken::new();
        let tail = Arc::new(LiveTail::new(
            &ports,
            Arc::clone(&board),
            signals.clone(),
            Duration::from_millis(50),
        ));
        tokio::spawn({
            let (tail, stop) = (Arc::clone(&tail), background.clone());
            async move { tail.run(stop).await }
        });
        let reactor = Arc::new(JobCompletion::new(&ports, settings.work));
        let completion = SubscriptionRunner::new(reactor, &ports, signals.clone(), Duration::from_millis(50));
        tokio::spawn({
            let stop = background.clone();
            async move { completion.run(stop).await }
        });
        let runner = WorkRunner::new(&ports, &settings, board.clone(), signals);
        let intake = StorageEventHandler::new(&ports, &settings);
        let failures = Arc::new(FailedLogins::new(5));
        let app = App {
            use_cases: Arc::new(UseCases::new(&ports, &settings, &board, failures, [7; 32])),
            watch: WatchHandler::new(&ports, Arc::clone(&board), tail),
            readiness,
            metrics: Arc::new(|| process::metrics().render()),
            main_runtime: tokio::runtime::Handle::current(),
            ids: Arc::clone(&ports.ids),
            config,
        };
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let served = tokio::spawn(serve(listener, app, stop.clone().cancelled_owned()));
        let app = Self {
            address,
            clock,
            store,
            objects,
            inspector,
            runner,
            intake,
            http: reqwest::Client::new(),
            documented: Documented::read(),
            stop,
            background,
            served,
        };
        // The start of the server does not count against the time limits of tests.
        app.get("/healthz").expect_status(200).await;
        app
    }

    pub(crate) fn get(&self, path: &str) -> TestRequest<'_> {
        self.request(reqwest::Method::GET, path)
    }

    pub(crate) fn post(&self, path: &str) -> TestRequest<'_> {
        self.request(reqwest::Method::POST, path)
    }

    pub(crate) fn delete(&self, path: &str) -> TestRequest<'_> {
        self.request(reqwest::Method::DELETE, path)
    }

    pub(crate) fn request(&self, method: reqwest::Method, path: &str) -> TestRequest<'_> {
        let url = format!("http://{}{path}", self.address);
        TestRequest::new(
            self.http.request(method.clone(), url),
            method,
            path,
            &self.documented,
        )
    }

    /// Registers a user, logs in and returns the access token.
    pub(crate) async fn user(&self, name: &str) -> String {
        let account = json!({ "email": format!("{name}@example.org"), "password": "correct horse battery" });
        self.post("/commands/auth/register")
            .json(&account)
            .expect_status(201)
            .await;
        let tokens = self
            .post("/commands/auth/login")
            .json(&account)
            .expect_status(200)
            .await
            .json();
        tokens["accessToken"].as_str().unwrap().to_owned()
    }

    /// An access token with these scopes.
    pub(crate) fn token(&self, user: UserId, scopes: &[Scope], lifetime: Duration) -> String {
        let grant = Grant {
            user,
            scopes: scopes.iter().copied().collect(),
            expires_at: self.clock.now() + lifetime,
        };
        PlainTokens.issue(&grant, self.clock.now()).unwrap()
    }

    /// Creates a job with this number of photos.
    pub(crate) async fn job(&self, token: &str, photos: usize) -> Value {
        let files: Vec<Value> = (0..photos).map(file).collect();
        let created = self
            .post("/commands/upload-jobs")
            .token(token)
            .json(&json!({ "files": files }));
        created.expect_status(201).await.json()
    }

    /// Uploads a photo's bytes to its presigned URL. The storage event is not processed before [`TestApp::work`].
    pub(crate) fn put(&self, item: &Value) {
        let headers = item["headers"].as_object().unwrap();
        let url = PresignedUrl {
            url: text(&item["presignedUrl"]),
            headers: headers
                .iter()
                .map(|(name, value)| (name.clone(), text(value)))
                .collect(),
            expires_at: self.clock.now(),
        };
        let response = self.objects.put_as_client(&url, BODY);
        assert_eq!(response.status, 200, "{response:?}");
    }

    /// Processes all storage events and all work items that are due.
    pub(crate) async fn work(&self) {
        for message in self.objects.take_announcements() {
            self.intake.take(message).await.unwrap();
        }
        self.runner.execute_due().await.unwrap();
    }

    /// Creates a job and completes all of its photos.
    pub(crate) async fn completed_job(&self, token: &str, photos: usize) -> Value {
        let job = self.job(token, photos).await;
        for item in job["items"].as_array().unwrap() {
            self.put(item);
        }
        self.work().await;
        job
    }

    /// Stops the server, waits for its end and returns the duration.
    pub(crate) async fn stop(self) -> Duration {
        let started = std::time::Instant::now();
        self.stop.cancel();
        self.served.await.unwrap().unwrap();
        self.background.cancel();
        started.elapsed()
    }

    /// Drops the server's future without a shutdown.
    pub(crate) async fn drop_server(&mut self) {
        self.served.abort();
        let aborted = (&mut self.served).await;
        assert!(aborted.unwrap_err().is_cancelled());
    }

    /// Starts the shutdown of the server.
    pub(crate) fn start_shutdown(&self) {
        self.stop.cancel();
    }
}

/// Time limit for events that are certain to happen, so that a failing test does not hang.
pub(crate) const TEST_TIMEOUT: Duration = Duration::from_mins(1);

/// Drain time of the server.
const DRAIN: Duration = Duration::from_mins(2);

/// Maximum duration of a shutdown that no client delays: well below the drain time, as the server checks its connections
/// once a second.
pub(crate) const MAX_SHUTDOWN: Duration = Duration::from_mins(1);

pub(crate) const BODY: &[u8] = b"the bytes of a photo";

/// Entry of a job's `files` with the size of [`BODY`].
pub(crate) fn file(number: usize) -> Value {
    json!({ "filename": format!("{number}.jpg"), "mimeType": "image/jpeg", "bytes": BODY.len() })
}

pub(crate) fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is not a string"))
        .to_owned()
}

fn settings() -> Settings {
    Settings {
        storage: StorageSettings {
            bucket: "uploads".to_owned(),
            region: "memory".to_owned(),
            keys: KeySpace::new("test").unwrap(),
        },
        uploads: UploadSettings::default(),
        work: WorkSettings::default(),
        checks: CheckSettings::default(),
        auth: AuthSettings::default(),
    }
}
