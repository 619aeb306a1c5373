use std::{sync::Arc, time::Duration};

use futures::StreamExt as _;
use rapidphoto_application::{
    jobs::JobSnapshotHandler,
    live::{LiveItem, WatchUser},
    ports::EventMetadata,
    uploads::{ReportProgress, ReportProgressHandler, Tick},
};
use rapidphoto_domain::{
    JobId, PhotoId, UserId,
    photo::{PhotoEvent, PhotoStatus},
    values::Progress,
};
use rapidphoto_memory::Operation;
use tokio::time::timeout;

use crate::{
    bench::{BODY, Bench, DAY, LIMIT, Promised, count},
    journal::WatchedJournal,
    live::Following,
};

const BYTES: u64 = BODY.len() as u64;

fn handler(bench: &Bench) -> ReportProgressHandler {
    let board = Arc::clone(&bench.board);
    ReportProgressHandler::new(&bench.ports, board, bench.settings.work)
}

async fn tell_as(bench: &Bench, owner: UserId, photos: &[Promised], bytes_sent: u64) -> usize {
    let tick = |promised: &Promised| Tick {
        photo: promised.photo,
        bytes_sent,
    };
    let command = ReportProgress {
        owner,
        ticks: photos.iter().map(tick).collect(),
        metadata: EventMetadata::default(),
    };
    handler(bench).handle(command).await.unwrap()
}

async fn tell(bench: &Bench, photos: &[Promised], bytes_sent: u64) -> usize {
    tell_as(bench, bench.owner, photos, bytes_sent).await
}

fn on_board(bench: &Bench, photo: PhotoId) -> Option<u64> {
    bench.board.progress(photo).map(Progress::bytes_sent)
}

async fn bytes_of(bench: &Bench, job: JobId) -> u64 {
    let snapshot = JobSnapshotHandler::new(&bench.ports, Arc::clone(&bench.board))
        .handle(bench.owner, job)
        .await
        .unwrap();
    snapshot.unwrap().total_progress().bytes_sent()
}

/// Brings a photo to one end or another while its upload is told of.
async fn end(bench: &Bench, promised: &Promised, how: PhotoStatus) {
    match how {
        PhotoStatus::Cancelled => drop(bench.delete(promised.photo).await),
        PhotoStatus::Failed => bench.work_off_within(DAY * 3).await,
        other => panic!("{other:?}"),
    }
    assert_eq!(bench.status(promised.photo).await, how);
}

