use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use rapidphoto_application::{
    ports::{AccessTokens, Grant, Ports, PresignedUrl, Scope, SessionId},
    settings::Settings,
};
use rapidphoto_domain::UserId;
use rapidphoto_http::{App, Dependency, DependencyState, HttpConfig, Readiness, serve};
use rapidphoto_listener::{Acceptor, Limits, install_crypto_provider};
use rapidphoto_memory::{
    FakeClock, FakeSpace, MemoryObjects, MemoryStore, PlainTokens, StubInspector, TestApp,
    fixtures::{self, BODY},
};
use serde_json::{Value, json};
use tokio::{sync::watch, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    client::{Documented, TestRequest},
    process,
};

/// Running server of the API on in-memory adapters.
pub(crate) struct TestServer {
    pub(crate) address: SocketAddr,
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) store: MemoryStore,
    pub(crate) objects: Arc<MemoryObjects>,
    pub(crate) inspector: Arc<StubInspector>,
    pub(crate) free_space: Arc<FakeSpace>,
    app: TestApp,
    http: reqwest::Client,
    documented: Documented,
    pub(crate) draining: watch::Sender<bool>,
    stop: CancellationToken,
    background: CancellationToken,
    serving: JoinHandle<std::io::Result<()>>,
}

/// Parts of the composition that a test can replace.
pub(crate) struct Parts<'a> {
    pub(crate) ports: &'a mut Ports,
    pub(crate) settings: &'a mut Settings,
    pub(crate) config: &'a mut HttpConfig,
    pub(crate) readiness: &'a mut Arc<dyn Readiness>,
    pub(crate) limits: &'a mut Limits,
}

/// All dependencies are up.
struct AllUp;

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

impl TestServer {
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(adjust: impl FnOnce(&mut Parts<'_>)) -> Self {
        process::metrics();
        install_crypto_provider();
        let mut limits = Limits::default();
        let mut config = HttpConfig {
            workers: 1,
            drain: DRAIN,
            requests_per_second: 10_000.try_into().unwrap(),
            anonymous_requests_per_second: 10_000.try_into().unwrap(),
            ..HttpConfig::default()
        };
        let mut readiness: Arc<dyn Readiness> = Arc::new(AllUp);
        let app = TestApp::with(|settings, ports| {
            adjust(&mut Parts {
                ports,
                settings,
                config: &mut config,
                readiness: &mut readiness,
                limits: &mut limits,
            });
        });

        let draining = watch::Sender::new(false);
        let background = CancellationToken::new();
        let tail = app.tail();
        tokio::spawn({
            let (tail, stop) = (Arc::clone(&tail), background.clone());
            async move { tail.run(stop).await }
        });
        tokio::spawn({
            let (completion, stop) = (app.completion(), background.clone());
            async move { completion.run(stop).await }
        });
        let api = App {
            use_cases: Arc::new(app.use_cases()),
            watch: app.watch(&tail),
            readiness,
            metrics: Arc::new(|| process::metrics().render()),
            main_runtime: tokio::runtime::Handle::current(),
            ids: Arc::clone(&app.ports.ids),
            cursor_key: [3; 32],
            draining: draining.subscribe(),
            config,
        };
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let serving = tokio::spawn(serve(
            listener,
            Acceptor::new("api", limits, None),
            api,
            stop.clone().cancelled_owned(),
        ));
        let server = Self {
            address,
            clock: Arc::clone(&app.clock),
            store: app.store.clone(),
            objects: Arc::clone(&app.objects),
            inspector: Arc::clone(&app.inspector),
            free_space: Arc::clone(&app.free_space),
            app,
            http: reqwest::Client::new(),
            documented: Documented::read(),
            draining,
            stop,
            background,
            serving,
        };
        // The start of the server does not count against the time limits of tests.
        server.get("/healthz").expect_status(200).await;
        server
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
            session: SessionId([1; 16]),
            scopes: scopes.iter().copied().collect(),
            expires_at: self.app.now() + lifetime,
        };
        PlainTokens.issue(&grant, self.app.now()).unwrap()
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

    /// Uploads a photo's bytes to its presigned URL. The storage event is not processed before [`TestServer::work`].
    pub(crate) fn put(&self, item: &Value) {
        let headers = item["headers"].as_object().unwrap();
        let url = PresignedUrl {
            url: text(&item["presignedUrl"]),
            headers: headers
                .iter()
                .map(|(name, value)| (name.clone(), text(value)))
                .collect(),
            expires_at: self.app.now(),
        };
        let response = self.objects.put_as_client(&url, BODY);
        assert_eq!(response.status, 200, "{response:?}");
    }

    /// Processes all storage events and all work items that are due.
    pub(crate) async fn work(&self) {
        self.app.deliver_storage_events().await;
        self.app.execute_due().await;
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
        self.serving.await.unwrap().unwrap();
        self.background.cancel();
        started.elapsed()
    }

    /// Drops the server's future without a shutdown.
    pub(crate) async fn drop_server(&mut self) {
        self.serving.abort();
        let aborted = (&mut self.serving).await;
        assert!(aborted.unwrap_err().is_cancelled());
    }

    /// Starts the shutdown of the server.
    pub(crate) fn start_shutdown(&self) {
        self.stop.cancel();
    }
}

/// Drain time of the server.
const DRAIN: Duration = Duration::from_mins(2);

/// Maximum duration of a shutdown that no client delays: well below the drain time, as the server checks its connections
/// once a second.
pub(crate) const MAX_SHUTDOWN: Duration = Duration::from_mins(1);

/// Entry of a job's `files` with the size of [`BODY`] and without a checksum.
pub(crate) fn file(number: usize) -> Value {
    let file = fixtures::file(number);
    json!({ "filename": file.filename, "mimeType": file.mime_type, "bytes": file.bytes })
}

pub(crate) fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is not a string"))
        .to_owned()
}
