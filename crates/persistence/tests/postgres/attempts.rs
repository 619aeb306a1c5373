//! Attempts that several processes count.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use rapidphoto_application::{
    log::EventCodec,
    ports::{AttemptBudget, AttemptCounters as _, AttemptKey, Counts, Outcome},
};
use rapidphoto_persistence::PgStore;

use crate::server::{config, connect, random_name, shared_database};

/// A budget with a counter of its own in this test's namespace.
fn budget(number: u8, counts: Counts) -> AttemptBudget {
    AttemptBudget {
        key: AttemptKey([number; 16]),
        allowed: 5,
        counts,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_budget_holds_across_processes_by_the_servers_clock() {
    let url = shared_database().await;
    let namespace = random_name("attempts");
    let mut stores = Vec::new();
    for _ in 0..2 {
        let store = PgStore::open(&config(url, &namespace), EventCodec::default()).await;
        stores.push(Arc::new(store.unwrap()));
    }
    let started = Instant::now();
    let attempts: Vec<_> = (0..64)
        .map(|number| {
            let store = stores[number % 2].clone();
            let (mut budgets, other) = (vec![budget(1, Counts::All)], budget(2, Counts::Failures));
            budgets.insert(number / 2 % 2, other);
            tokio::spawn(async move { store.begin(&budgets).await.unwrap() })
        })
        .collect();
    let mut admitted = Vec::new();
    for attempt in attempts {
        admitted.extend(attempt.await.unwrap().began_at);
    }
    assert_eq!(admitted.len(), 5);
    // The times are those of the server.
    let now: i64 = connect(url)
        .await
        .query_one("SELECT (extract(epoch FROM now()) * 1000)::bigint", &[])
        .await
        .unwrap()
        .get(0);
    let longest = i64::try_from(started.elapsed().as_millis()).unwrap() + 1;
    for began_at in &admitted {
        assert!(
            (now - longest..=now).contains(&began_at.timestamp_millis()),
            "{began_at}"
        );
    }
    let key = budget(2, Counts::Failures).key;
    stores[1]
        .settle(admitted[0], &[(key, Outcome::Withdrawn)])
        .await
        .unwrap();
    let again = stores[0].begin(&[budget(2, Counts::Failures)]).await.unwrap();
    assert!(again.began_at.is_some());
    let refused = stores[1].begin(&[budget(1, Counts::All)]).await.unwrap();
    assert!(refused.began_at.is_none() && refused.reset <= Duration::from_mins(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn outcomes_beside_attempts_deadlock_never_and_lose_no_place() {
    let config = config(shared_database().await, &random_name("attempts"));
    let store = PgStore::open(&config, EventCodec::default()).await;
    let store = Arc::new(store.unwrap());
    let workers: Vec<_> = (0..8_u8)
        .map(|worker| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut budgets: Vec<_> = (0..4)
                    .map(|number| AttemptBudget {
                        allowed: 8,
                        ..budget(number, Counts::Failures)
                    })
                    .collect();
                budgets.rotate_left(usize::from(worker % 4));
                for _ in 0..25 {
                    let admission = store.begin(&budgets).await.unwrap();
                    let outcomes: Vec<_> = budgets
                        .iter()
                        .rev()
                        .map(|budget| (budget.key, Outcome::Withdrawn))
                        .collect();
                    let began_at = admission.began_at.expect("eight at once are allowed");
                    store.settle(began_at, &outcomes).await.unwrap();
                    store.delete_expired_attempts().await.unwrap();
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.unwrap();
    }
    for _ in 0..5 {
        let admission = store.begin(&[budget(0, Counts::Failures)]).await.unwrap();
        assert!(admission.began_at.is_some());
    }
}
