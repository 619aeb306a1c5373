use std::sync::Arc;

use futures::future::join_all;
use rapidphoto_application::ports::{MessageRefused, WorkKind, WorkQueue};
use rapidphoto_domain::{
    PhotoId, UserId,
    photo::{PhotoEvent, PhotoStatus},
};
use rapidphoto_memory::Operation;
use serde_json::json;

use crate::bench::{BODY, Bench, count};

fn message(bucket: &str, keys: &[String]) -> String {
    let record = |key: &String| {
        json!({
            "eventName": "ObjectCreated:Put",
            "s3": { "bucket": { "name": bucket }, "object": { "key": key, "size": 3, "eTag": "not-true" } }
        })
    };
    json!({ "Records": keys.iter().map(record).collect::<Vec<_>>() }).to_string()
}

fn is_reported(event: &PhotoEvent) -> bool {
    matches!(event, PhotoEvent::PhotoUploadCompleted {})
}

#[tokio::test]
async fn an_event_leads_to_a_look_and_the_photo_to_its_end() {
    let bench = Bench::new();
    let promised = bench.promise_one().await;
    assert_eq!(bench.put(&promised).status, 200);
    bench.deliver().await;
    assert_eq!(bench.status(promised.photo).await, PhotoStatus::Verifying);
    bench.work_off().await;
    assert_eq!(bench.status(promised.photo).await, PhotoStatus::Completed);
    bench.assert_record_is_sound().await;
}

#[tokio::test]
async fn the_same_event_five_times_counts_once() {
    let bench = Bench::new();
    let promised = bench.promise_one().await;
    bench.put(&promised);
    let event = bench.objects.take_announcements().remove(0);
    for round in 0..5 {
        bench.take(event.clone()).await.unwrap();
        if round % 2 == 0 {
            bench.work_off().await;
        }
    }
    let events = bench.photo_events(promised.photo).await;
    assert_eq!(count(&events, is_reported), 1);
    assert_eq!(
        count(&events, |event| matches!(
            event,
            PhotoEvent::PhotoProcessingCompleted { .. }
        )),
        1
    );
}

#[tokio::test]
async fn events_may_come_in_any_order() {
    let bench = Bench::new();
    let promised = bench.promise(4).await;
    for promised in &promised {
        assert_eq!(bench.put(promised).status, 200);
    }
    let mut events = bench.objects.take_announcements();
    events.reverse();
    for event in events.clone().into_iter().chain(events) {
        bench.take(event).await.unwrap();
    }
    bench.work_off().await;
    for promised in promised {
        assert_eq!(bench.status(promised.photo).await, PhotoStatus::Completed);
    }
}

#[tokio::test]
async fn an_event_for_a_refused_put_completes_nothing() {
    let bench = Bench::new();
    let promised = bench.promise_one().await;
    let refused = bench
        .objects
        .put_as_client(&promised.url, &b"of another length"[..]);
    assert_ne!(refused.status, 200);
    bench
        .take(message("uploads", &[bench.original(promised.photo)]))
        .await
        .unwrap();
    assert_eq!(bench.status(promised.photo).await, PhotoStatus::Verifying);
    bench.work_off_within(std::time::Duration::from_mins(2)).await;
    assert_eq!(bench.status(promised.photo).await, PhotoStatus::Failed);
    // The client tries again in time, and that counts.
    assert_eq!(bench.put(&promised).status, 200);
    bench.deliver().await;
    bench.work_off().await;
    assert_eq!(bench.status(promised.photo).await, PhotoStatus::Completed);
}

#[tokio::test]
async fn what_an_event_says_of_size_and_tag_is_not_believed() {
    let bench = Bench::new();
    let promised = bench.promise_one().await;
    bench.put(&promised);
    bench
        .take(message("uploads", &[bench.original(promised.photo)]))
        .await
        .unwrap();
    bench.work_off().await;
    let photo = bench.photo(promised.photo).await;
    let rapidphoto_domain::photo::PhotoState::Completed { result } = photo.state else {
        panic!("{:?}", photo.state);
    };
    assert_eq!(result.object.bytes, BODY.len() as u64);
    assert_ne!(result.object.e_tag.as_str(), "not-true");
}

#[tokio::test]
async fn all_records_of_a_message_are_taken_before_it_is_answered() {
    let bench = Bench::new();
    let promised = bench.promise(5).await;
    let mut keys: Vec<_> = promised
        .iter()
        .map(|promised| bench.original(promised.photo))
        .collect();
    keys.insert(2, "somebody/elses/object".to_owned());
    bench.take(message("uploads", &keys)).await.unwrap();
    for promised in promised {
        assert_eq!(bench.status(promised.photo).await, PhotoStatus::Verifying);
    }
}

