use std::sync::Arc;

use rapidphoto_application::{
    photos::DeletePhoto,
    ports::{
        Camera, InspectError, Inspection, Journal, ObjectStore, PhotoMetadata, PhotoReads, WorkKind,
        WorkQueue,
    },
};
use rapidphoto_domain::{
    PhotoId,
    photo::{Check, FailureReason, Finding, PhotoEvent, PhotoState, PhotoStatus},
    values::{MimeType, ThumbnailEdge},
};
use rapidphoto_memory::{Operation, StubInspector};

use crate::bench::{BODY, Bench, Promised, count};

/// A photo whose object is there and whose processing is due.
async fn due(bench: &Bench) -> Promised {
    let promised = bench.promise_one().await;
    assert_eq!(bench.put(&promised).status, 200);
    bench.deliver().await;
    promised
}

async fn reasons(bench: &Bench, photo: PhotoId) -> Vec<Finding> {
    match bench.photo(photo).await.state {
        PhotoState::Rejected { reasons } => reasons,
        state => panic!("{state:?}"),
    }
}

fn checks(findings: &[Finding]) -> Vec<Check> {
    findings.iter().map(|finding| finding.check).collect()
}

#[tokio::test]
async fn a_good_photo_is_completed_with_thumbnails_and_metadata() {
    let bench = Bench::new();
    let promised = due(&bench).await;
    let camera = Camera {
        model: Some("a camera".to_owned()),
        ..Camera::default()
    };
    bench.inspector.answer(Ok(Inspection {
        metadata: PhotoMetadata {
            camera: Some(camera),
            ..PhotoMetadata::default()
        },
        ..StubInspector::good_photo()
    }));
    bench.work_off().await;
    let view = PhotoReads::photo(&bench.store, bench.owner, promised.photo)
        .await
        .unwrap()
        .unwrap();
    let PhotoState::Completed { result } = &view.photo.state else {
        panic!("{:?}", view.photo.state);
    };
    assert_eq!(
        (result.width, result.height, result.mime_type),
        (4032, 3024, MimeType::Jpeg)
    );
    assert_eq!(Some(result.checksum), view.photo.declared.checksum);
    assert_eq!(result.completed_at, bench.now());
    assert_eq!(view.metadata.camera.unwrap().model.as_deref(), Some("a camera"));
    for edge in ThumbnailEdge::ALL {
        assert!(
            bench
                .objects
                .bytes(&bench.thumbnail(promised.photo, edge))
                .is_some()
        );
        assert!(result.thumbnails.iter().any(|thumbnail| thumbnail.edge == edge));
    }
    let (bytes, limits) = bench.inspector.inspected().remove(0);
    assert_eq!(bytes, BODY);
    assert_eq!(limits.max_pixels, bench.settings.checks.max_pixels);
}

#[tokio::test]
async fn all_reasons_are_told_and_nothing_is_left_of_a_rejected_photo_but_its_original() {
    let bench = Bench::new();
    let promised = due(&bench).await;
    bench.inspector.answer(Ok(Inspection {
        mime_type: Some(MimeType::Png),
        findings: vec![
            Finding::bare(Check::Corrupt),
            Finding::measured(Check::TooManyPixels, 200_000_000, 100_000_000),
        ],
        thumbnails: Vec::new(),
        ..StubInspector::good_photo()
    }));
    bench.work_off().await;
    let reasons = reasons(&bench, promised.photo).await;
    assert_eq!(
        checks(&reasons),
        [Check::TypeMismatch, Check::Corrupt, Check::TooManyPixels]
    );
    assert_eq!(
        reasons[0],
        Finding::measured(
            Check::TypeMismatch,
            "image/png".to_owned(),
            "image/jpeg".to_owned()
        )
    );
    assert_eq!(bench.objects.keys(), [bench.original(promised.photo)]);
}

#[tokio::test]
async fn text_named_jpg_is_no_image() {
    let bench = Bench::new();
    let promised = due(&bench).await;
    bench.inspector.answer(Ok(Inspection::default()));
    bench.work_off().await;
    assert_eq!(
        checks(&reasons(&bench, promised.photo).await),
        [Check::UnsupportedFormat]
    );
}

#[tokio::test]
async fn what_is_larger_than_allowed_is_rejected_unread() {
    let bench = Bench::with(1, |settings| settings.uploads.max_file_bytes = 30);
    let promised = due(&bench).await;
    // Somebody gets around the signed length, between HEAD and HEAD.
    let key = bench.original(promised.photo);
    let claims = bench
        .store
        .claim(&[WorkKind::Look], 1, bench.settings.work.lease)
        .await
        .unwrap();
    assert_eq!(claims.len(), 1);
    bench.clock.advance(bench.settings.work.lease);
    let runner = Arc::clone(&bench.runner);
    let swap = async {
        while bench.status(promised.photo).await != PhotoStatus::Processing {
            tokio::task::yield_now().await;
        }
        ObjectStore::put(&*bench.objects, &key, vec![0; 31].into(), "image/jpeg")
            .await
            .unwrap();
    };
    let (done, ()) = tokio::join!(runner.execute_due(), swap);
    done.unwrap();
    let told = checks(&reasons(&bench, promised.photo).await);
    assert_eq!(told, [Check::SizeMismatch, Check::TooLarge]);
    assert!(bench.inspector.inspected().is_empty());
}

