use std::{collections::BTreeSet, time::Duration};

use futures::StreamExt as _;
use rapidphoto_application::{
    live::{LiveError, LiveItem, Snapshot, Start, WatchError, WatchJob, WatchUser},
    ports::{Aggregates as _, Cursor, ProgressTick},
};
use rapidphoto_domain::{
    StreamId, UserId,
    photo::PhotoCommand,
    values::{Progress, TagLabel},
};
use rapidphoto_memory::{
    DeclaredPhoto, Operation, TestApp,
    fixtures::{OTHER_USER, TEST_TIMEOUT},
};
use tokio::time::timeout;

use crate::support::{
    live::{RunningTail, next, next_event, next_snapshot, watch_job},
    photo_commit,
};

async fn complete(app: &TestApp, declared: &DeclaredPhoto) {
    app.upload(std::slice::from_ref(declared)).await;
}

#[tokio::test]
async fn a_stream_starts_with_a_snapshot_and_continues_with_events() {
    let app = TestApp::new();
    let running = RunningTail::start(&app);
    let declared = app.declare(2).await;
    let other = app.declare_one().await;
    complete(&app, &declared[0]).await;
    let mut stream = watch_job(&app, &running.tail, declared[0].job, None).await;
    let Snapshot::Job(snapshot) = next_snapshot(&mut stream).await else {
        panic!("not a job");
    };
    assert_eq!(snapshot.counts.completed, 1);
    complete(&app, &other).await;
    complete(&app, &declared[1]).await;
    for version in 2..=4 {
        let event = next_event(&mut stream).await;
        assert_eq!(
            (event.stream, event.version.0),
            (StreamId::Photo(declared[1].photo), version)
        );
    }
    running.stop().await;
    assert!(stream.next().await.is_none(), "the stream ends with the process");
}

#[tokio::test]
async fn a_resumed_stream_has_no_gaps_or_repetitions() {
    let app = TestApp::new();
    let running = RunningTail::start(&app);
    let declared = app.declare_one().await;
    complete(&app, &declared).await;
    let log = app.log().await;
    for (index, stored) in log.iter().enumerate() {
        let mut stream = watch_job(&app, &running.tail, declared.job, Some(stored.cursor)).await;
        for missed in &log[index + 1..] {
            assert_eq!(*next_event(&mut stream).await, *missed);
        }
        let nothing_more = timeout(Duration::from_millis(5), stream.next()).await;
        assert!(nothing_more.is_err());
    }
    running.stop().await;
}

#[tokio::test]
async fn an_unknown_cursor_resets_the_stream() {
    let app = TestApp::new();
    let running = RunningTail::start(&app);
    let declared = app.declare_one().await;
    for start in [
        Start::Reset,
        Start::After(Cursor::new(0, 0xffff)),
        Start::After(Cursor::new(7, 0)),
    ] {
        let command = WatchJob {
            owner: app.owner,
            job: declared.job,
            start,
            follow: false,
        };
        let mut stream = app.watch(&running.tail).job(command).await.unwrap();
        assert!(matches!(next(&mut stream).await, LiveItem::Reset));
        next_snapshot(&mut stream).await;
    }
    running.stop().await;
}

/// Adds a tag and removes it again, `changes` times in all.
async fn change_tags(app: &TestApp, declared: &DeclaredPhoto, changes: usize) {
    let labels: BTreeSet<_> = [TagLabel::parse("a").unwrap()].into();
    for _ in 0..changes {
        let before = app.store.photo(declared.photo).await.unwrap().unwrap();
        let labels = labels.clone();
        let command = if before.value.tags.is_empty() {
            PhotoCommand::Tag { labels }
        } else {
            PhotoCommand::Untag { labels }
        };
        let commit = photo_commit(app, &before, command);
        app.ports.database.journal.commit(commit).await.unwrap();
    }
}

#[tokio::test]
async fn a_stream_that_missed_more_than_ten_thousand_events_of_its_job_is_reset() {
    let app = TestApp::new();
    let running = RunningTail::start(&app);
    let quiet = app.declare_one().await;
    let start = app.ports.database.log.head().await.unwrap();
    // With the job's own event and those of its photos, exactly 10 000 events.
    let busy = app.declare(999).await;
    change_tags(&app, &busy[0], 9_000).await;
    let mut stream = watch_job(&app, &running.tail, busy[0].job, Some(start)).await;
    next_event(&mut stream).await;
    complete(&app, &busy[0]).await;
    let mut stream = watch_job(&app, &running.tail, busy[0].job, Some(start)).await;
    assert!(matches!(next(&mut stream).await, LiveItem::Reset));
    // Events of other jobs and users don't count.
    let mut stream = watch_job(&app, &running.tail, quiet.job, Some(start)).await;
    complete(&app, &quiet).await;
    assert_eq!(next_event(&mut stream).await.stream, StreamId::Photo(quiet.photo));
    let theirs = app.declare_as(OTHER_USER, 1).await;
    let command = WatchUser {
        owner: OTHER_USER,
        start: Start::After(start),
    };
    let mut stream = app.watch(&running.tail).user(command).await.unwrap();
    assert_eq!(next_event(&mut stream).await.job, Some(theirs[0].job));
    running.stop().await;
}

