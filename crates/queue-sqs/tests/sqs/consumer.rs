use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use rapidphoto_application::ports::DeadLetters as _;
use rapidphoto_queue_sqs::SqsDeadLetters;

use crate::support::{Photos, TestQueue, notification};

#[tokio::test]
async fn handled_messages_are_deleted() {
    let queue = TestQueue::new("handled", 5).await;
    for number in 0..25 {
        queue.send(&notification(&number.to_string())).await;
    }
    let photos = Arc::new(Photos::default());
    let consumer = queue.consume(&photos).await;
    queue.wait_for_depths((0, 0)).await;
    consumer.stop().await;
    let reports = photos.reports();
    assert_eq!(reports.len(), 25);
    assert!(reports.values().all(|count| *count == 1), "{reports:?}");
}

#[tokio::test]
async fn malformed_messages_move_to_the_dead_letter_queue_with_their_reason() {
    let queue = TestQueue::new("malformed", 5).await;
    queue.send("hello").await;
    queue.send(&notification("good")).await;
    let photos = Arc::new(Photos::default());
    let consumer = queue.consume(&photos).await;
    queue.wait_for_depths((0, 1)).await;
    photos.wait_for("good").await;
    consumer.stop().await;
    let letters = SqsDeadLetters::new(queue.queue().await).list(10).await.unwrap();
    assert_eq!(letters.len(), 1);
    assert!(letters[0].reason.contains("not JSON"), "{}", letters[0].reason);
    assert_eq!(&letters[0].preview[..], b"hello");
}

#[tokio::test]
async fn malformed_messages_without_a_dead_letter_queue_stay() {
    let mut queue = TestQueue::new("no-policy", 5).await;
    // The dead-letter queue itself has no redrive policy.
    queue.config.queue_url = queue.dead_letter_url.clone();
    queue.send("hello").await;
    queue.send(&notification("good")).await;
    let photos = Arc::new(Photos::default());
    let consumer = queue.consume(&photos).await;
    photos.wait_for("good").await;
    queue.wait_for_depths((1, 1)).await;
    consumer.stop().await;
    assert_eq!(queue.depths().await, (1, 1));
}

#[tokio::test]
async fn a_slow_message_is_delivered_once() {
    let mut queue = TestQueue::new("slow", 5).await;
    queue.config.visibility = Duration::from_secs(1);
    queue.send(&notification("slow")).await;
    let photos = Arc::new(Photos {
        delay: Duration::from_secs(4),
        ..Photos::default()
    });
    let consumer = queue.consume(&photos).await;
    queue.wait_for_depths((0, 0)).await;
    consumer.stop().await;
    assert_eq!(photos.calls.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn messages_of_a_killed_consumer_are_delivered_again() {
    let mut queue = TestQueue::new("killed", 5).await;
    queue.config.visibility = Duration::from_secs(2);
    queue.send(&notification("key")).await;
    let hanging = Arc::new(Photos {
        delay: Duration::from_hours(1),
        ..Photos::default()
    });
    let killed = queue.consume(&hanging).await;
    hanging.wait_for_calls(1).await;
    killed.kill().await;
    let photos = Arc::new(Photos::default());
    let consumer = queue.consume(&photos).await;
    photos.wait_for("key").await;
    queue.wait_for_depths((0, 0)).await;
    consumer.stop().await;
}

#[tokio::test]
async fn a_stop_releases_what_is_in_hand() {
    let mut queue = TestQueue::new("stopped", 5).await;
    // Far longer than the test's patience.
    queue.config.visibility = Duration::from_hours(1);
    queue.send(&notification("key")).await;
    let unavailable = Arc::new(Photos::default());
    unavailable.is_unavailable.store(true, Ordering::SeqCst);
    let stopped = queue.consume(&unavailable).await;
    unavailable.wait_for_calls(2).await;
    stopped.stop().await;
    let photos = Arc::new(Photos::default());
    let consumer = queue.consume(&photos).await;
    photos.wait_for("key").await;
    consumer.stop().await;
}
