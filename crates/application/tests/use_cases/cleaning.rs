use std::time::Duration;

use rapidphoto_application::{
    photos::DeletePhoto,
    ports::{EventMetadata, InspectError, Inspection, ObjectStore, WorkKind, WorkQueue},
};
use rapidphoto_domain::{
    photo::{Check, Finding, PhotoStatus},
    values::ThumbnailEdge,
};
use rapidphoto_memory::{Operation, StubInspector};

use crate::bench::{BODY, Bench, DAY, HOUR, Promised};

async fn ended(bench: &Bench, answers: Vec<Result<Inspection, InspectError>>) -> Promised {
    let promised = bench.promise_one().await;
    for answer in answers {
        bench.inspector.answer(answer);
    }
    assert_eq!(bench.put(&promised).status, 200);
    bench.deliver().await;
    bench.work_off_within(Duration::from_mins(1)).await;
    promised
}

#[tokio::test]
async fn a_rejected_original_goes_after_seven_days() {
    let bench = Bench::new();
    let rejected = Inspection {
        findings: vec![Finding::bare(Check::Corrupt)],
        ..StubInspector::good_photo()
    };
    let promised = ended(&bench, vec![Ok(rejected)]).await;
    assert_eq!(bench.status(promised.photo).await, PhotoStatus::Rejected);
    bench.work_off_within((7 * 24 - 1) * HOUR).await;
    assert_eq!(bench.objects.keys().len(), 1);
    bench.work_off_within(HOUR).await;
    assert!(bench.objects.keys().is_empty());
    assert_eq!(bench.store.next_due(&WorkKind::ALL).await.unwrap(), None);
}

#[tokio::test]
async fn a_failed_original_goes_after_thirty_days() {
    let bench = Bench::new();
    let broken = || Err(InspectError::Broken("on purpose".to_owned()));
    let promised = ended(&bench, vec![broken(), broken(), broken()]).await;
    assert_eq!(bench.status(promised.photo).await, PhotoStatus::Failed);
    bench.work_off_within((30 * 24 - 1) * HOUR).await;
    assert_eq!(bench.objects.keys(), [bench.original(promised.photo)]);
    bench.work_off_within(HOUR).await;
    assert!(bench.objects.keys().is_empty());
}

#[tokio::test]
async fn a_completed_photo_keeps_everything() {
    let bench = Bench::new();
    let promised = ended(&bench, Vec::new()).await;
    assert_eq!(bench.status(promised.photo).await, PhotoStatus::Completed);
    bench.work_off_within(DAY * 60).await;
    assert_eq!(bench.objects.keys().len(), 3);
}

#[tokio::test]
async fn a_deleted_photo_is_cleaned_at_once() {
    let bench = Bench::new();
    let promised = ended(&bench, Vec::new()).await;
    bench.delete(promised.photo).await;
    bench.work_off().await;
    assert!(bench.objects.keys().is_empty());
}

#[tokio::test]
async fn what_arrives_after_a_cancellation_goes_too_though_nobody_tells() {
    for arrives_after in [Duration::from_secs(1), HOUR * 2] {
        let bench = Bench::new();
        let promised = bench.promise_one().await;
        bench.delete(promised.photo).await;
        bench.work_off_within(arrives_after).await;
        // A PUT that began before its URL ended may end much later.
        let key = bench.original(promised.photo);
        ObjectStore::put(&*bench.objects, &key, b"late"[..].into(), "image/jpeg")
            .await
            .unwrap();
        bench.work_off_within(DAY + HOUR).await;
        assert!(bench.objects.keys().is_empty(), "{arrives_after:?}");
        assert_eq!(bench.store.next_due(&WorkKind::ALL).await.unwrap(), None);
    }
}

#[tokio::test]
async fn what_a_dying_worker_wrote_behind_the_first_cleaning_goes_with_the_second() {
    let bench = Bench::new();
    let promised = ended(&bench, Vec::new()).await;
    bench.work_off_within(DAY * 3).await;
    bench.delete(promised.photo).await;
    bench.work_off().await;
    let key = bench.thumbnail(promised.photo, ThumbnailEdge::Small);
    ObjectStore::put(&*bench.objects, &key, b"orphan"[..].into(), "image/jpeg")
        .await
        .unwrap();
    bench.work_off_within(HOUR).await;
    assert!(bench.objects.keys().is_empty());
    assert_eq!(bench.store.next_due(&WorkKind::ALL).await.unwrap(), None);
}

#[tokio::test]
async fn cleaning_is_tried_until_storage_is_back() {
    let bench = Bench::new();
    let promised = ended(&bench, Vec::new()).await;
    bench.objects.faults().fail_next(Operation::Delete, 50);
    let command = DeletePhoto {
        owner: bench.owner,
        photo: promised.photo,
        metadata: EventMetadata::default(),
    };
    rapidphoto_application::photos::DeletePhotoHandler::new(&bench.ports, bench.settings.work)
        .handle(command)
        .await
        .unwrap();
    bench.work_off_within(DAY).await;
    assert!(bench.objects.keys().is_empty());
}

#[tokio::test]
async fn nothing_of_a_failed_upload_is_cleaned_before_the_last_look_for_it() {
    for arrives_after in [Duration::from_secs(1), HOUR * 2, DAY] {
        let bench = Bench::with(1, |settings| settings.work.keep_failed = Duration::from_mins(10));
        let promised = bench.promise_one().await;
        bench.finalize(promised.photo).await;
        bench.work_off_within(Duration::from_mins(2)).await;
        assert_eq!(bench.status(promised.photo).await, PhotoStatus::Failed);
        bench.work_off_within(arrives_after).await;
        // A PUT that began in time, of whose arrival nobody tells.
        let key = bench.original(promised.photo);
        ObjectStore::put(&*bench.objects, &key, BODY.into(), "image/jpeg")
            .await
            .unwrap();
        bench.work_off_within(DAY * 2).await;
        assert_eq!(
            bench.status(promised.photo).await,
            PhotoStatus::Completed,
            "{arrives_after:?}"
        );
        assert_eq!(bench.objects.keys().len(), 3);
    }
}

#[tokio::test]
async fn a_failed_upload_is_cleaned_after_the_last_look_for_it() {
    let bench = Bench::with(1, |settings| settings.work.keep_failed = Duration::from_mins(10));
    let promised = bench.promise_one().await;
    bench.work_off_within(DAY * 2).await;
    assert_eq!(bench.status(promised.photo).await, PhotoStatus::Failed);
    let key = bench.original(promised.photo);
    assert_eq!(bench.store.next_due(&WorkKind::ALL).await.unwrap(), None);
    assert!(!bench.objects.keys().contains(&key));
}