#[tokio::test]
async fn users_receive_only_their_own_events() {
    let app = TestApp::new();
    let running = RunningTail::start(&app);
    let declared = app.declare_one().await;
    for start in [Start::Snapshot, Start::After(Cursor::START)] {
        let command = WatchJob {
            owner: OTHER_USER,
            job: declared.job,
            start,
            follow: false,
        };
        let result = app.watch(&running.tail).job(command).await;
        assert!(matches!(result, Err(WatchError::NoSuchJob)));
    }
    let command = WatchUser {
        owner: OTHER_USER,
        start: Start::After(Cursor::START),
    };
    let mut stream = app.watch(&running.tail).user(command).await.unwrap();
    complete(&app, &declared).await;
    let theirs = app.declare_as(OTHER_USER, 1).await;
    assert_eq!(next_event(&mut stream).await.job, Some(theirs[0].job));
    running.stop().await;
}

#[tokio::test]
async fn the_stream_of_a_user_has_the_events_of_all_jobs() {
    let app = TestApp::new();
    let running = RunningTail::start(&app);
    let command = WatchUser {
        owner: app.owner,
        start: Start::Snapshot,
    };
    let mut stream = app.watch(&running.tail).user(command).await.unwrap();
    assert!(matches!(next_snapshot(&mut stream).await, Snapshot::User { .. }));
    for _ in 0..2 {
        let declared = app.declare_one().await;
        assert_eq!(next_event(&mut stream).await.stream, StreamId::Job(declared.job));
        assert_eq!(
            next_event(&mut stream).await.stream,
            StreamId::Photo(declared.photo)
        );
    }
    running.stop().await;
}

#[tokio::test]
async fn a_lagging_stream_ends_and_can_be_resumed_without_gaps() {
    let app = TestApp::with_settings(|settings| settings.uploads.max_files = 5000);
    let running = RunningTail::start(&app);
    let command = |owner: UserId, after: Option<Cursor>| WatchUser {
        owner,
        start: after.map_or(Start::Snapshot, Start::After),
    };
    let watch = app.watch(&running.tail);
    let mut stream = watch.user(command(app.owner, None)).await.unwrap();
    let mut last = next_snapshot(&mut stream).await.cursor();
    let mut theirs = watch.user(command(OTHER_USER, None)).await.unwrap();
    next_snapshot(&mut theirs).await;
    // Three events of jobs and 2 998 of photos.
    for photos in [1_000, 1_000, 998] {
        app.declare(photos).await;
    }
    // The tail sends events in order: once the other user receives a later event, it has sent all of these.
    app.declare_as(OTHER_USER, 1).await;
    next_event(&mut theirs).await;
    let mut received = 0;
    let mut lagged = 0;
    while received < 3001 {
        match timeout(TEST_TIMEOUT, stream.next())
            .await
            .expect("an item in time")
        {
            Some(Ok(LiveItem::State(event))) => {
                assert!(event.cursor > last);
                last = event.cursor;
                received += 1;
            }
            Some(Err(LiveError::Lagged)) => {
                lagged += 1;
                assert!(stream.next().await.is_none());
                stream = watch.user(command(app.owner, Some(last))).await.unwrap();
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((received, lagged), (3001, 1));
    running.stop().await;
}

#[tokio::test]
async fn progress_is_sent_only_during_the_upload() {
    let app = TestApp::new();
    let running = RunningTail::start(&app);
    let declared = app.declare(2).await;
    let mut stream = watch_job(&app, &running.tail, declared[0].job, None).await;
    next_snapshot(&mut stream).await;
    let tick = |declared: &DeclaredPhoto, sent| ProgressTick {
        owner: app.owner,
        job: declared.job,
        photo: declared.photo,
        progress: Progress::new(sent, 100),
    };
    app.set_progress(tick(&declared[0], 10));
    let LiveItem::Progress(sent_tick) = next(&mut stream).await else {
        panic!("no tick");
    };
    assert_eq!(sent_tick, tick(&declared[0], 10));
    // A tick after the end of the upload is not sent: watchers would see the progress decrease.
    app.finalize(declared[0].photo).await;
    next_event(&mut stream).await;
    assert_eq!(app.board.progress(declared[0].photo), None);
    app.set_progress(tick(&declared[1], 20));
    assert!(
        matches!(next(&mut stream).await, LiveItem::Progress(sent_tick) if sent_tick == tick(&declared[1], 20))
    );
    running.stop().await;
}

#[tokio::test]
async fn the_tail_continues_after_an_outage_of_the_log() {
    let app = TestApp::new();
    let running = RunningTail::start(&app);
    let declared = app.declare_one().await;
    let mut stream = watch_job(&app, &running.tail, declared.job, None).await;
    next_snapshot(&mut stream).await;
    let faults = app.store.faults();
    faults.fail_next(Operation::Read, 2);
    let noticed = async {
        while faults.left(Operation::Read) > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(TEST_TIMEOUT, noticed).await.expect("the tail retries");
    complete(&app, &declared).await;
    assert_eq!(next_event(&mut stream).await.version.0, 2);
    running.stop().await;
}
