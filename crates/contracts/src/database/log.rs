//! The event log: one order, without gaps.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use rapidphoto_application::ports::{Cursor, EventFilter};
use rapidphoto_domain::{Version, photo::PhotoCommand};

use super::{
    DatabaseHarness,
    fixtures::{self, CommitExt, commit_ok},
    observations,
};

/// An empty log has no events, and its end can be read.
pub async fn an_empty_log_has_no_events<H: DatabaseHarness>(harness: H) {
    let db = harness.ports();
    let head = db.log.head().await.unwrap();
    assert_eq!(
        observations::events_from(&db, head, &EventFilter::default(), 10).await,
        []
    );
    let page = db
        .log
        .events_after(Cursor::START, &EventFilter::default(), 10)
        .await
        .unwrap();
    assert_eq!((page.events, page.at_end, page.held), (Vec::new(), true, false));
    let nobody = fixtures::user_id();
    let counted = db.log.count_events_after(Cursor::START, nobody, None, 10).await;
    assert_eq!(counted.unwrap(), Some(0));
    let unknown = fixtures::job_id().into();
    assert_eq!(db.log.events(unknown, Version::NEW).await.unwrap(), []);
    assert_eq!(db.state_rows.stream_count().await.unwrap(), 0);
}

/// The log is in the order of commits, and cursors increase.
pub async fn the_log_is_in_commit_order<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let mut ids = Vec::new();
    let mut ends = Vec::new();
    for _ in 0..5 {
        let mut commit = fixtures::commit(now);
        let job = commit.write_job(owner, 3);
        for _ in 0..3 {
            commit.write_photo(fixtures::declared_photo(now, owner, job.value.id));
        }
        let mut of_commit: Vec<_> = commit
            .changes
            .iter()
            .flat_map(|change| &change.events)
            .map(|event| event.id)
            .collect();
        of_commit.sort_unstable();
        ids.push(of_commit);
        commit.changes.reverse();
        ends.push(commit_ok(&db, commit).await.cursor);
        assert!(observations::end(&db).await >= *ends.last().unwrap());
    }
    let log = observations::log(&db).await;
    assert!(log.is_sorted_by(|one, next| one.cursor < next.cursor));
    let (_, of_jobs) = log.split_first().unwrap();
    for ((commit, ids), end) in of_jobs.chunks(4).zip(ids).zip(ends) {
        let mut stored: Vec<_> = commit.iter().map(|event| event.id).collect();
        stored.sort_unstable();
        assert_eq!(stored, ids, "a commit's events are consecutive");
        assert!(
            commit.is_sorted_by(|one, next| one.stream < next.stream),
            "a commit's events are ordered by stream: a job before its photos"
        );
        assert_eq!(commit.last().unwrap().cursor, end);
    }
}

/// A page continues after the previous one, and pages of any size contain the same log.
pub async fn pages_of_any_size_form_the_same_log<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    for photos in 1..=5 {
        fixtures::job(&db, now, owner, photos).await;
    }
    let all = observations::log(&db).await;
    assert_eq!(all.len(), 1 + 5 + 15);
    let any = EventFilter::default();
    for size in [1, 2, 3, 7, 20, 21, 22] {
        assert_eq!(
            observations::events_from(&db, Cursor::START, &any, size).await,
            all
        );
    }
    for (index, event) in all.iter().enumerate() {
        let rest = observations::events_from(&db, event.cursor, &any, 4).await;
        assert_eq!(rest, all[index + 1..]);
    }
    let end = db.log.events_after(all[20].cursor, &any, 4).await.unwrap();
    assert_eq!((end.events, end.at_end), (Vec::new(), true));
    assert!(end.scanned_to >= all[20].cursor);
}

