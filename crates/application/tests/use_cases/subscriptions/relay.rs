use std::{sync::Arc, time::Duration};

use rapidphoto_application::{
    ports::{Cursor, EventLog, StoredEvent, Subscriptions},
    subscriptions::{ReactError, Relay, SubscriptionRunner},
};
use rapidphoto_domain::EventId;
use rapidphoto_memory::{MemoryEvents, Operation, TestApp};
use tokio_util::sync::CancellationToken;

fn runner(app: &TestApp, events: &Arc<MemoryEvents>) -> SubscriptionRunner {
    let relay = Arc::new(Relay::new(events.clone()));
    SubscriptionRunner::new(relay, &app.ports, app.signals.clone(), Duration::from_millis(50))
}

fn ids(events: &[StoredEvent]) -> Vec<EventId> {
    events.iter().map(|event| event.id).collect()
}

/// Stored position of the relay.
async fn position(app: &TestApp) -> Cursor {
    let acquired = app.store.acquire(Relay::NAME, Duration::from_secs(1)).await;
    let held = acquired.unwrap().expect("no runner holds the lease");
    app.store.release(&held).await.unwrap();
    held.cursor
}

#[tokio::test]
async fn every_event_is_published_once_and_in_the_order_of_the_log() {
    let app = TestApp::new();
    let events = Arc::new(MemoryEvents::default());
    let relay = runner(&app, &events);
    let declared = app.declare(3).await;
    assert!(relay.catch_up().await.unwrap());
    app.upload(&declared).await;
    assert!(relay.catch_up().await.unwrap());
    assert_eq!(events.published(), app.log().await);
    assert_eq!(position(&app).await, app.store.head().await.unwrap());
}

#[tokio::test]
async fn the_position_stays_while_the_broker_is_down() {
    let app = TestApp::new();
    let events = Arc::new(MemoryEvents::default());
    let relay = runner(&app, &events);
    app.declare_one().await;
    relay.catch_up().await.unwrap();
    let before = position(&app).await;
    app.declare(2).await;
    for _ in 0..3 {
        events.faults().fail_next(Operation::Broker, 1);
        assert!(matches!(
            relay.catch_up().await,
            Err(ReactError::Unavailable(why)) if why.what == "the message broker"
        ));
        assert_eq!(position(&app).await, before);
    }
    relay.catch_up().await.unwrap();
    assert_eq!(events.published(), app.log().await);
}

#[tokio::test]
async fn events_are_published_again_if_the_position_was_not_stored() {
    let app = TestApp::new();
    let events = Arc::new(MemoryEvents::default());
    app.declare(2).await;
    let log = ids(&app.log().await);
    // The first commit of a relay is that of its position.
    app.store.faults().fail_next(Operation::Commit, 1);
    assert!(runner(&app, &events).catch_up().await.is_err());
    assert_eq!(ids(&events.published()), log);
    runner(&app, &events).catch_up().await.unwrap();
    assert_eq!(ids(&events.published()), [log.clone(), log].concat());
}

#[tokio::test]
async fn events_whose_confirmation_was_lost_are_published_again() {
    let app = TestApp::new();
    let events = Arc::new(MemoryEvents::default());
    app.declare(2).await;
    let log = ids(&app.log().await);
    events.faults().lose_answers(Operation::Broker, 1);
    assert!(runner(&app, &events).catch_up().await.is_err());
    assert_eq!(position(&app).await, Cursor::START);
    runner(&app, &events).catch_up().await.unwrap();
    assert_eq!(ids(&events.published()), [log.clone(), log].concat());
}

#[tokio::test]
async fn a_running_relay_continues_when_the_broker_is_back() {
    let app = Arc::new(TestApp::new());
    let events = Arc::new(MemoryEvents::default());
    let shutdown = CancellationToken::new();
    let relay = runner(&app, &events);
    let running = tokio::spawn({
        let shutdown = shutdown.clone();
        async move { relay.run(shutdown).await }
    });
    events.faults().fail_next(Operation::Broker, 2);
    let declared = app.declare(3).await;
    // Everything else goes on.
    app.upload(&declared).await;
    let caught_up = async {
        while events.published().len() < app.log().await.len() {
            app.clock.advance(Duration::from_millis(50));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), caught_up)
        .await
        .expect("all events are published");
    shutdown.cancel();
    running.await.unwrap();
    assert_eq!(ids(&events.published()), ids(&app.log().await));
    assert_eq!(position(&app).await, app.store.head().await.unwrap());
}
