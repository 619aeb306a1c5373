use std::time::Duration;

use rapidphoto_application::{
    jobs::RawFile,
    ports::{ObjectStore, WorkKind, WorkQueue},
    progress::ProgressTick,
};
use rapidphoto_domain::{
    photo::{Check, FailureReason, PhotoEvent, PhotoState, PhotoStatus, Policy},
    values::Progress,
};
use rapidphoto_memory::Operation;

use crate::bench::{BODY, Bench, DAY, HOUR, count};

const ALMOST_A_DAY: Duration = Duration::from_secs(24 * 3600 - 1);

async fn failure(bench: &Bench, photo: rapidphoto_domain::PhotoId) -> Option<FailureReason> {
    match bench.photo(photo).await.state {
        PhotoState::Failed { reason } => Some(reason),
        _ => None,
    }
}

async fn rejections(bench: &Bench, photo: rapidphoto_domain::PhotoId) -> Vec<Check> {
    match bench.photo(photo).await.state {
        PhotoState::Rejected { reasons } => reasons.into_iter().map(|finding| finding.check).collect(),
        state => panic!("{state:?}"),
    }
}

fn file(bytes: u64, mime_type: &str) -> RawFile {
    RawFile {
        filename: "a.jpg".to_owned(),
        mime_type: mime_type.to_owned(),
        bytes,
        upload_id: None,
        checksum: None,
    }
}

#[tokio::test]
async fn an_object_of_which_nobody_told_is_found_after_its_url_has_ended() {
    let bench = Bench::new();
    let promised = bench.promise_one().await;
    assert_eq!(bench.put(&promised).status, 200);
    bench.objects.take_announcements();
    assert_eq!(bench.work_off().await, 0, "not yet");
    bench
        .clock
        .advance(bench.settings.uploads.url_lifetime + bench.settings.work.look_grace);
    bench.work_off().await;
    assert_eq!(bench.status(promised.photo).await, PhotoStatus::Completed);
    let events = bench.photo_events(promised.photo).await;
    assert!(matches!(events[1], PhotoEvent::PhotoUploadCompleted {}));
    assert!(matches!(events[2], PhotoEvent::PhotoProcessingStarted { .. }));
    assert_eq!(bench.store.next_due(&WorkKind::ALL).await.unwrap(), None);
}

#[tokio::test]
async fn looks_are_made_at_once_after_a_restart() {
    let bench = Bench::new();
    let promised = bench.promise_one().await;
    bench.put(&promised);
    bench.store.make_looks_due().await.unwrap();
    bench.work_off().await;
    assert_eq!(bench.status(promised.photo).await, PhotoStatus::Completed);
    // Nothing there: the next look is where it would have been.
    let waiting = bench.promise_one().await;
    bench.store.make_looks_due().await.unwrap();
    bench.work_off().await;
    assert_eq!(bench.status(waiting.photo).await, PhotoStatus::Queued);
    let url_ends = waiting.url.expires_at + bench.settings.work.look_grace;
    assert_eq!(
        bench.store.next_due(&[WorkKind::Look]).await.unwrap(),
        Some(url_ends)
    );
}

#[tokio::test]
async fn an_upload_of_which_nothing_came_expires_with_its_window() {
    let bench = Bench::new();
    let promised = bench.promise_one().await;
    bench.work_off_within(ALMOST_A_DAY).await;
    assert_eq!(bench.status(promised.photo).await, PhotoStatus::Queued);
    bench.work_off_within(Duration::from_secs(1)).await;
    assert_eq!(
        failure(&bench, promised.photo).await,
        Some(FailureReason::UploadExpired)
    );
}

#[tokio::test]
async fn every_tick_is_a_sign_of_life() {
    let bench = Bench::new();
    let promised = bench.promise_one().await;
    bench.work_off_within(23 * HOUR).await;
    let tick = ProgressTick {
        owner: bench.owner,
        job: promised.job,
        photo: promised.photo,
        progress: Progress::new(1, BODY.len() as u64),
    };
    bench.tell(tick);
    bench.work_off_within(ALMOST_A_DAY).await;
    assert_eq!(bench.status(promised.photo).await, PhotoStatus::Queued);
    bench.work_off_within(Duration::from_secs(1)).await;
    assert_eq!(
        failure(&bench, promised.photo).await,
        Some(FailureReason::UploadExpired)
    );
}

#[tokio::test]
async fn a_reported_object_that_is_not_there_is_looked_for_three_times() {
    let bench = Bench::new();
    let promised = bench.promise_one().await;
    bench.finalize(promised.photo).await;
    for look in 0..2 {
        assert_eq!(bench.work_off().await, 1);
        assert_eq!(bench.status(promised.photo).await, PhotoStatus::Verifying);
        let due = bench.store.next_due(&[WorkKind::Look]).await.unwrap().unwrap();
        let pause = (due - bench.now()).to_std().unwrap();
        assert!(
            (Duration::from_secs(5)..=Duration::from_secs(15)).contains(&pause),
            "look {look}: {pause:?}"
        );
        bench.clock.set(due);
    }
    bench.work_off().await;
    assert_eq!(
        failure(&bench, promised.photo).await,
        Some(FailureReason::UploadMissing)
    );
}

