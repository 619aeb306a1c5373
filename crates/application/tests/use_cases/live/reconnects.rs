use std::{collections::BTreeMap, sync::Arc};

use proptest::{prelude::*, test_runner::TestRunner};
use rapidphoto_application::{
    live::{LiveItem, LiveTail, Snapshot},
    ports::Cursor,
};
use rapidphoto_domain::{JobId, StreamId};
use rapidphoto_memory::TestApp;

use crate::support::live::{RunningTail, next, watch_job};

/// Behaviour of several watchers that disconnect and reconnect.
#[derive(Debug, Clone)]
struct Script {
    seed: u64,
    /// For each watcher: the number of yields before it connects, and the number of items per connection.
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

/// Receives all events for one watcher, from its first snapshot to the position `last`. Returns streams and versions.
async fn receive_all(
    app: &TestApp,
    tail: &Arc<LiveTail>,
    job: JobId,
    yields: u8,
    connections: &[u8],
    last: u64,
) -> Vec<(StreamId, u64)> {
    for _ in 0..yields {
        tokio::task::yield_now().await;
    }
    let mut last_received: Option<Cursor> = None;
    let mut received = Vec::new();
    let connections = connections
        .iter()
        .copied()
        .map(u64::from)
        .chain(std::iter::once(u64::MAX));
    for items in connections {
        let mut stream = watch_job(app, tail, job, last_received).await;
        let mut left = items;
        while left > 0 {
            if last_received.is_some_and(|cursor| cursor.position() >= last) {
                return received;
            }
            match next(&mut stream).await {
                LiveItem::Snapshot(Snapshot::Job(snapshot)) => {
                    assert_eq!(last_received, None, "a resumed stream has no snapshot");
                    last_received = Some(snapshot.view.cursor);
                    let photos = snapshot.view.photos.iter();
                    received.extend(photos.map(|view| (StreamId::Photo(view.photo.id), view.version.0)));
                }
                LiveItem::State(event) => {
                    assert!(
                        last_received.is_some_and(|last_received| last_received < event.cursor),
                        "events are in order, without repetitions"
                    );
                    last_received = Some(event.cursor);
                    received.push((event.stream, event.version.0));
                    left -= 1;
                }
                LiveItem::Progress(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }
    received
}

async fn run(script: Script) {
    let app = Arc::new(TestApp::seeded(script.seed));
    app.store.faults().yield_randomly(script.seed);
    let running = RunningTail::start(&app);
    let declared = app.declare(script.photos).await;
    let job = declared[0].job;
    let first = app.ports.database.log.head().await.unwrap();
    // Three more events for each photo: after the last one, the job has no further changes.
    let last = first.position() + 3 * script.photos as u64;
    let writer = async {
        for declared in &declared {
            app.put(declared);
            for announcement in app.objects.take_announcements() {
                app.receive(announcement).await.unwrap();
                tokio::task::yield_now().await;
            }
            app.execute_due().await;
        }
    };
    let watchers = script
        .watchers
        .iter()
        .map(|(yields, connections)| receive_all(&app, &running.tail, job, *yields, connections, last));
    let ((), received) = tokio::join!(writer, futures::future::join_all(watchers));
    for received in received {
        let mut versions = BTreeMap::<StreamId, Vec<u64>>::new();
        for (stream, version) in received {
            versions.entry(stream).or_default().push(version);
        }
        versions.remove(&StreamId::Job(job));
        assert_eq!(versions.len(), script.photos);
        for (stream, versions) in versions {
            let expected: Vec<u64> = (versions[0]..=4).collect();
            assert_eq!(versions, expected, "{stream}: every change once, in order");
        }
    }
    running.stop().await;
}

#[test]
fn reconnecting_watchers_receive_every_change_once_and_in_order() {
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
            runtime.block_on(run(script));
            Ok(())
        })
        .unwrap();
}