#[tokio::test]
async fn an_object_that_changed_is_verified_anew() {
    let bench = Bench::new();
    let promised = due(&bench).await;
    bench.objects.faults().fail_next(Operation::Get, 1);
    bench.work_off().await;
    assert_eq!(bench.status(promised.photo).await, PhotoStatus::Processing);
    let mut other = BODY.to_vec();
    other.reverse();
    let key = bench.original(promised.photo);
    ObjectStore::put(&*bench.objects, &key, other.into(), "image/jpeg")
        .await
        .unwrap();
    bench.work_off_within(std::time::Duration::from_mins(1)).await;
    assert_eq!(
        checks(&reasons(&bench, promised.photo).await),
        [Check::ChecksumMismatch]
    );
}

#[tokio::test]
async fn three_errors_end_a_photo_with_its_bytes_untouched() {
    let bench = Bench::new();
    let promised = due(&bench).await;
    for _ in 0..3 {
        bench
            .inspector
            .answer(Err(InspectError::Broken("on purpose".to_owned())));
    }
    let mut tries = 0;
    while bench.status(promised.photo).await != PhotoStatus::Failed {
        bench.work_off().await;
        tries += 1;
        if let Some(due) = bench.store.next_due(&[WorkKind::Process]).await.unwrap() {
            bench.clock.set(due);
        }
    }
    assert_eq!(tries, 3);
    let state = bench.photo(promised.photo).await.state;
    let reason = FailureReason::ProcessingError;
    assert_eq!(state, PhotoState::Failed { reason });
    assert_eq!(
        bench.objects.bytes(&bench.original(promised.photo)).unwrap(),
        BODY
    );
}

#[tokio::test]
async fn a_photo_that_kills_six_workers_is_given_up_before_the_seventh() {
    let bench = Bench::new();
    let promised = due(&bench).await;
    bench.objects.faults().fail_next(Operation::Get, 1);
    bench.work_off().await;
    let lease = bench.settings.work.lease;
    for killed in 1..=6 {
        bench.clock.advance(lease);
        let claims = bench.store.claim(&[WorkKind::Process], 1, lease).await.unwrap();
        assert_eq!(claims[0].claims, killed);
        assert_eq!(bench.status(promised.photo).await, PhotoStatus::Processing);
        // The worker dies: nobody renews, nobody finishes.
    }
    bench.clock.advance(lease);
    bench.work_off().await;
    assert_eq!(
        bench.photo(promised.photo).await.state,
        PhotoState::Failed {
            reason: FailureReason::ProcessingError
        }
    );
    assert!(bench.inspector.inspected().is_empty());
}

#[tokio::test]
async fn an_outage_of_storage_at_any_step_counts_against_no_photo() {
    for step in [Operation::Head, Operation::Get, Operation::Put] {
        let bench = Bench::new();
        let promised = due(&bench).await;
        bench.objects.faults().fail_next(step, 25);
        for _ in 0..40 {
            bench.work_off().await;
            let Some(due) = bench.store.next_due(&WorkKind::ALL).await.unwrap() else {
                break;
            };
            bench.clock.set(due);
        }
        assert_eq!(
            bench.status(promised.photo).await,
            PhotoStatus::Completed,
            "{step:?}"
        );
    }
}

#[tokio::test]
async fn an_outage_of_the_record_counts_against_no_photo() {
    tokio::time::pause();
    let bench = Bench::new();
    let promised = due(&bench).await;
    for fault in [Operation::Read, Operation::Commit] {
        for times in 1..8 {
            bench.store.faults().fail_next(fault, times);
            let _ = bench.runner.execute_due().await;
            bench.store.faults().fail_next(fault, 0);
            let due = bench.store.next_due(&WorkKind::ALL).await.unwrap();
            bench.clock.set(due.unwrap_or(bench.now()).max(bench.now()));
        }
    }
    bench.work_off_within(bench.settings.work.lease * 2).await;
    assert_eq!(bench.status(promised.photo).await, PhotoStatus::Completed);
    bench.assert_record_is_sound().await;
}

#[tokio::test]
async fn a_final_commit_whose_answer_is_lost_is_one_result() {
    tokio::time::pause();
    for lost in 1..6 {
        let bench = Bench::new();
        let promised = due(&bench).await;
        bench.store.faults().lose_answers(Operation::Commit, lost);
        bench.work_off_within(bench.settings.work.lease * 2).await;
        let events = bench.photo_events(promised.photo).await;
        assert_eq!(
            count(&events, |event| matches!(
                event,
                PhotoEvent::PhotoProcessingCompleted { .. }
            )),
            1
        );
        assert_eq!(bench.store.next_due(&WorkKind::ALL).await.unwrap(), None);
        bench.assert_record_is_sound().await;
    }
}

