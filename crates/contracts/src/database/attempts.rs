//! Counters of attempts: a budget holds whoever counts, and for a minute of the database's clock.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use rapidphoto_application::ports::{
    ATTEMPT_WINDOW, Admission, AttemptBudget, AttemptKey, Counts, DatabasePorts, Outcome, PENDING_RETRY_DELAY,
};

use super::DatabaseHarness;

const MOMENT: Duration = Duration::from_millis(1);

/// A budget with a counter of its own.
fn budget(counts: Counts, allowed: usize) -> AttemptBudget {
    static KEYS: AtomicU64 = AtomicU64::new(0);
    let mut key = [0; 16];
    key[..8].copy_from_slice(&KEYS.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    AttemptBudget {
        key: AttemptKey(key),
        allowed,
        counts,
    }
}

async fn begin(db: &DatabasePorts, budgets: &[AttemptBudget]) -> Admission {
    db.attempts.begin(budgets).await.unwrap()
}

async fn settle(db: &DatabasePorts, admission: Admission, budget: AttemptBudget, outcome: Outcome) {
    let began_at = admission.began_at.unwrap();
    db.attempts
        .settle(began_at, &[(budget.key, outcome)])
        .await
        .unwrap();
}

/// Number of further attempts that are admitted; at most 100.
async fn admitted(db: &DatabasePorts, budget: AttemptBudget) -> usize {
    for count in 0..100 {
        if begin(db, &[budget]).await.began_at.is_none() {
            return count;
        }
    }
    100
}

/// Of concurrent attempts as many are admitted as the budget allows, of every kind.
pub async fn concurrent_attempts_exhaust_a_budget_exactly<H: DatabaseHarness>(harness: H) {
    let db = harness.ports();
    for counts in [Counts::All, Counts::Failures, Counts::FailuresWithDelay] {
        let narrow = budget(counts, 5);
        let wide = budget(Counts::All, 100);
        let attempts: Vec<_> = (0..64)
            .map(|number| {
                let db = db.clone();
                // The order of the budgets makes no difference, nor do concurrent outcomes.
                let mut budgets = [narrow, wide];
                budgets.rotate_left(number % 2);
                tokio::spawn(async move { begin(&db, &budgets).await.began_at.is_some() })
            })
            .collect();
        let mut count = 0;
        for attempt in attempts {
            count += usize::from(attempt.await.unwrap());
        }
        assert_eq!(count, 5, "{counts:?}");
        assert_eq!(admitted(&db, wide).await, 95, "refused attempts count nowhere");
    }
}

/// Each attempt counts for a minute.
pub async fn attempts_count_for_a_minute<H: DatabaseHarness>(harness: H) {
    let db = harness.ports();
    let budget = budget(Counts::All, 2);
    let first = begin(&db, &[budget]).await;
    assert_eq!((first.began_at, first.remaining), (Some(harness.now()), 1));
    assert_eq!(first.reset, ATTEMPT_WINDOW);
    harness.advance(Duration::from_secs(20)).await;
    let second = begin(&db, &[budget]).await;
    assert_eq!((second.remaining, second.reset), (0, Duration::from_secs(40)));
    harness.advance(Duration::from_secs(40) - MOMENT).await;
    let refused = begin(&db, &[budget]).await;
    assert_eq!(
        (refused.began_at, refused.remaining, refused.reset),
        (None, 0, MOMENT)
    );
    harness.advance(MOMENT).await;
    assert_eq!(begin(&db, &[budget]).await.remaining, 0);
    let refused = begin(&db, &[budget]).await;
    assert_eq!((refused.began_at, refused.reset), (None, Duration::from_secs(20)));
    harness.advance(ATTEMPT_WINDOW).await;
    assert_eq!(admitted(&db, budget).await, 2);
}

/// An attempt takes a place while it is pending, and afterwards only if it has failed.
pub async fn failures_count_and_successes_do_not<H: DatabaseHarness>(harness: H) {
    let db = harness.ports();
    let budget = budget(Counts::Failures, 2);
    for _ in 0..3 {
        let (one, two) = (begin(&db, &[budget]).await, begin(&db, &[budget]).await);
        let refused = begin(&db, &[budget]).await;
        assert_eq!((refused.began_at, refused.reset), (None, PENDING_RETRY_DELAY));
        settle(&db, one, budget, Outcome::Withdrawn).await;
        settle(&db, two, budget, Outcome::Withdrawn).await;
    }
    let (one, two) = (begin(&db, &[budget]).await, begin(&db, &[budget]).await);
    settle(&db, one, budget, Outcome::Failed).await;
    settle(&db, two, budget, Outcome::Failed).await;
    let refused = begin(&db, &[budget]).await;
    assert_eq!((refused.began_at, refused.reset), (None, ATTEMPT_WINDOW));
    harness.advance(ATTEMPT_WINDOW).await;
    assert_eq!(admitted(&db, budget).await, 2);
    // Attempts that are never settled count for a minute, too.
    harness.advance(ATTEMPT_WINDOW).await;
    assert_eq!(admitted(&db, budget).await, 2);
}

/// A success forgives the failures before it, and no attempt that is pending.
pub async fn a_success_forgives_earlier_failures<H: DatabaseHarness>(harness: H) {
    let db = harness.ports();
    let budget = budget(Counts::Failures, 5);
    for _ in 0..3 {
        let failed = begin(&db, &[budget]).await;
        settle(&db, failed, budget, Outcome::Failed).await;
    }
    let pending = begin(&db, &[budget]).await;
    harness.advance(MOMENT).await;
    let success = begin(&db, &[budget]).await;
    settle(&db, success, budget, Outcome::Forgiven).await;
    settle(&db, pending, budget, Outcome::Failed).await;
    assert_eq!(admitted(&db, budget).await, 4);
}

/// A place is given back in the counters that are named, whatever they count, and once for each attempt of one moment.
pub async fn a_withdrawn_attempt_counts_nowhere<H: DatabaseHarness>(harness: H) {
    let db = harness.ports();
    let budgets = [
        budget(Counts::All, 3),
        budget(Counts::Failures, 3),
        budget(Counts::FailuresWithDelay, 3),
    ];
    for _ in 0..10 {
        let (one, two) = (begin(&db, &budgets).await, begin(&db, &budgets).await);
        assert_eq!(one.began_at, two.began_at);
        for attempt in [one, two] {
            let outcomes = budgets.map(|budget| (budget.key, Outcome::Withdrawn));
            let began_at = attempt.began_at.unwrap();
            db.attempts.settle(began_at, &outcomes).await.unwrap();
        }
    }
    for budget in budgets {
        assert_eq!(admitted(&db, budget).await, 3, "{budget:?}");
    }
    // An unknown counter is no error.
    db.attempts
        .settle(harness.now(), &[(AttemptKey([0xff; 16]), Outcome::Failed)])
        .await
        .unwrap();
}

/// Beyond a budget with delay, attempts are delayed as long as fewer are pending than are allowed.
pub async fn attempts_beyond_a_budget_with_delay_are_delayed<H: DatabaseHarness>(harness: H) {
    let db = harness.ports();
    let delaying = budget(Counts::FailuresWithDelay, 2);
    for number in 0..6 {
        let attempt = begin(&db, &[delaying]).await;
        assert_eq!(attempt.delayed, number >= 2, "{number}");
        settle(&db, attempt, delaying, Outcome::Failed).await;
    }
    let (one, two) = (begin(&db, &[delaying]).await, begin(&db, &[delaying]).await);
    assert!(one.delayed && two.delayed);
    let refused = begin(&db, &[delaying]).await;
    assert_eq!((refused.began_at, refused.delayed), (None, false));
    settle(&db, one, delaying, Outcome::Withdrawn).await;
    // Another budget refuses all the same.
    let strict = budget(Counts::Failures, 1);
    assert!(begin(&db, &[delaying, strict]).await.delayed);
    assert_eq!(begin(&db, &[strict]).await.began_at, None);
    settle(&db, two, delaying, Outcome::Withdrawn).await;
    assert_eq!(begin(&db, &[strict, delaying]).await.began_at, None);
    assert!(begin(&db, &[delaying]).await.delayed);
}

/// Deployments count apart, and expired counters are deleted without effect on others.
pub async fn each_namespace_counts_its_own_attempts<H: DatabaseHarness>(harness: H) {
    let (db, other) = (harness.ports(), harness.other_namespace());
    let budget = budget(Counts::All, 2);
    begin(&db, &[budget]).await;
    assert_eq!(admitted(&other, budget).await, 2);
    harness.advance(ATTEMPT_WINDOW - MOMENT).await;
    db.attempts.delete_expired_attempts().await.unwrap();
    assert_eq!(admitted(&db, budget).await, 1);
    harness.advance(MOMENT).await;
    db.attempts.delete_expired_attempts().await.unwrap();
    assert_eq!(admitted(&db, budget).await, 1);
    harness.advance(ATTEMPT_WINDOW).await;
    db.attempts.delete_expired_attempts().await.unwrap();
    assert_eq!(admitted(&db, budget).await, 2);
}