async fn forgotten(bench: &Bench, photo: PhotoId) {
    let gone = async {
        while bench.board.upload(photo).is_some() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(LIMIT, gone).await.expect("in time");
}

#[tokio::test]
async fn a_photo_at_its_end_takes_no_more_ticks() {
    for how in [PhotoStatus::Cancelled, PhotoStatus::Failed] {
        let bench = Bench::new();
        let following = Following::start(&bench);
        let watch = WatchUser {
            owner: bench.owner,
            last_event_id: None,
        };
        let mut watcher = bench.watch(&following.tail).user(watch).await.unwrap();
        let promised = bench.promise_one().await;
        assert_eq!(tell(&bench, std::slice::from_ref(&promised), 5).await, 1);
        end(&bench, &promised, how).await;
        forgotten(&bench, promised.photo).await;
        assert_eq!(
            tell(&bench, std::slice::from_ref(&promised), 15).await,
            0,
            "{how:?}"
        );
        assert_eq!(on_board(&bench, promised.photo), None);
        following.stop().await;
        while let Some(item) = watcher.next().await {
            if let LiveItem::Progress(tick) = item.unwrap() {
                assert_eq!(tick.progress.bytes_sent(), 5);
            }
        }
    }
}

#[tokio::test]
async fn the_progress_of_a_photo_that_came_to_nothing_stays_what_it_is() {
    for how in [PhotoStatus::Cancelled, PhotoStatus::Failed] {
        // Nobody follows the log here: the board has not heard of the end yet.
        let bench = Bench::new();
        let promised = bench.promise_one().await;
        tell(&bench, std::slice::from_ref(&promised), 5).await;
        end(&bench, &promised, how).await;
        let before = bytes_of(&bench, promised.job).await;
        tell(&bench, std::slice::from_ref(&promised), 15).await;
        assert_eq!(bytes_of(&bench, promised.job).await, before, "{how:?}");
        bench.board.remove(promised.photo);
        assert_eq!(bytes_of(&bench, promised.job).await, before, "{how:?}");
    }
}

#[tokio::test]
async fn a_thousand_first_ticks_are_one_commit() {
    let mut bench = Bench::new();
    let promised = bench.promise(1000).await;
    let journal = WatchedJournal::around(&mut bench);
    assert_eq!(tell(&bench, &promised, 7).await, 1000);
    assert_eq!(journal.commits(), 1);
    for promised in &promised {
        assert_eq!(on_board(&bench, promised.photo), Some(7));
    }
    assert_eq!(bench.status(promised[999].photo).await, PhotoStatus::Uploading);
    assert_eq!(tell(&bench, &promised, 9).await, 1000);
    assert_eq!(journal.commits(), 1, "later ticks write nothing");
    assert_eq!(bytes_of(&bench, promised[0].job).await, 9 * 1000);
    bench.assert_record_is_sound().await;
}

#[tokio::test]
async fn several_ticks_of_one_photo_are_one_beginning() {
    let bench = Bench::new();
    let promised = bench.promise_one().await;
    let twice = [promised.clone(), promised.clone()];
    assert_eq!(tell(&bench, &twice, 3).await, 2);
    let events = bench.photo_events(promised.photo).await;
    assert_eq!(
        count(&events, |event| matches!(
            event,
            PhotoEvent::PhotoUploadStarted {}
        )),
        1
    );
}

#[tokio::test]
async fn a_photo_that_ends_just_before_its_first_tick_is_written_leaves_nothing_behind() {
    let mut bench = Bench::new();
    let promised = bench.promise(3).await;
    let journal = WatchedJournal::around(&mut bench);
    let (other, photo) = (journal.unwatched(&bench), promised[1].photo);
    journal.before_next(async move {
        other.delete(photo).await;
    });
    assert_eq!(tell(&bench, &promised, 4).await, 2);
    let known: Vec<_> = promised
        .iter()
        .map(|promised| on_board(&bench, promised.photo))
        .collect();
    assert_eq!(known, [Some(4), None, Some(4)]);
    assert_eq!(journal.commits(), 2);
}

#[tokio::test]
async fn a_photo_that_ends_just_after_its_first_tick_was_written_leaves_nothing_behind() {
    let mut bench = Bench::new();
    let promised = bench.promise(3).await;
    let journal = WatchedJournal::around(&mut bench);
    let (other, photo) = (journal.unwatched(&bench), promised[1].photo);
    journal.after_next(async move {
        other.delete(photo).await;
    });
    let mut ticks = bench.board.subscribe();
    assert_eq!(tell(&bench, &promised, 4).await, 2);
    assert_eq!(on_board(&bench, photo), None);
    while let Ok(tick) = ticks.try_recv() {
        assert_ne!(tick.photo, photo, "watchers are told nothing of it");
    }
}

#[tokio::test]
async fn ticks_are_taken_where_some_photo_always_moves() {
    let mut bench = Bench::new();
    let promised = bench.promise(6).await;
    let journal = WatchedJournal::around(&mut bench);
    for moved in &promised[..3] {
        let (other, photo) = (journal.unwatched(&bench), moved.photo);
        journal.before_next(async move {
            other.finalize(photo).await;
        });
    }
    assert_eq!(tell(&bench, &promised, 4).await, 3);
    assert_eq!(journal.commits(), 3 + 3);
}

#[tokio::test]
async fn an_outage_leaves_nothing_that_nobody_has_checked() {
    let mut bench = Bench::new();
    let promised = bench.promise_one().await;
    let journal = WatchedJournal::around(&mut bench);
    let store = bench.store.clone();
    journal.after_next(async move { store.faults().fail_next(Operation::Read, 1) });
    let command = ReportProgress {
        owner: bench.owner,
        ticks: vec![Tick {
            photo: promised.photo,
            bytes_sent: 4,
        }],
        metadata: EventMetadata::default(),
    };
    assert!(handler(&bench).handle(command).await.is_err());
    assert_eq!(on_board(&bench, promised.photo), None);
    assert_eq!(tell(&bench, &[promised], 4).await, 1);
}

#[tokio::test]
async fn nobody_tells_of_anothers_photos() {
    let bench = Bench::new();
    let promised = [bench.promise_one().await];
    let stranger = UserId::from_bits(78);
    assert_eq!(tell_as(&bench, stranger, &promised, 4).await, 0);
    tell(&bench, &promised, 4).await;
    assert_eq!(tell_as(&bench, stranger, &promised, BYTES).await, 0);
    assert_eq!(on_board(&bench, promised[0].photo), Some(4));
}
