use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use rapidphoto_application::{
    ports::{Advance, Cursor, EventFilter, StoredEvent, SubscriptionName, Subscriptions},
    subscriptions::{JobCompletion, ReactError, Reactor, SubscriptionRunner},
};
use rapidphoto_domain::{DomainEvent, job::JobEvent};
use rapidphoto_memory::{Operation, TestApp};
use tokio_util::sync::CancellationToken;

use crate::support::{completions, count};

#[tokio::test]
async fn a_second_runner_takes_over_when_the_lease_of_the_first_expires() {
    let app = Arc::new(TestApp::new());
    let declared = app.declare_one().await;
    let held = app
        .store
        .acquire(JobCompletion::NAME, Duration::from_secs(10))
        .await
        .unwrap()
        .unwrap();
    app.upload(std::slice::from_ref(&declared)).await;
    assert!(
        !app.completion().catch_up().await.unwrap(),
        "another runner holds the lease"
    );
    app.clock.advance(Duration::from_secs(10));
    assert!(app.completion().catch_up().await.unwrap());
    assert_eq!(completions(&app, declared.job).await.len(), 1);
    // The first runner continues, but its lease is no longer valid.
    let reactor = JobCompletion::new(&app.ports, app.settings.work);
    let second = app.declare_one().await;
    app.upload(std::slice::from_ref(&second)).await;
    let events: Vec<_> = app
        .log()
        .await
        .into_iter()
        .filter(|event| event.job == Some(second.job))
        .collect();
    let advance = Advance {
        name: held.name,
        from: Cursor::START,
        to: Cursor::START,
        token: held.token,
    };
    assert!(matches!(
        reactor.react(&events, advance).await,
        Err(ReactError::LeaseLost)
    ));
    assert_eq!(completions(&app, second.job).await, []);
}

#[tokio::test]
async fn the_runner_survives_outages_of_the_database() {
    let app = Arc::new(TestApp::new());
    let shutdown = CancellationToken::new();
    let runner = app.completion();
    let running = tokio::spawn({
        let shutdown = shutdown.clone();
        async move { runner.run(shutdown).await }
    });
    let mut jobs = Vec::new();
    for fault in [Operation::Read, Operation::Claim, Operation::Commit] {
        let declared = app.declare(3).await;
        app.upload(&declared).await;
        app.store.faults().fail_next(fault, 2);
        // The subscription polls the log every 50 ms, even without a notification.
        tokio::time::sleep(Duration::from_millis(150)).await;
        app.store.faults().fail_next(fault, 0);
        jobs.push(declared[0].job);
    }
    let all_done = async {
        for job in jobs {
            while completions(&app, job).await.is_empty() {
                app.clock.advance(Duration::from_millis(50));
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), all_done)
        .await
        .expect("all jobs complete");
    shutdown.cancel();
    running.await.unwrap();
    let free = app
        .store
        .acquire(JobCompletion::NAME, Duration::from_secs(1))
        .await
        .unwrap();
    assert!(free.is_some(), "the lease is released");
    let log = app.log().await;
    let completed = count(&log, |stored| {
        matches!(
            stored.event,
            DomainEvent::Job(JobEvent::UploadJobCompleted { .. })
        )
    });
    assert_eq!(completed, 3);
}

/// Reactor that takes longer than the lease.
struct SlowReactor;

#[async_trait]
impl Reactor for SlowReactor {
    fn name(&self) -> SubscriptionName {
        "slow"
    }

    fn filter(&self) -> EventFilter {
        EventFilter::default()
    }

    async fn react(&self, _: &[StoredEvent], _: Advance) -> Result<bool, ReactError> {
        tokio::time::sleep(Duration::from_mins(1)).await;
        Ok(false)
    }
}

/// Runner of [`SlowReactor`], with an event to react to.
async fn slow_runner(app: &TestApp) -> SubscriptionRunner {
    app.declare_one().await;
    SubscriptionRunner::new(
        Arc::new(SlowReactor),
        &app.ports,
        app.signals.clone(),
        Duration::from_secs(1),
    )
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_renewed_while_a_reaction_takes_longer_than_it() {
    let app = TestApp::new();
    let runner = slow_runner(&app).await;
    let others = async {
        // The clock of the store advances with the runtime's.
        for _ in 0..55 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            app.clock.advance(Duration::from_secs(1));
            let acquired = app.store.acquire("slow", Duration::from_secs(10)).await;
            assert_eq!(acquired.unwrap(), None);
        }
    };
    let (caught_up, ()) = tokio::join!(runner.catch_up(), others);
    assert!(caught_up.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_reaction_is_dropped_once_its_lease_is_lost() {
    let app = TestApp::new();
    let runner = slow_runner(&app).await;
    let other = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        app.clock.advance(Duration::from_secs(11));
        let acquired = app.store.acquire("slow", Duration::from_mins(5)).await;
        assert!(acquired.unwrap().is_some());
    };
    let begun = tokio::time::Instant::now();
    let (caught_up, ()) = tokio::join!(runner.catch_up(), other);
    assert!(matches!(caught_up, Err(ReactError::LeaseLost)), "{caught_up:?}");
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "the runtime's clock is paused"
    );
}
