//! Statements of commits: their number does not depend on the number of photos.

use std::sync::{Mutex, PoisonError};

use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};
use rapidphoto_application::ports::{Clock as _, Commit, Journal as _, WorkKind, WorkOrder};
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

async fn statements_of(store: &TestStore, commit: Commit) -> usize {
    *RECORDED.lock().unwrap_or_else(PoisonError::into_inner) = (store.namespace.clone(), Vec::new());
    store.store.commit(commit).await.unwrap();
    std::mem::take(&mut *RECORDED.lock().unwrap_or_else(PoisonError::into_inner))
        .1
        .len()
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
            statements_of(&store, new).await,
            statements_of(&store, changed).await,
        ));
    }
    // New: job, photos, filenames, work, events. Changed: locks of photos and work, photos, work, events.
    assert_eq!(counts, [(5, 5), (5, 5), (5, 5)]);
}
