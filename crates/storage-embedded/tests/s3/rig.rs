use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{Builder, Credentials, Region, RequestChecksumCalculation};
use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use rapidphoto_application::ports::{Clock, Ids, MessageRefused, StorageMessages};
use rapidphoto_storage_embedded::{EmbeddedConfig, EmbeddedStore};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

pub(crate) const BUCKET: &str = "photos";
pub(crate) const ACCESS_KEY: &str = "AKIDEMBEDDED";
pub(crate) const SECRET_KEY: &str = "only-for-tests";
pub(crate) const REGION: &str = "eu-west-1";

/// For whatever would otherwise hang: a slow machine never needs that long.
pub(crate) const LIMIT: Duration = Duration::from_mins(1);

/// A store on a port of its own, over a directory of its own.
pub(crate) struct Rig {
    pub(crate) address: SocketAddr,
    pub(crate) client: Client,
    pub(crate) http: reqwest::Client,
    pub(crate) messages: Arc<Recorder>,
    root: PathBuf,
    kept: Option<Arc<TempDir>>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

impl Rig {
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut EmbeddedConfig)) -> Self {
        let kept = Arc::new(TempDir::new().unwrap());
        Self::over(kept.path().to_owned(), Some(kept), change).await
    }

    /// Over a directory that somebody else keeps.
    #[allow(dead_code, reason = "only a crash leaves a directory that was not kept here")]
    pub(crate) async fn at(root: PathBuf) -> Self {
        Self::over(root, None, |_| {}).await
    }

    async fn over(
        root: PathBuf,
        kept: Option<Arc<TempDir>>,
        change: impl FnOnce(&mut EmbeddedConfig),
    ) -> Self {
        let mut config = EmbeddedConfig::new(&root, BUCKET, ACCESS_KEY, SECRET_KEY);
        REGION.clone_into(&mut config.region);
        // No test is saved by a time-out that it is not about.
        config.idle_timeout = Duration::from_hours(1);
        config.header_timeout = Duration::from_hours(1);
        change(&mut config);
        let messages = Arc::new(Recorder::default());
        let store = EmbeddedStore::open(
            &config,
            Arc::<Recorder>::clone(&messages),
            Arc::new(FixedClock),
            Arc::new(CountingIds::new()),
        )
        .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(store.serve(listener, async move {
            let _ = stopped.await;
        }));
        Self {
            address,
            client: Client::from_conf(sdk(address).build()),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            messages,
            root,
            kept,
            stop,
            serving,
        }
    }

    /// Shuts down gracefully.
    pub(crate) async fn stop(self) {
        let _ = self.stop.send(());
        self.serving.await.unwrap();
    }

    /// Begins to shut down gracefully; the directory stays as long as the second value.
    pub(crate) fn begin_stop(self) -> (JoinHandle<()>, Option<Arc<TempDir>>) {
        let _ = self.stop.send(());
        (self.serving, self.kept)
    }

    pub(crate) async fn restart(self) -> Self {
        let (root, kept) = (self.root.clone(), self.kept.clone());
        self.stop().await;
        Self::over(root, kept, |_| {}).await
    }

    /// The uploads that have not become objects.
    pub(crate) fn incoming(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.root.join("incoming")).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    pub(crate) async fn something_arrived(&self) {
        let arrived = async {
            while self.incoming().is_empty() {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(LIMIT, arrived).await.expect("the upload began");
    }

    pub(crate) async fn nothing_is_left(&self) {
        let gone = async {
            while !self.incoming().is_empty() {
                sleep(Duration::from_millis(10)).await;
            }
        };
        let gone = timeout(LIMIT, gone).await;
        assert!(gone.is_ok(), "left behind: {:?}", self.incoming());
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

    /// The object's bytes, if it is there.
    pub(crate) async fn get(&self, key: &str) -> Option<Vec<u8>> {
        match self.client.get_object().bucket(BUCKET).key(key).send().await {
            Ok(object) => Some(object.body.collect().await.unwrap().to_vec()),
            Err(error) => {
                assert!(error.as_service_error().unwrap().is_no_such_key(), "{error:?}");
                None
            }
        }
    }

    /// An upload of `body` as the application signs it: length, type, checksum, and never replacing.
    pub(crate) async fn presign_photo(&self, key: &str, body: &[u8]) -> PresignedRequest {
        self.client
            .put_object()
            .bucket(BUCKET)
            .key(key)
            .content_length(i64::try_from(body.len()).unwrap())
            .content_type("image/jpeg")
            .checksum_sha256(sha256(body))
            .if_none_match("*")
            .presigned(in_an_hour())
            .await
            .unwrap()
    }

    /// A connection that speaks whatever it is told to.
    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }
}

pub(crate) fn sdk(address: SocketAddr) -> Builder {
    aws_sdk_s3::Config::builder()
        .endpoint_url(format!("http://{address}"))
        .force_path_style(true)
        .region(Region::new(REGION))
        .credentials_provider(Credentials::new(ACCESS_KEY, SECRET_KEY, None, None, "test"))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .retry_config(RetryConfig::disabled())
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
}

pub(crate) fn in_an_hour() -> PresigningConfig {
    PresigningConfig::expires_in(Duration::from_hours(1)).unwrap()
}

/// A URL that was good until some minutes ago.
pub(crate) fn expired() -> PresigningConfig {
    #[allow(
        clippy::disallowed_methods,
        reason = "the SDK and the server sign and judge by the system's clock"
    )]
    let now = SystemTime::now();
    PresigningConfig::builder()
        .start_time(now - Duration::from_mins(10))
        .expires_in(Duration::from_mins(5))
        .build()
        .unwrap()
}