#[tokio::test]
async fn a_put_that_was_answered_is_never_lost_though_its_photo_has_failed() {
    for put_after in [HOUR / 6, HOUR / 5] {
        let bench = Bench::new();
        let promised = bench.promise_one().await;
        bench.finalize(promised.photo).await;
        bench.work_off_within(put_after).await;
        assert_eq!(
            failure(&bench, promised.photo).await,
            Some(FailureReason::UploadMissing)
        );
        assert_eq!(bench.put(&promised).status, 200);
        bench.objects.take_announcements();
        bench.work_off_within(2 * HOUR).await;
        assert_eq!(bench.status(promised.photo).await, PhotoStatus::Completed);
    }
}

#[tokio::test]
async fn a_failed_upload_is_looked_for_twice_and_then_no_more() {
    let bench = Bench::new();
    let promised = bench.promise_one().await;
    bench.finalize(promised.photo).await;
    bench.work_off_within(2 * HOUR).await;
    let last = promised.url.expires_at + DAY;
    assert_eq!(bench.store.next_due(&[WorkKind::Look]).await.unwrap(), Some(last));
    bench.work_off_within(2 * DAY).await;
    assert_eq!(bench.store.next_due(&[WorkKind::Look]).await.unwrap(), None);
    let reason = failure(&bench, promised.photo).await;
    assert_eq!(reason, Some(FailureReason::UploadMissing));
}

#[tokio::test]
async fn what_head_tells_against_an_object_is_told_together() {
    let bench = Bench::new();
    let mut promised = bench
        .promise_files(bench.owner, vec![file(10, "image/jpeg")])
        .await;
    let promised = promised.remove(0);
    let key = bench.original(promised.photo);
    ObjectStore::put(&*bench.objects, &key, BODY.into(), "text/plain")
        .await
        .unwrap();
    bench.deliver().await;
    bench.work_off().await;
    assert_eq!(
        rejections(&bench, promised.photo).await,
        [Check::SizeMismatch, Check::TypeMismatch]
    );
    assert!(bench.inspector.inspected().is_empty(), "nothing is downloaded");
}

#[tokio::test]
async fn a_wrong_checksum_is_found_by_head_where_storage_knows_it() {
    let bench = Bench::new();
    let promised = bench.promise_one().await;
    let mut body = BODY.to_vec();
    body.reverse();
    let key = bench.original(promised.photo);
    ObjectStore::put(&*bench.objects, &key, body.into(), "image/jpeg")
        .await
        .unwrap();
    bench.deliver().await;
    bench.work_off().await;
    assert_eq!(
        rejections(&bench, promised.photo).await,
        [Check::ChecksumMismatch]
    );
}

#[tokio::test]
async fn a_milder_policy_lets_a_mismatch_pass_with_a_warning() {
    let bench = Bench::with(1, |settings| {
        settings.checks.policies = rapidphoto_domain::photo::CheckPolicies::with(
            [
                (Check::SizeMismatch, Policy::Warn),
                (Check::TypeMismatch, Policy::Off),
            ]
            .into(),
        );
    });
    let promised = bench
        .promise_files(bench.owner, vec![file(10, "image/png")])
        .await
        .remove(0);
    let key = bench.original(promised.photo);
    ObjectStore::put(&*bench.objects, &key, BODY.into(), "image/jpeg")
        .await
        .unwrap();
    bench.deliver().await;
    bench.work_off().await;
    let PhotoState::Completed { result } = bench.photo(promised.photo).await.state else {
        panic!("not completed");
    };
    let warned: Vec<Check> = result.warnings.iter().map(|finding| finding.check).collect();
    assert_eq!(warned, [Check::SizeMismatch]);
}

#[tokio::test]
async fn an_outage_of_storage_counts_against_no_photo() {
    let bench = Bench::new();
    let promised = bench.promise_one().await;
    bench.put(&promised);
    bench.deliver().await;
    bench.objects.faults().fail_next(Operation::Head, 40);
    for _ in 0..40 {
        assert_eq!(bench.work_off().await, 1);
        assert_eq!(bench.status(promised.photo).await, PhotoStatus::Verifying);
        let due = bench.store.next_due(&[WorkKind::Look]).await.unwrap().unwrap();
        let pause = (due - bench.now()).to_std().unwrap();
        assert!(
            (Duration::from_secs(2)..=Duration::from_secs(450)).contains(&pause),
            "{pause:?}"
        );
        bench.clock.set(due);
    }
    bench.work_off().await;
    assert_eq!(bench.status(promised.photo).await, PhotoStatus::Completed);
}

#[tokio::test]
async fn an_ambiguous_commit_of_a_look_counts_once() {
    let bench = Bench::new();
    let promised = bench.promise_one().await;
    bench.put(&promised);
    bench.deliver().await;
    bench.store.faults().lose_answers(Operation::Commit, 2);
    bench.work_off().await;
    assert_eq!(bench.status(promised.photo).await, PhotoStatus::Completed);
    let events = bench.photo_events(promised.photo).await;
    assert_eq!(
        count(&events, |event| matches!(
            event,
            PhotoEvent::PhotoProcessingStarted { .. }
        )),
        1
    );
    assert_eq!(bench.store.next_due(&WorkKind::ALL).await.unwrap(), None);
    bench.assert_record_is_sound().await;
}
