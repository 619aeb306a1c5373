use std::{
    collections::BTreeMap,
    future::Future,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use aws_sdk_sqs::{
    Client,
    config::{BehaviorVersion, Credentials, Region},
    types::QueueAttributeName,
};
use bytes::Bytes;
use rapidphoto_application::{
    intake::StorageMessage,
    ports::{MessageError, StorageMessages},
};
use rapidphoto_queue_sqs::{SqsConfig, SqsConsumer, SqsCredentials, SqsQueue};
use rapidphoto_test_services::MotoServer;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

/// Guard against hanging.
const PATIENCE: Duration = Duration::from_mins(5);

pub(crate) const REGION: &str = "eu-west-1";

/// A queue on moto with a dead-letter queue.
pub(crate) struct TestQueue {
    pub(crate) name: String,
    pub(crate) client: Client,
    pub(crate) config: SqsConfig,
    pub(crate) dead_letter_url: String,
}

impl TestQueue {
    /// A queue on the shared server that dead-letters messages after so many deliveries.
    pub(crate) async fn new(name: &str, deliveries: u32) -> Self {
        Self::on(MotoServer::shared(), name, deliveries).await
    }

    pub(crate) async fn on(moto: &MotoServer, name: &str, deliveries: u32) -> Self {
        let client = client(moto);
        let create = |name: String| {
            let client = client.clone();
            async move {
                let created = client.create_queue().queue_name(name).send().await.unwrap();
                created.queue_url.unwrap()
            }
        };
        let url = create(name.to_owned()).await;
        let dead_letter_url = create(format!("{name}-dead")).await;
        let policy =
            json!({ "deadLetterTargetArn": arn(&format!("{name}-dead")), "maxReceiveCount": deliveries });
        client
            .set_queue_attributes()
            .queue_url(&url)
            .attributes(QueueAttributeName::RedrivePolicy, policy.to_string())
            .send()
            .await
            .unwrap();
        let credentials = SqsCredentials::Fixed {
            access_key: "test".to_owned(),
            secret_key: "test".to_owned(),
        };
        let mut config = SqsConfig::new(REGION, url, credentials);
        config.endpoint = Some(moto.url());
        Self {
            name: name.to_owned(),
            client,
            config,
            dead_letter_url,
        }
    }

    pub(crate) async fn queue(&self) -> SqsQueue {
        SqsQueue::new(self.config.clone()).await.unwrap()
    }

    pub(crate) async fn send(&self, body: &str) {
        let request = self.client.send_message().queue_url(&self.config.queue_url);
        request.message_body(body).send().await.unwrap();
    }

    /// Number of messages in the queue and in its dead-letter queue, visible or not.
    pub(crate) async fn depths(&self) -> (u32, u32) {
        (
            self.depth(&self.config.queue_url).await,
            self.depth(&self.dead_letter_url).await,
        )
    }

    async fn depth(&self, url: &str) -> u32 {
        let names = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        ];
        let request = self.client.get_queue_attributes().queue_url(url);
        let attributes = request
            .set_attribute_names(Some(names.to_vec()))
            .send()
            .await
            .unwrap();
        let attributes = attributes.attributes.unwrap();
        names
            .iter()
            .map(|name| attributes[name].parse::<u32>().unwrap())
            .sum()
    }

    /// Waits until the queue and its dead-letter queue have so many messages.
    pub(crate) async fn wait_for_depths(&self, expected: (u32, u32)) {
        eventually(|| async { self.depths().await == expected }).await;
    }

    pub(crate) async fn consume(&self, photos: &Arc<Photos>) -> Running {
        let consumer = SqsConsumer::new(self.queue().await, Arc::clone(photos) as _);
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        Running {
            stop,
            task: tokio::spawn(async move { consumer.run(stopped).await }),
        }
    }
}

pub(crate) fn arn(queue: &str) -> String {
    format!("arn:aws:sqs:{REGION}:123456789012:{queue}")
}

/// A consumer that runs.
pub(crate) struct Running {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        tokio::time::timeout(PATIENCE, self.task).await.unwrap().unwrap();
    }

    /// Ends it as the end of its process would: nothing is released.
    pub(crate) async fn kill(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }
}

/// Handler of messages that parses them, as the real one does.
#[derive(Default)]
pub(crate) struct Photos {
    /// The database is unavailable.
    pub(crate) is_unavailable: AtomicBool,
    /// Messages about this key always fail.
    pub(crate) failing_key: Option<&'static str>,
    /// Duration of each call.
    pub(crate) delay: Duration,
    pub(crate) calls: AtomicU32,
    /// Number of reports of each key.
    pub(crate) reported: Mutex<BTreeMap<String, u32>>,
}

impl Photos {
    pub(crate) fn reports(&self) -> BTreeMap<String, u32> {
        self.reported.lock().unwrap().clone()
    }

    pub(crate) async fn wait_for(&self, key: &str) {
        eventually(|| async { self.reports().contains_key(key) }).await;
    }

    pub(crate) async fn wait_for_calls(&self, calls: u32) {
        eventually(|| async { self.calls.load(Ordering::SeqCst) >= calls }).await;
    }
}

#[async_trait]
impl StorageMessages for Photos {
    async fn take(&self, body: Bytes) -> Result<(), MessageError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(self.delay).await;
        let message = StorageMessage::read(&body).map_err(|why| MessageError::Malformed(why.to_string()))?;
        let fails = |key: &str| self.failing_key == Some(key);
        if self.is_unavailable.load(Ordering::SeqCst) || message.created.iter().any(|event| fails(&event.key))
        {
            return Err(MessageError::Unavailable("connection refused".into()));
        }
        let mut reported = self.reported.lock().unwrap();
        for event in message.created {
            *reported.entry(event.key).or_default() += 1;
        }
        Ok(())
    }
}

/// Notification about an object with this key.
pub(crate) fn notification(key: &str) -> String {
    let record = json!({ "eventName": "ObjectCreated:Put", "s3": { "bucket": { "name": "b" }, "object": { "key": key } } });
    json!({ "Records": [record] }).to_string()
}

pub(crate) async fn eventually<F: Future<Output = bool>>(condition: impl Fn() -> F) {
    let wait = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait)
        .await
        .expect("the condition holds in time");
}

fn client(moto: &MotoServer) -> Client {
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .endpoint_url(moto.url());
    Client::from_conf(config.build())
}

/// Sends a request to another service of moto, and returns the response.
pub(crate) async fn request(service: &str, line: &str, headers: &str, body: &str) -> String {
    let address = MotoServer::shared().url().replace("http://", "");
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let length = body.len();
    // moto chooses the service by the scope of the signature, and checks no signatures.
    let request = format!(
        "{line} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\
         Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/{REGION}/{service}/aws4_request, \
         SignedHeaders=host, Signature=0\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    assert!(response.starts_with("HTTP/1.1 200"), "{line}: {response}");
    response
}
