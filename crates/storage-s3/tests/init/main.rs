//! The bucket's settings: created, kept, added to those of others, and left alone by a dry run.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "clippy.toml allows them in tests, and does not see that this file holds nothing else"
)]

mod scripted;
#[path = "../support/mod.rs"]
mod support;

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use aws_sdk_s3::{
    Client,
    config::{BehaviorVersion, Credentials, Region},
    primitives::SdkBody,
    types::{
        BucketLifecycleConfiguration, CorsConfiguration, CorsRule, Event, ExpirationStatus,
        LifecycleExpiration, LifecycleRule, LifecycleRuleFilter, NotificationConfiguration,
        QueueConfiguration, TopicConfiguration,
    },
};
use chrono::{DateTime, Utc};
use rapidphoto_application::ports::Clock;
use rapidphoto_storage_s3::{
    BucketSettings, BucketState, BucketStep, NotificationTarget, S3Config, init_storage,
};
use rapidphoto_test_services::{CephServer, MotoServer};
use support::config;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// The signatures of requests to Ceph must be of the present.
struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "a real store checks the time")]
    fn now(&self) -> DateTime<Utc> {
        std::time::SystemTime::now().into()
    }
}

fn settings() -> BucketSettings {
    BucketSettings {
        allowed_origins: vec![
            "https://photos.example".to_owned(),
            "http://localhost:5173".to_owned(),
        ],
        prefix: "prod/".to_owned(),
        abort_uploads_after_days: 7,
        infrequent_access_after_days: Some(90),
        notifications: None,
    }
}

/// Configuration of a new bucket.
fn bucket(endpoint: String) -> S3Config {
    static BUCKETS: AtomicU32 = AtomicU32::new(0);
    S3Config {
        bucket: format!("init-{}", BUCKETS.fetch_add(1, Ordering::Relaxed)),
        ..config(endpoint)
    }
}

async fn moto() -> S3Config {
    let server = tokio::task::spawn_blocking(MotoServer::shared).await.unwrap();
    bucket(server.url())
}

async fn init(config: &S3Config, settings: &BucketSettings) -> Vec<BucketStep> {
    init_storage(config, settings, Arc::new(SystemClock), false)
        .await
        .unwrap()
}

async fn dry_run(config: &S3Config, settings: &BucketSettings) -> Vec<BucketStep> {
    init_storage(config, settings, Arc::new(SystemClock), true)
        .await
        .unwrap()
}

/// Names of the parts that were, or would be, changed.
fn changes(steps: &[BucketStep]) -> Vec<&str> {
    let changed =
        |step: &&BucketStep| matches!(step.state, BucketState::Differs(_) | BucketState::Changed(_));
    steps.iter().filter(changed).map(|step| step.part).collect()
}

/// Another program's access to the bucket.
fn other(config: &S3Config) -> Client {
    let sdk = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(config.region.clone()))
        .credentials_provider(Credentials::new("key", "secret", None, None, "test"))
        .force_path_style(true)
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .endpoint_url(config.endpoint.clone().unwrap());
    Client::from_conf(sdk.build())
}

/// Sends an SQS or SNS request.
async fn query(endpoint: &str, service: &str, parameters: &str) {
    let address = endpoint.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "POST / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential=key/20260101/us-east-1/{service}/aws4_request\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{parameters}",
        parameters.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    assert!(response.starts_with("HTTP/1.1 200"), "{response}");
}

/// Creates the topic `uploads`, which needs a signed request that the SDK for S3 does not have.
async fn create_ceph_topic(config: &S3Config) {
    let answer = other(config)
        .list_buckets()
        .customize()
        .mutate_request(|request| {
            request.set_method("POST").unwrap();
            request
                .headers_mut()
                .insert("content-type", "application/x-www-form-urlencoded");
            *request.body_mut() = SdkBody::from("Action=CreateTopic&Name=uploads");
        })
        .send()
        .await;
    // The answer is not a list of buckets.
    let status = match &answer {
        Ok(_) => 200,
        Err(error) => error.raw_response().unwrap().status().as_u16(),
    };
    assert_eq!(status, 200, "{answer:?}");
}