#[tokio::test]
async fn events_of_other_buckets_keys_owners_and_photos_change_nothing() {
    let bench = Bench::new();
    let promised = bench.promise_one().await;
    let before = bench.log().await.len();
    let keys = &bench.settings.storage.keys;
    bench
        .take(message("another", &[bench.original(promised.photo)]))
        .await
        .unwrap();
    let others = [
        keys.original(UserId::from_bits(78), promised.photo),
        keys.original(bench.owner, PhotoId::from_bits(4)),
        bench.thumbnail(promised.photo, rapidphoto_domain::values::ThumbnailEdge::Small),
        format!("prod/{}/{}/original", bench.owner, promised.photo),
    ];
    bench.take(message("uploads", &others)).await.unwrap();
    bench
        .take(r#"{"Service":"Amazon S3","Event":"s3:TestEvent"}"#)
        .await
        .unwrap();
    assert_eq!(bench.log().await.len(), before);
}

#[tokio::test]
async fn what_can_not_be_understood_is_refused_and_what_can_be_is_taken() {
    let bench = Bench::new();
    let promised = bench.promise_one().await;
    assert!(matches!(
        bench.take("hello").await,
        Err(MessageRefused::Malformed(_))
    ));
    let mixed = json!({ "Records": [
        { "eventName": "ObjectCreated:Put" },
        { "eventName": "ObjectCreated:Put",
          "s3": { "bucket": { "name": "uploads" }, "object": { "key": bench.original(promised.photo) } } },
    ] });
    assert!(matches!(
        bench.take(mixed.to_string()).await,
        Err(MessageRefused::Malformed(_))
    ));
    assert_eq!(bench.status(promised.photo).await, PhotoStatus::Verifying);
}

#[tokio::test]
async fn a_message_is_kept_while_the_record_is_away_and_an_ambiguous_commit_counts_once() {
    let bench = Bench::new();
    let promised = bench.promise_one().await;
    bench.put(&promised);
    let event = bench.objects.take_announcements().remove(0);
    for fault in [Operation::Read, Operation::Commit] {
        bench.store.faults().fail_next(fault, 1);
        assert!(matches!(
            bench.take(event.clone()).await,
            Err(MessageRefused::Unavailable(_))
        ));
    }
    assert_eq!(bench.status(promised.photo).await, PhotoStatus::Queued);
    bench.store.faults().lose_answers(Operation::Commit, 1);
    assert!(matches!(
        bench.take(event.clone()).await,
        Err(MessageRefused::Unavailable(_))
    ));
    assert_eq!(
        bench.status(promised.photo).await,
        PhotoStatus::Verifying,
        "it stands all the same"
    );
    bench.take(event).await.unwrap();
    assert_eq!(count(&bench.photo_events(promised.photo).await, is_reported), 1);
}

#[tokio::test]
async fn finalize_raced_by_the_event_fifty_times_gives_one_result() {
    for seed in 0..20 {
        let bench = Arc::new(Bench::with(seed, |_| {}));
        bench.store.faults().stagger(seed);
        let promised = bench.promise_one().await;
        bench.put(&promised);
        let event = bench.objects.take_announcements().remove(0);
        let racers = (0..50).map(|racer| {
            let (bench, event, photo) = (Arc::clone(&bench), event.clone(), promised.photo);
            async move {
                if racer % 2 == 0 {
                    bench.finalize(photo).await;
                } else {
                    bench.take(event).await.unwrap();
                }
            }
        });
        let worker = async {
            for _ in 0..20 {
                bench.work_off().await;
                tokio::task::yield_now().await;
            }
        };
        tokio::join!(join_all(racers), worker);
        bench.work_off().await;
        let events = bench.photo_events(promised.photo).await;
        assert_eq!(count(&events, is_reported), 1);
        let is_result = |event: &PhotoEvent| matches!(event, PhotoEvent::PhotoProcessingCompleted { .. });
        assert_eq!(count(&events, is_result), 1);
        assert_eq!(bench.store.next_due(&WorkKind::ALL).await.unwrap(), None);
        bench.assert_record_is_sound().await;
    }
}

#[tokio::test]
async fn a_late_put_to_a_photo_that_was_given_up_leaves_nothing_behind() {
    let bench = Bench::new();
    let promised = bench.promise_one().await;
    assert_eq!(
        bench.delete(promised.photo).await.status(),
        PhotoStatus::Cancelled
    );
    bench.work_off().await;
    assert_eq!(bench.put(&promised).status, 200);
    assert_eq!(bench.objects.keys(), [bench.original(promised.photo)]);
    bench.deliver().await;
    bench.work_off().await;
    assert!(bench.objects.keys().is_empty());
    assert_eq!(bench.status(promised.photo).await, PhotoStatus::Cancelled);
}
