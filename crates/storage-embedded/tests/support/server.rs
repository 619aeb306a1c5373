use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{Builder, Credentials, Region, RequestChecksumCalculation};
use chrono::{DateTime, Utc};
use rapidphoto_application::ports::{Clock, Ids};
use rapidphoto_listener::{Acceptor, Limits, install_crypto_provider};
use rapidphoto_storage_embedded::{EmbeddedConfig, EmbeddedStore, Listener};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::notifications::NotificationRecorder;

pub(crate) const BUCKET: &str = "photos";
pub(crate) const ACCESS_KEY: &str = "AKIDEMBEDDED";
pub(crate) const SECRET_KEY: &str = "only-for-tests";
pub(crate) const REGION: &str = "eu-west-1";

/// Time-out of operations that would otherwise hang if they fail; ample for a slow machine.
pub(crate) const TEST_TIMEOUT: Duration = Duration::from_mins(1);

/// A running storage server with its own port and its own directory.
pub(crate) struct StorageServer {
    pub(crate) address: SocketAddr,
    pub(crate) client: Client,
    pub(crate) http: reqwest::Client,
    pub(crate) notifications: Arc<NotificationRecorder>,
    root: PathBuf,
    temporary: Option<Arc<TempDir>>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

impl StorageServer {
    pub(crate) async fn start() -> Self {
        Self::with_config(|_| {}).await
    }

    pub(crate) async fn with_config(change: impl FnOnce(&mut EmbeddedConfig)) -> Self {
        Self::with_limits(|config, _| change(config)).await
    }

    pub(crate) async fn with_limits(change: impl FnOnce(&mut EmbeddedConfig, &mut Limits)) -> Self {
        let temporary = Arc::new(TempDir::new().unwrap());
        Self::open(temporary.path().to_owned(), Some(temporary), change).await
    }

    /// Starts a store in an existing directory, which is not removed afterwards.
    #[allow(dead_code, reason = "only the crash tests open an existing directory")]
    pub(crate) async fn with_root(root: PathBuf) -> Self {
        Self::open(root, None, |_, _| {}).await
    }

    async fn open(
        root: PathBuf,
        temporary: Option<Arc<TempDir>>,
        change: impl FnOnce(&mut EmbeddedConfig, &mut Limits),
    ) -> Self {
        install_crypto_provider();
        let mut config = EmbeddedConfig::new(&root, BUCKET, ACCESS_KEY, SECRET_KEY);
        REGION.clone_into(&mut config.region);
        // Only tests of time-outs may depend on them.
        config.idle_timeout = Duration::from_hours(1);
        let mut limits = Limits {
            head_timeout: Duration::from_hours(1),
            idle_timeout: Duration::from_hours(1),
            stall_timeout: Duration::from_hours(1),
            ..Limits::default()
        };
        change(&mut config, &mut limits);
        let notifications = Arc::new(NotificationRecorder::default());
        let store = EmbeddedStore::open(
            &config,
            Arc::<NotificationRecorder>::clone(&notifications),
            Arc::new(FixedClock),
            Arc::new(SequentialIds),
        )
        .unwrap();
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let acceptor = Acceptor::new("storage", limits, None);
        let listeners = vec![Listener { socket, acceptor }];
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(store.serve(listeners, async move {
            let _ = stopped.await;
        }));
        Self {
            address,
            client: Client::from_conf(sdk_config(address).build()),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            notifications,
            root,
            temporary,
            stop,
            serving,
        }
    }

    /// Shuts down gracefully.
    pub(crate) async fn shut_down(self) {
        let _ = self.stop.send(());
        self.serving.await.unwrap();
    }

    /// Begins a graceful shutdown. The directory is removed when the second value is dropped.
    pub(crate) fn begin_shutdown(self) -> (JoinHandle<()>, Option<Arc<TempDir>>) {
        let _ = self.stop.send(());
        (self.serving, self.temporary)
    }

    pub(crate) async fn restart(self) -> Self {
        let (root, temporary) = (self.root.clone(), self.temporary.clone());
        self.shut_down().await;
        Self::open(root, temporary, |_, _| {}).await
    }

    /// Files of uploads that are not published.
    pub(crate) fn incoming(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.root.join("incoming")).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    /// Waits until an upload has begun.
    pub(crate) async fn wait_for_incoming(&self) {
        let begun = async {
            while self.incoming().is_empty() {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(TEST_TIMEOUT, begun).await.expect("the upload began");
    }

    /// Waits until the files of all unfinished uploads are removed.
    pub(crate) async fn wait_for_no_incoming(&self) {
        let removed = async {
            while !self.incoming().is_empty() {
                sleep(Duration::from_millis(10)).await;
            }
        };
        let removed = timeout(TEST_TIMEOUT, removed).await;
        assert!(removed.is_ok(), "not removed: {:?}", self.incoming());
    }

    pub(crate) async fn put(&self, key: &str, body: &'static str) {
        self.client
            .put_object()
            .bucket(BUCKET)
            .key(key)
            .body(body.as_bytes().to_vec().into())
            .send()
            .await
            .unwrap();
    }

    /// Data of the object, or `None` if it does not exist.
    pub(crate) async fn get(&self, key: &str) -> Option<Vec<u8>> {
        match self.client.get_object().bucket(BUCKET).key(key).send().await {
            Ok(object) => Some(object.body.collect().await.unwrap().to_vec()),
            Err(error) => {
                assert!(error.as_service_error().unwrap().is_no_such_key(), "{error:?}");
                None
            }
        }
    }

    /// Opens a connection for raw bytes.
    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }
}

pub(crate) fn sdk_config(address: SocketAddr) -> Builder {
    aws_sdk_s3::Config::builder()
        .endpoint_url(format!("http://{address}"))
        .force_path_style(true)
        .region(Region::new(REGION))
        .credentials_provider(Credentials::new(ACCESS_KEY, SECRET_KEY, None, None, "test"))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .retry_config(RetryConfig::disabled())
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
}

pub(crate) struct FixedClock;

impl FixedClock {
    pub(crate) const NOW: DateTime<Utc> = DateTime::from_timestamp_millis(1_750_000_000_123).unwrap();
}

impl Clock for FixedClock {
    fn now(&self) -> DateTime<Utc> {
        Self::NOW
    }
}

/// Identifiers that increase across all stores of the process, also across restarts.
struct SequentialIds;

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

impl Ids for SequentialIds {
    fn ulid(&self) -> u128 {
        u128::from(NEXT_ID.fetch_add(1, Ordering::SeqCst))
    }

    fn secret(&self) -> [u8; 32] {
        [7; 32]
    }
}
