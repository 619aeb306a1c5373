//! Every way by which notifications of S3 come to a queue.

use std::sync::Arc;

use serde_json::json;

use crate::support::{Photos, REGION, TestQueue, arn, request};

const KEY: &str = "in/a b+ü.jpg";
const ENCODED_KEY: &str = "in/a%20b%2B%C3%BC.jpg";

/// Creates a bucket with a configuration of notifications.
async fn create_bucket(bucket: &str, notifications: &str) {
    let location = format!(
        "<CreateBucketConfiguration xmlns='http://s3.amazonaws.com/doc/2006-03-01/'><LocationConstraint>{REGION}</LocationConstraint></CreateBucketConfiguration>"
    );
    request("s3", &format!("PUT /{bucket}"), "", &location).await;
    let configuration = format!(
        "<NotificationConfiguration xmlns='http://s3.amazonaws.com/doc/2006-03-01/'>{notifications}</NotificationConfiguration>"
    );
    request("s3", &format!("PUT /{bucket}?notification"), "", &configuration).await;
}

/// Stores an object, and checks that its notification is handled and deleted.
async fn assert_is_handled(queue: &TestQueue, bucket: &str) {
    let photos = Arc::new(Photos::default());
    let consumer = queue.consume(&photos).await;
    request("s3", &format!("PUT /{bucket}/{ENCODED_KEY}"), "", "an image").await;
    photos.wait_for(KEY).await;
    queue.wait_for_depths((0, 0)).await;
    consumer.stop().await;
}

#[tokio::test]
async fn notifications_come_directly() {
    let queue = TestQueue::new("direct", 5).await;
    let target = arn(&queue.name);
    let notifications = format!(
        "<QueueConfiguration><Queue>{target}</Queue><Event>s3:ObjectCreated:*</Event></QueueConfiguration>"
    );
    create_bucket("direct", &notifications).await;
    // S3 sends its test event first.
    queue.wait_for_depths((1, 0)).await;
    assert_is_handled(&queue, "direct").await;
}

#[tokio::test]
async fn notifications_come_by_sns() {
    for (name, raw) in [("sns", "false"), ("sns-raw", "true")] {
        let queue = TestQueue::new(name, 5).await;
        let form = "Content-Type: application/x-www-form-urlencoded\r\n";
        let topic = format!("Action=CreateTopic&Version=2010-03-31&Name={name}");
        request("sns", "POST /", form, &topic).await;
        let topic = format!("arn:aws:sns:{REGION}:123456789012:{name}");
        let subscription = format!(
            "Action=Subscribe&Version=2010-03-31&TopicArn={topic}&Protocol=sqs&Endpoint={}\
             &Attributes.entry.1.key=RawMessageDelivery&Attributes.entry.1.value={raw}",
            arn(name)
        );
        request("sns", "POST /", form, &subscription).await;
        let notifications = format!(
            "<TopicConfiguration><Topic>{topic}</Topic><Event>s3:ObjectCreated:*</Event></TopicConfiguration>"
        );
        create_bucket(name, &notifications).await;
        assert_is_handled(&queue, name).await;
    }
}

#[tokio::test]
async fn notifications_come_by_event_bridge() {
    let queue = TestQueue::new("bridge", 5).await;
    let headers = |operation: &str| {
        format!("Content-Type: application/x-amz-json-1.1\r\nX-Amz-Target: AWSEvents.{operation}\r\n")
    };
    let pattern = json!({ "source": ["aws.s3"], "detail-type": ["Object Created"], "detail": { "bucket": { "name": ["bridge"] } } });
    let rule = json!({ "Name": "bridge", "EventPattern": pattern.to_string() });
    request("events", "POST /", &headers("PutRule"), &rule.to_string()).await;
    let targets = json!({ "Rule": "bridge", "Targets": [{ "Id": "1", "Arn": arn("bridge") }] });
    request("events", "POST /", &headers("PutTargets"), &targets.to_string()).await;
    create_bucket("bridge", "<EventBridgeConfiguration/>").await;
    assert_is_handled(&queue, "bridge").await;
}
