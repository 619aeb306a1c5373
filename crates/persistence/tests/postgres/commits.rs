//! Numbers of statements: those of a commit do not depend on the number of photos, and those of an attempt not on its budgets.

use std::sync::{Mutex, PoisonError};

use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};
use rapidphoto_application::ports::{
    AttemptBudget, AttemptCounters as _, AttemptKey, Clock as _, Counts, Journal as _, Outcome,
    Sessions as _, WorkKind, WorkOrder,
};
use rapidphoto_contracts::database::fixtures::{self, CommitExt as _};
use rapidphoto_domain::{UserId, photo::PhotoCommand};

use crate::server::TestStore;

/// Namespace whose statements are recorded, and the statements. The instrumentation is global to the process.
static RECORDED: Mutex<(String, Vec<String>)> = Mutex::new((String::new(), Vec::new()));

struct Recorder;

impl Instrumentation for Recorder {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        let InstrumentationEvent::StartQuery { query, .. } = event else {
            return;
        };
        let mut recorded = RECORDED.lock().unwrap_or_else(PoisonError::into_inner);
        if recorded.0.is_empty() {
            return;
        }
        // The text ends with the bound values, of which the namespace is one.
        let query = query.to_string();
        if query.contains(&recorded.0) {
            recorded.1.push(query);
        }
    }
}

/// One recording at a time.
static SERIAL: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// Number of statements of a call.
async fn statements_of<T>(store: &TestStore, call: impl Future<Output = T>) -> (usize, T) {
    let _serial = SERIAL.lock().await;
    *RECORDED.lock().unwrap_or_else(PoisonError::into_inner) = (store.namespace.clone(), Vec::new());
    let answer = call.await;
    let recorded = std::mem::take(&mut *RECORDED.lock().unwrap_or_else(PoisonError::into_inner));
    (recorded.1.len(), answer)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_attempt_takes_one_statement_before_and_one_after_it() {
    set_default_instrumentation(|| Some(Box::new(Recorder))).unwrap();
    let store = TestStore::new().await;
    let budgets: Vec<_> = (0..4)
        .map(|number| AttemptBudget {
            key: AttemptKey([number; 16]),
            allowed: 5,
            counts: Counts::Failures,
        })
        .collect();
    for _ in 0..2 {
        let (begun, admission) = statements_of(&store, store.store.begin(&budgets)).await;
        let began_at = admission.unwrap().began_at.unwrap();
        let outcomes: Vec<_> = budgets
            .iter()
            .map(|budget| (budget.key, Outcome::Failed))
            .collect();
        let (settled, answer) = statements_of(&store, store.store.settle(began_at, &outcomes)).await;
        answer.unwrap();
        assert_eq!((begun, settled), (1, 1));
    }
    let session = [fixtures::session(UserId::from_bits(7), store.clock.now()).id];
    let (checked, ended) = statements_of(&store, store.store.ended_among(&session)).await;
    assert_eq!((checked, ended.unwrap()), (1, session.to_vec()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_number_of_statements_does_not_depend_on_the_number_of_photos() {
    set_default_instrumentation(|| Some(Box::new(Recorder))).unwrap();
    let store = TestStore::new().await;
    let (owner, now) = (UserId::from_bits(7), store.clock.now());
    let mut counts = Vec::new();
    for photos in [2, 100, 1_000] {
        let mut new = fixtures::commit(now);
        let job = new.write_job(owner, photos).value;
        let photos: Vec<_> = (0..photos)
            .map(|_| new.write_photo(fixtures::declared_photo(now, owner, job.id)))
            .collect();
        new.work.extend(
            photos
                .iter()
                .map(|photo| fixtures::schedule(photo, WorkKind::Look)),
        );
        let mut changed = fixtures::commit(now);
        for photo in &photos {
            changed.write_command(photo, PhotoCommand::Cancel);
            changed.work.push(WorkOrder::Drop {
                photo: photo.value.id,
                kind: WorkKind::Look,
            });
        }
        counts.push((
            statements_of(&store, store.store.commit(new)).await.0,
            statements_of(&store, store.store.commit(changed)).await.0,
        ));
    }
    // New: job, photos, filenames, words, work, events. Changed: locks of photos and work, photos, work, events.
    assert_eq!(counts, [(6, 5), (6, 5), (6, 5)]);
}