/// Notifies another queue of removals.
async fn put_their_notification(config: &S3Config) {
    let theirs = QueueConfiguration::builder()
        .id("theirs")
        .queue_arn("arn:aws:sqs:us-east-1:123456789012:theirs")
        .events(Event::S3ObjectRemoved)
        .build()
        .unwrap();
    other(config)
        .put_bucket_notification_configuration()
        .bucket(&config.bucket)
        .notification_configuration(
            NotificationConfiguration::builder()
                .queue_configurations(theirs)
                .build(),
        )
        .send()
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_changes_nothing() {
    let config = moto().await;
    let endpoint = config.endpoint.as_deref().unwrap();
    query(endpoint, "sqs", "Action=CreateQueue&QueueName=uploads").await;
    query(endpoint, "sqs", "Action=CreateQueue&QueueName=theirs").await;
    query(endpoint, "sns", "Action=CreateTopic&Name=uploads").await;
    for notifications in [
        NotificationTarget::Queue("arn:aws:sqs:us-east-1:123456789012:uploads".to_owned()),
        NotificationTarget::Topic("arn:aws:sns:us-east-1:123456789012:uploads".to_owned()),
    ] {
        let config = S3Config {
            bucket: bucket(String::new()).bucket,
            ..config.clone()
        };
        let settings = BucketSettings {
            notifications: Some(notifications),
            ..settings()
        };
        let without = BucketSettings {
            notifications: None,
            ..settings.clone()
        };
        assert_eq!(
            changes(&dry_run(&config, &without).await),
            ["bucket"],
            "the rest depends on it"
        );
        let first = ["bucket", "public access block", "CORS", "lifecycle"];
        assert_eq!(changes(&init(&config, &without).await), first);
        // Moto can't tell that a bucket has no notifications.
        put_their_notification(&config).await;
        assert_eq!(changes(&init(&config, &settings).await), ["notifications"]);
        assert_eq!(changes(&dry_run(&config, &settings).await), [""; 0]);
        assert_eq!(changes(&init(&config, &settings).await), [""; 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_tells_the_change_and_makes_none() {
    let config = moto().await;
    init(&config, &settings()).await;
    let longer = BucketSettings {
        abort_uploads_after_days: 9,
        ..settings()
    };
    for _ in 0..2 {
        let steps = dry_run(&config, &longer).await;
        assert_eq!(changes(&steps), ["lifecycle"]);
        let printed: Vec<_> = steps.iter().map(ToString::to_string).collect();
        assert_eq!(
            printed,
            [
                "bucket: up to date",
                "public access block: up to date",
                "CORS: up to date",
                "lifecycle: would remove incomplete multipart uploads to prod/ after 9 days, move objects of 512 KiB and \
                 more in prod/ to STANDARD_IA after 90 days",
                "notifications: up to date",
            ]
        );
    }
    assert_eq!(changes(&init(&config, &longer).await), ["lifecycle"]);
    let lifecycle = other(&config)
        .get_bucket_lifecycle_configuration()
        .bucket(&config.bucket)
        .send()
        .await
        .unwrap();
    assert_eq!(lifecycle.rules().len(), 2, "rules are replaced: {lifecycle:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_and_notifications_of_others_are_kept() {
    let config = moto().await;
    let endpoint = config.endpoint.as_deref().unwrap();
    query(endpoint, "sqs", "Action=CreateQueue&QueueName=ours").await;
    query(endpoint, "sqs", "Action=CreateQueue&QueueName=theirs").await;
    let other = other(&config);
    let bucket = &config.bucket;
    other.create_bucket().bucket(bucket).send().await.unwrap();
    let expiry = LifecycleRule::builder()
        .id("theirs")
        .status(ExpirationStatus::Enabled)
        .filter(LifecycleRuleFilter::builder().prefix("logs/").build())
        .expiration(LifecycleExpiration::builder().days(3).build())
        .build()
        .unwrap();
    other
        .put_bucket_lifecycle_configuration()
        .bucket(bucket)
        .lifecycle_configuration(
            BucketLifecycleConfiguration::builder()
                .rules(expiry)
                .build()
                .unwrap(),
        )
        .send()
        .await
        .unwrap();
    let page = CorsRule::builder()
        .id("theirs")
        .allowed_methods("GET")
        .allowed_origins("https://other.example")
        .build()
        .unwrap();
    other
        .put_bucket_cors()
        .bucket(bucket)
        .cors_configuration(CorsConfiguration::builder().cors_rules(page).build().unwrap())
        .send()
        .await
        .unwrap();
    put_their_notification(&config).await;

    let ours = "arn:aws:sqs:us-east-1:123456789012:ours";
    let settings = BucketSettings {
        notifications: Some(NotificationTarget::Queue(ours.to_owned())),
        ..settings()
    };
    init(&config, &settings).await;

    let lifecycle = other
        .get_bucket_lifecycle_configuration()
        .bucket(bucket)
        .send()
        .await
        .unwrap();
    assert!(
        lifecycle
            .rules()
            .iter()
            .any(|rule| rule.id() == Some("theirs") && rule.expiration().is_some()),
        "{lifecycle:?}"
    );
    let cors = other.get_bucket_cors().bucket(bucket).send().await.unwrap();
    let origins: Vec<_> = cors
        .cors_rules()
        .iter()
        .flat_map(CorsRule::allowed_origins)
        .collect();
    assert_eq!(
        origins,
        [
            "https://other.example",
            "https://photos.example",
            "http://localhost:5173"
        ]
    );
    let notifications = other
        .get_bucket_notification_configuration()
        .bucket(bucket)
        .send()
        .await
        .unwrap();
    let queues: Vec<_> = notifications
        .queue_configurations()
        .iter()
        .map(QueueConfiguration::queue_arn)
        .collect();
    assert_eq!(queues, ["arn:aws:sqs:us-east-1:123456789012:theirs", ours]);
}

#[tokio::test(flavor = "multi_thread")]
async fn ceph_is_set_up_as_far_as_it_can_be() {
    let server = tokio::task::spawn_blocking(CephServer::shared).await.unwrap();
    let config = bucket(server.url());
    create_ceph_topic(&config).await;
    let settings = BucketSettings {
        infrequent_access_after_days: None,
        notifications: Some(NotificationTarget::Topic(
            "arn:aws:sns:default::uploads".to_owned(),
        )),
        ..settings()
    };
    let steps = init(&config, &settings).await;
    assert_eq!(changes(&steps).len(), 5, "{steps:?}");
    let again = init(&config, &settings).await;
    assert_eq!(changes(&again), [""; 0], "{again:?}");
    let topics = other(&config)
        .get_bucket_notification_configuration()
        .bucket(&config.bucket)
        .send()
        .await
        .unwrap();
    let arns: Vec<_> = topics
        .topic_configurations()
        .iter()
        .map(TopicConfiguration::topic_arn)
        .collect();
    assert_eq!(arns, ["arn:aws:sns:default::uploads"]);
}
