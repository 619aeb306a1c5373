use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use rapidphoto_test_services::MotoServer;

use crate::support::{Photos, TestQueue, eventually, notification};

#[tokio::test]
async fn an_outage_of_the_database_dead_letters_nothing() {
    let mut queue = TestQueue::new("database-down", 1).await;
    queue.config.visibility = Duration::from_secs(3);
    let photos = Arc::new(Photos::default());
    photos.is_unavailable.store(true, Ordering::SeqCst);
    for number in 0..5 {
        queue.send(&notification(&number.to_string())).await;
    }
    let consumer = queue.consume(&photos).await;
    // Five attempts of each take longer than two visibility time-outs.
    photos.wait_for_calls(25).await;
    assert_eq!(queue.depths().await, (5, 0));
    photos.is_unavailable.store(false, Ordering::SeqCst);
    queue.wait_for_depths((0, 0)).await;
    consumer.stop().await;
    let reports = photos.reports();
    assert_eq!(reports.len(), 5);
    assert!(reports.values().all(|count| *count == 1), "{reports:?}");
}

#[tokio::test]
async fn a_message_that_fails_while_others_are_handled_reaches_the_redrive_limit() {
    let mut queue = TestQueue::new("fails-alone", 1).await;
    queue.config.visibility = Duration::from_secs(1);
    let photos = Arc::new(Photos {
        failing_key: Some("bad"),
        ..Photos::default()
    });
    queue.send(&notification("bad")).await;
    let consumer = queue.consume(&photos).await;
    eventually(|| async {
        queue.send(&notification("good")).await;
        queue.depths().await.1 == 1
    })
    .await;
    consumer.stop().await;
}

#[tokio::test]
async fn consumption_goes_on_after_an_outage_of_sqs() {
    let moto = MotoServer::start();
    let queue = TestQueue::on(&moto, "outage", 5).await;
    let photos = Arc::new(Photos::default());
    let consumer = queue.consume(&photos).await;
    queue.send(&notification("before")).await;
    photos.wait_for("before").await;
    // moto keeps its queues in memory.
    moto.kill();
    moto.start_again();
    let again = TestQueue::on(&moto, "outage", 5).await;
    assert_eq!(again.config.queue_url, queue.config.queue_url);
    again.send(&notification("after")).await;
    photos.wait_for("after").await;
    consumer.stop().await;
}