#[tokio::test]
async fn a_photo_that_is_cancelled_at_any_moment_of_its_processing_leaves_nothing_behind() {
    let mut won = [0, 0];
    for pauses in 0..60 {
        let bench = Bench::new();
        let promised = due(&bench).await;
        let cancel = async {
            for _ in 0..pauses {
                tokio::task::yield_now().await;
            }
            let command = DeletePhoto {
                owner: bench.owner,
                photo: promised.photo,
                metadata: rapidphoto_application::ports::EventMetadata::default(),
            };
            rapidphoto_application::photos::DeletePhotoHandler::new(&bench.ports, bench.settings.work)
                .handle(command)
                .await
                .unwrap();
        };
        let (_, ()) = tokio::join!(bench.work_off(), cancel);
        bench.work_off_within(crate::bench::DAY * 2).await;
        let photo = bench.photo(promised.photo).await;
        assert!(photo.deleted || photo.status() == PhotoStatus::Cancelled);
        won[usize::from(photo.deleted)] += 1;
        assert!(
            bench.objects.keys().is_empty(),
            "{pauses}: {:?}",
            bench.objects.keys()
        );
        assert_eq!(bench.store.next_due(&WorkKind::ALL).await.unwrap(), None);
        bench.assert_record_is_sound().await;
    }
    assert!(
        won[0] > 5 && won[1] > 5,
        "both sides must have won at times: {won:?}"
    );
}

#[tokio::test]
async fn a_worker_killed_at_any_moment_loses_nothing() {
    for pauses in 0..80 {
        let bench = Bench::new();
        let promised = due(&bench).await;
        let runner = Arc::clone(&bench.runner);
        let worker = tokio::spawn(async move { runner.execute_due().await });
        for _ in 0..pauses {
            tokio::task::yield_now().await;
        }
        worker.abort();
        let _ = worker.await;
        bench.work_off_within(bench.settings.work.lease * 3).await;
        let events = bench.photo_events(promised.photo).await;
        assert_eq!(
            count(&events, |event| matches!(
                event,
                PhotoEvent::PhotoProcessingCompleted { .. }
            )),
            1,
            "killed after {pauses} steps"
        );
        assert_eq!(bench.store.next_due(&WorkKind::ALL).await.unwrap(), None);
        bench.assert_record_is_sound().await;
    }
}

#[tokio::test]
async fn a_tag_that_comes_while_a_photo_is_worked_on_costs_nothing() {
    let bench = Bench::new();
    let promised = due(&bench).await;
    let tag = async {
        while bench.status(promised.photo).await != PhotoStatus::Processing {
            tokio::task::yield_now().await;
        }
        for label in ["one", "two"] {
            loop {
                let before = rapidphoto_application::ports::Aggregates::photo(&bench.store, promised.photo)
                    .await
                    .unwrap()
                    .unwrap();
                if before.value.status() != PhotoStatus::Processing {
                    break;
                }
                if bench.store.commit(tagged(&bench, &before, label)).await.is_ok() {
                    break;
                }
            }
        }
    };
    let (_, ()) = tokio::join!(bench.work_off(), tag);
    assert_eq!(bench.status(promised.photo).await, PhotoStatus::Completed);
    assert_eq!(
        bench.inspector.inspected().len(),
        1,
        "decided anew, not worked on anew"
    );
    assert!(!bench.photo(promised.photo).await.tags.is_empty());
    bench.assert_record_is_sound().await;
}

fn tagged(
    bench: &Bench,
    before: &rapidphoto_application::ports::Versioned<rapidphoto_domain::photo::Photo>,
    label: &str,
) -> rapidphoto_application::ports::Commit {
    use rapidphoto_application::ports::{
        AggregateState, Change, Commit, EventMetadata, Ids, NewEvent, NonEmpty,
    };
    use rapidphoto_domain::{EventId, StreamId, photo::PhotoCommand};
    let labels = [label.parse().unwrap()].into();
    let events = before.value.decide(PhotoCommand::Tag { labels }).unwrap();
    let mut commit = Commit::new(bench.now(), EventMetadata::default());
    let photo = events
        .iter()
        .fold(before.value.clone(), rapidphoto_domain::photo::Photo::apply);
    commit.changes.push(Change {
        stream: StreamId::Photo(photo.id),
        expected: before.version,
        events: NonEmpty::from_vec(
            events
                .into_iter()
                .map(|event| NewEvent {
                    id: EventId::from_bits(bench.ids.ulid()),
                    event: event.into(),
                })
                .collect(),
        )
        .unwrap(),
        state: AggregateState::Photo(Box::new(photo)),
    });
    commit
}