pub(crate) fn sha256(body: &[u8]) -> String {
    use base64::Engine as _;
    use s3s::crypto::{Checksum as _, Sha256};
    base64::engine::general_purpose::STANDARD.encode(Sha256::checksum(body))
}

pub(crate) fn md5(body: &[u8]) -> String {
    use s3s::crypto::{Checksum as _, Md5};
    hex::encode(Md5::checksum(body))
}

/// Sends a presigned request by a plain client, with its signed headers changed by `change`.
pub(crate) async fn send(
    rig: &Rig,
    presigned: &PresignedRequest,
    body: &[u8],
    change: impl FnOnce(&mut HashMap<String, String>),
) -> reqwest::Response {
    let mut headers: HashMap<_, _> = presigned
        .headers()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    change(&mut headers);
    let mut request = rig
        .http
        .request(presigned.method().parse().unwrap(), presigned.uri());
    for (name, value) in headers {
        request = request.header(name, value);
    }
    request.body(body.to_vec()).send().await.unwrap()
}

/// The head of a presigned request, to be sent as bytes.
pub(crate) fn head(rig: &Rig, presigned: &PresignedRequest, extra: &str) -> String {
    let path = presigned.uri().split_once(&rig.address.to_string()).unwrap().1;
    let mut head = format!(
        "{} {path} HTTP/1.1\r\nhost: {}\r\n",
        presigned.method(),
        rig.address
    );
    for (name, value) in presigned.headers() {
        for part in [name, ": ", value, "\r\n"] {
            head.push_str(part);
        }
    }
    head.push_str(extra);
    head.push_str("\r\n");
    head
}

pub(crate) async fn write(stream: &mut TcpStream, bytes: impl AsRef<[u8]>) {
    stream.write_all(bytes.as_ref()).await.unwrap();
}

/// The server's next answer, whole; what there is of it if the connection ends first.
pub(crate) async fn answer(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    let mut chunk = [0; 4096];
    while !is_whole(&text) {
        match timeout(LIMIT, stream.read(&mut chunk))
            .await
            .expect("an answer, or the end")
        {
            Ok(0) => break,
            Ok(length) => text.push_str(std::str::from_utf8(&chunk[..length]).unwrap()),
            Err(error) => panic!("{error} after {text:?}"),
        }
    }
    text
}

fn is_whole(answer: &str) -> bool {
    let Some((head, body)) = answer.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    body.len() == length.map_or(0, |length| length.parse().unwrap())
}

/// Keeps every message, and takes them as it is told.
#[derive(Default)]
pub(crate) struct Recorder {
    taken: Mutex<Vec<serde_json::Value>>,
    refusing: AtomicBool,
    held: watch::Sender<bool>,
}

impl Recorder {
    pub(crate) fn refuse(&self) {
        self.refusing.store(true, Ordering::SeqCst);
    }

    /// Takes nothing more, until it is let go.
    pub(crate) fn hold(&self) {
        self.held.send_replace(true);
    }

    pub(crate) fn let_go(&self) {
        self.held.send_replace(false);
    }

    pub(crate) fn all(&self) -> Vec<serde_json::Value> {
        self.taken.lock().unwrap().clone()
    }

    /// The objects that were announced, in order.
    pub(crate) fn objects(&self) -> Vec<serde_json::Value> {
        self.all()
            .iter()
            .map(|message| message["Records"][0]["s3"]["object"].clone())
            .collect()
    }
}

#[async_trait::async_trait]
impl StorageMessages for Recorder {
    async fn take(&self, body: Bytes) -> Result<(), MessageRefused> {
        self.held.subscribe().wait_for(|held| !held).await.unwrap();
        self.taken
            .lock()
            .unwrap()
            .push(serde_json::from_slice(&body).unwrap());
        if self.refusing.load(Ordering::SeqCst) {
            return Err(MessageRefused::Unavailable("the record is away".into()));
        }
        Ok(())
    }
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

/// Counts on through all stores of the process, as time does through restarts.
struct CountingIds;

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

impl CountingIds {
    fn new() -> Self {
        Self
    }
}

impl Ids for CountingIds {
    fn ulid(&self) -> u128 {
        u128::from(NEXT_ID.fetch_add(1, Ordering::SeqCst))
    }

    fn secret(&self) -> [u8; 32] {
        [7; 32]
    }
}
