use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures::StreamExt;
use proptest::{prelude::*, test_runner::TestRunner};
use rapidphoto_application::{
    live::{LiveError, LiveItem, LiveStream, LiveTail, Snapshot, WatchError, WatchJob, WatchUser},
    ports::{Cursor, StoredEvent},
    progress::ProgressTick,
};
use rapidphoto_domain::{JobId, StreamId, UserId, values::Progress};
use rapidphoto_memory::Operation;
use tokio::{task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::bench::{Bench, LIMIT, Promised};

pub(crate) struct Following {
    pub(crate) tail: Arc<LiveTail>,
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

impl Following {
    pub(crate) fn start(bench: &Bench) -> Self {
        let tail = bench.tail();
        let shutdown = CancellationToken::new();
        let task = tokio::spawn({
            let (tail, shutdown) = (Arc::clone(&tail), shutdown.clone());
            async move { tail.run(shutdown).await }
        });
        Self { tail, shutdown, task }
    }

    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        self.task.await.unwrap();
    }
}

async fn watch_job(bench: &Bench, tail: &Arc<LiveTail>, job: JobId, after: Option<Cursor>) -> LiveStream {
    let command = WatchJob {
        owner: bench.owner,
        job,
        last_event_id: after.map(|cursor| cursor.to_string()),
    };
    bench.watch(tail).job(command).await.unwrap()
}

async fn next(stream: &mut LiveStream) -> LiveItem {
    let item = timeout(LIMIT, stream.next()).await.expect("in time");
    item.expect("the stream goes on").unwrap()
}

async fn next_state(stream: &mut LiveStream) -> Arc<StoredEvent> {
    match next(stream).await {
        LiveItem::State(event) => event,
        other => panic!("{other:?}"),
    }
}

async fn next_snapshot(stream: &mut LiveStream) -> Snapshot {
    match next(stream).await {
        LiveItem::Snapshot(snapshot) => snapshot,
        other => panic!("{other:?}"),
    }
}

async fn bring_on(bench: &Bench, promised: &Promised) {
    bench.put(promised);
    bench.deliver().await;
    bench.work_off().await;
}

#[tokio::test]
async fn a_stream_begins_with_a_snapshot_and_goes_on_from_there() {
    let bench = Bench::new();
    let following = Following::start(&bench);
    let promised = bench.promise(2).await;
    let other = bench.promise_one().await;
    bring_on(&bench, &promised[0]).await;
    let mut stream = watch_job(&bench, &following.tail, promised[0].job, None).await;
    let Snapshot::Job(snapshot) = next_snapshot(&mut stream).await else {
        panic!("not a job");
    };
    assert_eq!(snapshot.counts.completed, 1);
    bring_on(&bench, &other).await;
    bring_on(&bench, &promised[1]).await;
    for version in 2..=4 {
        let event = next_state(&mut stream).await;
        assert_eq!(
            (event.stream, event.version.0),
            (StreamId::Photo(promised[1].photo), version)
        );
    }
    following.stop().await;
    assert!(stream.next().await.is_none(), "it ends with the process");
}

#[tokio::test]
async fn a_watcher_resumes_without_a_gap_and_without_a_repetition() {
    let bench = Bench::new();
    let following = Following::start(&bench);
    let promised = bench.promise_one().await;
    bring_on(&bench, &promised).await;
    let log = bench.log().await;
    for (index, stored) in log.iter().enumerate() {
        let mut stream = watch_job(&bench, &following.tail, promised.job, Some(stored.cursor)).await;
        for missed in &log[index + 1..] {
            assert_eq!(*next_state(&mut stream).await, *missed);
        }
        let nothing_more = timeout(Duration::from_millis(5), stream.next()).await;
        assert!(nothing_more.is_err());
    }
    following.stop().await;
}

#[tokio::test]
async fn a_cursor_that_is_not_of_this_log_begins_anew() {
    let bench = Bench::new();
    let following = Following::start(&bench);
    let promised = bench.promise_one().await;
    for last_event_id in ["hello", "", "0-ffff"] {
        let command = WatchJob {
            owner: bench.owner,
            job: promised.job,
            last_event_id: Some(last_event_id.to_owned()),
        };
        let mut stream = bench.watch(&following.tail).job(command).await.unwrap();
        assert!(matches!(next(&mut stream).await, LiveItem::Reset));
        next_snapshot(&mut stream).await;
    }
    following.stop().await;
}

#[tokio::test]
async fn who_missed_more_than_ten_thousand_events_begins_anew() {
    let bench = Bench::with(1, |settings| settings.uploads.max_files = 20_000);
    let following = Following::start(&bench);
    let first = bench.promise_one().await;
    let start = bench.ports.database.log.head().await.unwrap();
    bench.promise(9_999).await;
    let mut stream = watch_job(&bench, &following.tail, first.job, Some(start)).await;
    bring_on(&bench, &first).await;
    next_state(&mut stream).await;
    let mut stream = watch_job(&bench, &following.tail, first.job, Some(start)).await;
    assert!(matches!(next(&mut stream).await, LiveItem::Reset));
    following.stop().await;
}

#[tokio::test]
async fn nobody_watches_what_is_not_theirs() {
    let bench = Bench::new();
    let following = Following::start(&bench);
    let promised = bench.promise_one().await;
    let stranger = UserId::from_bits(78);
    for last_event_id in [None, Some(Cursor::START.to_string())] {
        let command = WatchJob {
            owner: stranger,
            job: promised.job,
            last_event_id: last_event_id.clone(),
        };
        let refused = bench.watch(&following.tail).job(command).await;
        assert!(matches!(refused, Err(WatchError::NoSuchJob)));
    }
    let command = WatchUser {
        owner: stranger,
        last_event_id: Some(Cursor::START.to_string()),
    };
    let mut stream = bench.watch(&following.tail).user(command).await.unwrap();
    bring_on(&bench, &promised).await;
    let theirs = bench.promise_as(stranger, 1).await;
    assert_eq!(next_state(&mut stream).await.job, Some(theirs[0].job));
    following.stop().await;
}

#[tokio::test]
async fn a_user_watches_all_jobs() {
    let bench = Bench::new();
    let following = Following::start(&bench);
    let command = WatchUser {
        owner: bench.owner,
        last_event_id: None,
    };
    let mut stream = bench.watch(&following.tail).user(command).await.unwrap();
    assert!(matches!(next_snapshot(&mut stream).await, Snapshot::User { .. }));
    for _ in 0..2 {
        let promised = bench.promise_one().await;
        assert_eq!(next_state(&mut stream).await.stream, StreamId::Job(promised.job));
        assert_eq!(
            next_state(&mut stream).await.stream,
            StreamId::Photo(promised.photo)
        );
    }
    following.stop().await;
}

#[tokio::test]
async fn a_watcher_that_is_too_slow_is_told_so_and_misses_nothing_by_it() {
    let bench = Bench::with(1, |settings| settings.uploads.max_files = 5000);
    let following = Following::start(&bench);
    let command = |owner: UserId, after: Option<Cursor>| WatchUser {
        owner,
        last_event_id: after.map(|cursor| cursor.to_string()),
    };
    let watch = bench.watch(&following.tail);
    let mut stream = watch.user(command(bench.owner, None)).await.unwrap();
    let mut told = next_snapshot(&mut stream).await.cursor();
    let other = UserId::from_bits(78);
    let mut theirs = watch.user(command(other, None)).await.unwrap();
    next_snapshot(&mut theirs).await;
    bench.promise(3000).await;
    // Whoever hears of what came behind them knows that the tail has handed them all out.
    bench.promise_as(other, 1).await;
    next_state(&mut theirs).await;
    let mut heard = 0;
    let mut lagged = 0;
    while heard < 3001 {
        match timeout(LIMIT, stream.next()).await.expect("in time") {
            Some(Ok(LiveItem::State(event))) => {
                assert!(event.cursor > told);
                told = event.cursor;
                heard += 1;
            }
            Some(Err(LiveError::Lagged)) => {
                lagged += 1;
                assert!(stream.next().await.is_none());
                stream = watch.user(command(bench.owner, Some(told))).await.unwrap();
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((heard, lagged), (3001, 1));
    following.stop().await;
}

#[tokio::test]
async fn ticks_are_told_while_they_mean_something() {
    let bench = Bench::new();
    let following = Following::start(&bench);
    let promised = bench.promise(2).await;
    let mut stream = watch_job(&bench, &following.tail, promised[0].job, None).await;
    next_snapshot(&mut stream).await;
    let tick = |promised: &Promised, sent| ProgressTick {
        owner: bench.owner,
        job: promised.job,
        photo: promised.photo,
        progress: Progress::new(sent, 100),
    };
    bench.tell(tick(&promised[0], 10));
    let LiveItem::Progress(told) = next(&mut stream).await else {
        panic!("no tick");
    };
    assert_eq!(told, tick(&promised[0], 10));
    // A tick that comes behind the arrival is not told: it would take its watchers back.
    bench.finalize(promised[0].photo).await;
    next_state(&mut stream).await;
    assert_eq!(bench.board.progress(promised[0].photo), None);
    bench.tell(tick(&promised[1], 20));
    assert!(matches!(next(&mut stream).await, LiveItem::Progress(told) if told == tick(&promised[1], 20)));
    following.stop().await;
}

#[tokio::test]
async fn the_tail_goes_on_when_the_log_is_away_for_a_while() {
    let bench = Bench::new();
    let following = Following::start(&bench);
    let promised = bench.promise_one().await;
    let mut stream = watch_job(&bench, &following.tail, promised.job, None).await;
    next_snapshot(&mut stream).await;
    let faults = bench.store.faults();
    faults.fail_next(Operation::Read, 2);
    let noticed = async {
        while faults.left(Operation::Read) > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(LIMIT, noticed).await.expect("the tail tries again");
    bring_on(&bench, &promised).await;
    assert_eq!(next_state(&mut stream).await.version.0, 2);
    following.stop().await;
}

/// What watchers do: they come, hear a few things, go away, and come back to where they were.
#[derive(Debug, Clone)]
struct Script {
    seed: u64,
    /// For each watcher: how many steps it waits before it comes, and how many items it hears each time.
    watchers: Vec<(u8, Vec<u8>)>,
    photos: usize,
}

fn script() -> impl Strategy<Value = Script> {
    let watcher = (0..200_u8, prop::collection::vec(1..6_u8, 0..6));
    (any::<u64>(), prop::collection::vec(watcher, 1..6), 1..6_usize).prop_map(|(seed, watchers, photos)| {
        Script {
            seed,
            watchers,
            photos,
        }
    })
}

/// Hears everything that one watcher is told, from its first snapshot to `last`.
async fn hear(
    bench: &Bench,
    tail: &Arc<LiveTail>,
    job: JobId,
    comes_after: u8,
    visits: &[u8],
    last: u64,
) -> Vec<(StreamId, u64)> {
    for _ in 0..comes_after {
        tokio::task::yield_now().await;
    }
    let mut told: Option<Cursor> = None;
    let mut heard = Vec::new();
    let visits = visits
        .iter()
        .copied()
        .map(u64::from)
        .chain(std::iter::once(u64::MAX));
    for items in visits {
        let mut stream = watch_job(bench, tail, job, told).await;
        let mut left = items;
        while left > 0 {
            if told.is_some_and(|cursor| cursor.position() >= last) {
                return heard;
            }
            match next(&mut stream).await {
                LiveItem::Snapshot(Snapshot::Job(snapshot)) => {
                    assert_eq!(told, None, "a watcher that resumes needs no snapshot");
                    told = Some(snapshot.view.cursor);
                    let photos = snapshot.view.photos.iter();
                    heard.extend(photos.map(|view| (StreamId::Photo(view.photo.id), view.version.0)));
                }
                LiveItem::State(event) => {
                    assert!(told.is_some_and(|told| told < event.cursor), "in order, and once");
                    told = Some(event.cursor);
                    heard.push((event.stream, event.version.0));
                    left -= 1;
                }
                LiveItem::Progress(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }
    heard
}

async fn play(script: Script) {
    let bench = Arc::new(Bench::with(script.seed, |_| {}));
    bench.store.faults().stagger(script.seed);
    let following = Following::start(&bench);
    let promised = bench.promise(script.photos).await;
    let job = promised[0].job;
    let first = bench.ports.database.log.head().await.unwrap();
    // Five events for each photo after its first: with the last one, everything of the job was told.
    let last = first.position() + 3 * script.photos as u64;
    let writer = async {
        for promised in &promised {
            bench.put(promised);
            for announcement in bench.objects.take_announcements() {
                bench.take(announcement).await.unwrap();
                tokio::task::yield_now().await;
            }
            bench.work_off().await;
        }
    };
    let watchers = script
        .watchers
        .iter()
        .map(|(comes_after, visits)| hear(&bench, &following.tail, job, *comes_after, visits, last));
    let ((), heard) = tokio::join!(writer, futures::future::join_all(watchers));
    for heard in heard {
        let mut versions = BTreeMap::<StreamId, Vec<u64>>::new();
        for (stream, version) in heard {
            versions.entry(stream).or_default().push(version);
        }
        versions.remove(&StreamId::Job(job));
        assert_eq!(versions.len(), script.photos);
        for (stream, versions) in versions {
            let expected: Vec<u64> = (versions[0]..=4).collect();
            assert_eq!(versions, expected, "{stream}: every change once, in order");
        }
    }
    following.stop().await;
}

#[test]
fn watchers_that_come_and_go_hear_of_every_change_once_and_in_order() {
    let mut runner = TestRunner::new(ProptestConfig {
        cases: 100,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runner
        .run(&script(), |script| {
            runtime.block_on(play(script));
            Ok(())
        })
        .unwrap();
}