/// A stream is read after any version.
pub async fn a_stream_can_be_read_after_any_version<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let mut photo = fixtures::photo(&db, now, owner).await;
    fixtures::photo(&db, now, owner).await;
    for command in [
        PhotoCommand::StartUpload,
        PhotoCommand::CompleteUpload,
        PhotoCommand::FailMissingUpload,
    ] {
        photo = fixtures::execute(&db, now, &photo, command).await;
    }
    let stream = photo.value.id.into();
    for after in 0..6 {
        let events = db.log.events(stream, Version(after)).await.unwrap();
        let versions: Vec<_> = events.iter().map(|event| event.version.0).collect();
        assert_eq!(versions, (after + 1..=4).collect::<Vec<_>>());
        assert!(events.iter().all(|event| event.stream == stream));
    }
    let whole = db.log.events(stream, Version::NEW).await.unwrap();
    let in_log: Vec<_> = observations::log(&db)
        .await
        .into_iter()
        .filter(|event| event.stream == stream)
        .collect();
    assert_eq!(whole, in_log);
}

/// A reader's lag counts its own user's or job's events, up to a cap; for a cursor that this log never issued it is
/// `None`.
pub async fn a_readers_lag_counts_its_own_events_up_to_a_cap<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let (owner, other) = (fixtures::user(&db, now).await, fixtures::user(&db, now).await);
    let (job, _) = fixtures::job(&db, now, owner, 4).await;
    fixtures::job(&db, now, other, 5).await;
    fixtures::job(&db, now, owner, 2).await;
    let job = job.value.id;
    let log = observations::log(&db).await;
    assert_eq!(log.len(), 2 + 5 + 6 + 3);
    let cursors = log.iter().map(|event| event.cursor);
    for cursor in std::iter::once(Cursor::START).chain(cursors) {
        for (owner, job) in [
            (owner, None),
            (owner, Some(job)),
            (other, None),
            (other, Some(job)),
        ] {
            let later = log.iter().filter(|event| event.cursor > cursor);
            let own = later.filter(|event| event.owner == owner && (job.is_none() || event.job == job));
            let behind = own.count() as u64;
            for cap in [1, 5, 100] {
                let counted = db.log.count_events_after(cursor, owner, job, cap).await.unwrap();
                assert_eq!(counted, Some(behind.min(cap)));
            }
        }
    }
    let head = observations::end(&db).await;
    // If positions are in the order of transactions, those of other databases on the server move the end, too.
    let beyond = (head.epoch() == 0).then(|| Cursor::new(0, head.position() + 1));
    let far = Cursor::new(head.epoch() + 1_000_000, 0);
    for unknown in beyond.into_iter().chain([far]) {
        let counted = db.log.count_events_after(unknown, owner, None, 100).await;
        assert_eq!(counted.unwrap(), None);
    }
}

/// A reader that follows the log during concurrent writes sees every event once, in the order of the log.
pub async fn a_reader_beside_concurrent_writers_misses_nothing<H: DatabaseHarness>(harness: H) {
    const WRITERS: u64 = 6;
    const COMMITS: u64 = 15;
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let start = observations::end(&db).await;
    let done = Arc::new(AtomicBool::new(false));
    let reader = {
        let (db, done) = (db.clone(), Arc::clone(&done));
        tokio::spawn(async move {
            let (mut cursor, mut events) = (start, Vec::new());
            loop {
                let last = done.load(Ordering::SeqCst);
                let page = db
                    .log
                    .events_after(cursor, &EventFilter::default(), 5)
                    .await
                    .unwrap();
                events.extend(page.events);
                cursor = page.scanned_to;
                if page.at_end {
                    if last {
                        return events;
                    }
                    tokio::task::yield_now().await;
                }
            }
        })
    };
    let writers: Vec<_> = (0..WRITERS)
        .map(|_| {
            let db = db.clone();
            tokio::spawn(async move {
                for _ in 0..COMMITS {
                    let mut commit = fixtures::commit(now);
                    let job = commit.write_job(owner, 2);
                    for _ in 0..2 {
                        commit.write_photo(fixtures::declared_photo(now, owner, job.value.id));
                    }
                    commit_ok(&db, commit).await;
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    done.store(true, Ordering::SeqCst);
    let live = reader.await.unwrap();
    assert_eq!(live.len() as u64, WRITERS * COMMITS * 3);
    let afterwards = observations::events_from(&db, start, &EventFilter::default(), 100).await;
    assert!(
        live == afterwards,
        "the order during the writes is the order of the log"
    );
}
