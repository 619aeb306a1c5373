use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use aws_sdk_sqs::types::MessageAttributeValue;
use bytes::Bytes;
use rapidphoto_application::ports::DeadLetters;
use rapidphoto_contracts::DeadLetterHarness;
use rapidphoto_queue_sqs::SqsDeadLetters;

use crate::support::{Photos, TestQueue, notification};

struct SqsHarness {
    queue: TestQueue,
    port: Arc<SqsDeadLetters>,
}

impl DeadLetterHarness for SqsHarness {
    /// SQS carries text.
    const BODY: &'static [u8] = "{\"ü\n".as_bytes();

    async fn fresh() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let queue = TestQueue::new(&format!("contract-{number}"), 5).await;
        let port = Arc::new(SqsDeadLetters::new(queue.queue().await));
        Self { queue, port }
    }

    fn port(&self) -> Arc<dyn DeadLetters> {
        self.port.clone()
    }

    async fn add(&self, reason: &str, body: Bytes) {
        let reason = MessageAttributeValue::builder()
            .data_type("String")
            .string_value(reason);
        let request = self
            .queue
            .client
            .send_message()
            .queue_url(&self.queue.dead_letter_url);
        request
            .message_body(str::from_utf8(&body).unwrap())
            .message_attributes("reason", reason.build().unwrap())
            .send()
            .await
            .unwrap();
    }

    async fn redriven(&self, expected: usize) -> Vec<Bytes> {
        let (client, url) = (&self.queue.client, &self.queue.config.queue_url);
        let mut bodies = Vec::new();
        for _ in 0..10 {
            let request = client.receive_message().queue_url(url).max_number_of_messages(10);
            for message in request
                .wait_time_seconds(1)
                .send()
                .await
                .unwrap()
                .messages
                .unwrap_or_default()
            {
                let receipt = message.receipt_handle.unwrap();
                let request = client.delete_message().queue_url(url);
                request.receipt_handle(receipt).send().await.unwrap();
                bodies.push(Bytes::from(message.body.unwrap()));
            }
            if bodies.len() >= expected {
                break;
            }
        }
        bodies
    }
}

rapidphoto_contracts::dead_letter_contract!(SqsHarness);

#[tokio::test]
async fn redriven_messages_that_become_dead_letters_again_are_moved_once() {
    let queue = TestQueue::new("again", 5).await;
    let photos = Arc::new(Photos::default());
    let consumer = queue.consume(&photos).await;
    for number in 0..23 {
        queue.send(&format!("not JSON {number}")).await;
    }
    queue.wait_for_depths((0, 23)).await;
    let dead_letters = SqsDeadLetters::new(queue.queue().await);
    assert_eq!(dead_letters.redrive_all().await.unwrap(), 23);
    photos.wait_for_calls(46).await;
    queue.wait_for_depths((0, 23)).await;
    consumer.stop().await;
    assert_eq!(photos.calls.load(Ordering::SeqCst), 46);
}

#[tokio::test]
async fn messages_that_reached_the_redrive_limit_say_so() {
    let mut queue = TestQueue::new("limit", 1).await;
    queue.config.visibility = Duration::from_secs(1);
    // moto goes on with other polls of a killed consumer, and delivers messages to nobody.
    queue.config.receivers = 1;
    queue.send(&notification("key")).await;
    let hanging = Arc::new(Photos {
        delay: Duration::from_hours(1),
        ..Photos::default()
    });
    let killed = queue.consume(&hanging).await;
    hanging.wait_for_calls(1).await;
    killed.kill().await;
    // SQS moves it when it would be delivered again.
    let photos = Arc::new(Photos::default());
    let consumer = queue.consume(&photos).await;
    queue.wait_for_depths((0, 1)).await;
    let dead_letters = SqsDeadLetters::new(queue.queue().await);
    let listed = dead_letters.list(10).await.unwrap();
    assert!(listed[0].reason.contains("as often as"), "{}", listed[0].reason);
    assert!(dead_letters.redrive(&listed[0].id).await.unwrap());
    photos.wait_for("key").await;
    consumer.stop().await;
}
