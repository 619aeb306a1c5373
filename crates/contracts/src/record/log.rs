//! The log: one order, nothing skipped, everything as it was written.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rapidphoto_application::ports::{Cursor, EventFilter, EventMetadata, NewEvent};
use rapidphoto_domain::{
    DomainEvent, Version,
    job::{JobCounts, JobEvent, JobStatus},
    photo::{Check, FailureReason, Finding, Photo, PhotoCommand, PhotoEvent, PhotoStatus, RetryCause},
    user::UserEvent,
    values::TagLabel,
};

use super::{
    RecordHarness,
    given::{self, Writing, stands},
    seen,
};

/// An empty log has an end, which is its beginning.
pub async fn an_empty_log_ends_where_it_begins<H: RecordHarness>(harness: H) {
    let record = harness.record();
    assert_eq!(record.log.head().await.unwrap(), Cursor::START);
    let page = record
        .log
        .events_after(Cursor::START, &EventFilter::default(), 10)
        .await
        .unwrap();
    assert_eq!(
        (page.events, page.scanned_to, page.at_end),
        (Vec::new(), Cursor::START, true)
    );
    assert_eq!(
        record.log.count_events_after(Cursor::START, 10).await.unwrap(),
        Some(0)
    );
    let strange = given::job_id().into();
    assert_eq!(record.log.events(strange, Version::NEW).await.unwrap(), []);
    assert_eq!(record.state_rows.stream_count().await.unwrap(), 0);
}

/// The order of commits is the order of the log, and every cursor is greater than the one before.
pub async fn the_log_is_in_the_order_of_commits<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let mut ids = Vec::new();
    let mut ends = Vec::new();
    for _ in 0..5 {
        let mut commit = given::commit(now);
        let job = commit.write_job(owner, 3);
        for _ in 0..3 {
            commit.write_photo(given::promise(now, owner, job.value.id));
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
        ends.push(stands(&record, commit).await.cursor);
        assert_eq!(record.log.head().await.unwrap(), *ends.last().unwrap());
    }
    let log = seen::log(&record).await;
    assert!(log.is_sorted_by(|one, next| one.cursor < next.cursor));
    let (_, of_jobs) = log.split_first().unwrap();
    for ((commit, ids), end) in of_jobs.chunks(4).zip(ids).zip(ends) {
        let mut stored: Vec<_> = commit.iter().map(|event| event.id).collect();
        stored.sort_unstable();
        assert_eq!(stored, ids, "a commit's events stand together");
        assert!(
            commit.is_sorted_by(|one, next| one.stream < next.stream),
            "and in the order of their streams: a job before its photos"
        );
        assert_eq!(commit.last().unwrap().cursor, end);
    }
}

/// A page goes on where the last one ended, and pages of any size show the same log.
pub async fn pages_of_any_size_show_the_same_log<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    for photos in 1..=5 {
        given::job(&record, now, owner, photos).await;
    }
    let all = seen::log(&record).await;
    assert_eq!(all.len(), 1 + 5 + 15);
    let any = EventFilter::default();
    for size in [1, 2, 3, 7, 20, 21, 22] {
        assert_eq!(seen::events_from(&record, Cursor::START, &any, size).await, all);
    }
    for (index, event) in all.iter().enumerate() {
        let rest = seen::events_from(&record, event.cursor, &any, 4).await;
        assert_eq!(rest, all[index + 1..]);
    }
    let end = record.log.events_after(all[20].cursor, &any, 4).await.unwrap();
    assert_eq!(
        (end.events, end.scanned_to, end.at_end),
        (Vec::new(), all[20].cursor, true)
    );
}

/// A stream is read from any version on.
pub async fn a_stream_is_read_from_any_version_on<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let mut photo = given::photo(&record, now, owner).await;
    given::photo(&record, now, owner).await;
    for command in [
        PhotoCommand::StartUpload,
        PhotoCommand::CompleteUpload,
        PhotoCommand::MissUpload,
    ] {
        photo = given::command(&record, now, &photo, command).await;
    }
    let stream = photo.value.id.into();
    for after in 0..6 {
        let events = record.log.events(stream, Version(after)).await.unwrap();
        let versions: Vec<_> = events.iter().map(|event| event.version.0).collect();
        assert_eq!(versions, (after + 1..=4).collect::<Vec<_>>());
        assert!(events.iter().all(|event| event.stream == stream));
    }
    let whole = record.log.events(stream, Version::NEW).await.unwrap();
    let in_log: Vec<_> = seen::log(&record)
        .await
        .into_iter()
        .filter(|event| event.stream == stream)
        .collect();
    assert_eq!(whole, in_log);
}

/// Whom an event concerns, when it was, and who and what led to it, are kept to the last character.
pub async fn an_event_keeps_its_circumstances<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let at = now + Duration::from_millis(123);
    let full = EventMetadata {
        correlation_id: Some("c \"quoted\" \\ 猫 \u{2028}".to_owned()),
        causation_id: Some(given::event_id()),
        traceparent: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned()),
        actor: Some(owner),
        request_id: Some(String::new()),
    };
    for metadata in [full, EventMetadata::default()] {
        let mut commit = given::commit(at);
        commit.metadata = metadata.clone();
        let job = commit.write_job(owner, 1);
        let photo = commit.write_photo(given::promise(at, owner, job.value.id));
        let user = commit.write_user(&given::email());
        stands(&record, commit.clone()).await;
        for (stream, concerns, of_job) in [
            (job.value.id.into(), owner, Some(job.value.id)),
            (photo.value.id.into(), owner, Some(job.value.id)),
            (user.value.id.into(), user.value.id, None),
        ] {
            let event = record.log.events(stream, Version::NEW).await.unwrap().remove(0);
            assert_eq!((event.owner, event.job), (concerns, of_job));
            assert_eq!((event.stream, event.version), (stream, Version(1)));
            assert_eq!(event.occurred_at, at);
            assert_eq!(event.metadata, metadata);
            let change = commit
                .changes
                .iter()
                .find(|change| change.stream == stream)
                .unwrap();
            let NewEvent { id, event: written } = &change.events[0];
            assert_eq!((&event.id, &event.event), (id, written));
        }
    }
}

/// Events of every type, with nothing left out and with everything left out, come back as they were written.
pub async fn events_of_every_type_come_back_as_they_were_written<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let (job, photos) = given::job(&record, now, owner, 1).await;
    let mut photo = photos[0].clone();
    for event in photo_events(now) {
        let mut commit = given::commit(now);
        let after = photo.value.clone().apply(&event);
        let stored = NewEvent {
            id: given::event_id(),
            event: event.into(),
        };
        let state = rapidphoto_application::ports::AggregateState::Photo(Box::new(after.clone()));
        commit.write(after.id, photo.version, vec![stored.clone()], state);
        stands(&record, commit).await;
        let read = record.log.events(after.id.into(), photo.version).await.unwrap();
        assert_eq!(read.len(), 1);
        assert_eq!((read[0].id, &read[0].event), (stored.id, &stored.event));
        let loaded = record.aggregates.photo(after.id).await.unwrap().unwrap();
        assert_eq!(loaded.value, after);
        photo.version = photo.version.plus(1);
        photo.value = after;
    }
    let mut job = job;
    for event in job_events() {
        let mut commit = given::commit(now);
        job = commit.write_job_event(&job, event.clone());
        stands(&record, commit).await;
        let read = record
            .log
            .events(job.value.id.into(), Version(job.version.0 - 1))
            .await
            .unwrap();
        assert_eq!(read[0].event, DomainEvent::Job(event));
        assert_eq!(
            record.aggregates.job(job.value.id).await.unwrap(),
            Some(job.clone())
        );
    }
    let user = record.aggregates.user(owner).await.unwrap().unwrap();
    let mut commit = given::commit(now);
    let disabled = commit.write_user_event(&user, UserEvent::UserDisabled {});
    stands(&record, commit).await;
    let read = record.log.events(owner.into(), Version::NEW).await.unwrap();
    let of_user = [
        UserEvent::UserRegistered { user: owner },
        UserEvent::UserDisabled {},
    ];
    assert_eq!(
        read.iter().map(|event| event.event.clone()).collect::<Vec<_>>(),
        of_user.map(DomainEvent::User)
    );
    assert_eq!(record.aggregates.user(owner).await.unwrap(), Some(disabled));
}

fn photo_events(now: rapidphoto_domain::Timestamp) -> Vec<PhotoEvent> {
    let labels = |labels: &[&str]| {
        labels
            .iter()
            .map(|label| TagLabel::parse(label).unwrap())
            .collect()
    };
    let bare = rapidphoto_domain::photo::Completed {
        perceptual_hash: None,
        sharpness: None,
        warnings: Vec::new(),
        thumbnails: Vec::new(),
        ..given::completed(now)
    };
    let failed = |reason| PhotoEvent::PhotoFailed { reason };
    vec![
        PhotoEvent::PhotoUploadStarted {},
        PhotoEvent::PhotoUploadRenewed {
            window: given::window(now + Duration::from_millis(1)),
        },
        PhotoEvent::PhotoUploadCompleted {},
        PhotoEvent::PhotoProcessingStarted {
            object: given::arrived(),
        },
        PhotoEvent::PhotoProcessingCompleted {
            result: Box::new(given::completed(now)),
        },
        PhotoEvent::PhotoProcessingCompleted {
            result: Box::new(bare),
        },
        PhotoEvent::PhotoRejected {
            reasons: vec![
                Finding::measured(Check::TooLarge, u64::MAX, 0),
                Finding::measured(Check::Blurry, 1.0 / 3.0, -0.5),
                Finding::measured(Check::TypeMismatch, "猫\"\\\n".to_owned(), String::new()),
                Finding {
                    photo: Some(given::photo_id()),
                    ..Finding::bare(Check::NearDuplicate)
                },
            ],
        },
        failed(FailureReason::UploadMissing),
        PhotoEvent::PhotoRetried {
            cause: RetryCause::Renewed,
            to: PhotoStatus::Queued,
            window: Some(given::window(now)),
        },
        failed(FailureReason::UploadExpired),
        PhotoEvent::PhotoRetried {
            cause: RetryCause::ObjectArrived,
            to: PhotoStatus::Verifying,
            window: None,
        },
        failed(FailureReason::ProcessingError),
        PhotoEvent::PhotoTagged {
            labels: labels(&["Zürich", "new year", "猫"]),
        },
        PhotoEvent::PhotoUntagged {
            labels: labels(&["new year"]),
        },
        PhotoEvent::PhotoCancelled {},
        PhotoEvent::PhotoDeleted {},
    ]
}

fn job_events() -> [JobEvent; 3] {
    let counts = JobCounts {
        completed: u32::MAX,
        failed: 1,
        ..JobCounts::default()
    };
    [
        JobEvent::UploadJobCancelled {},
        JobEvent::UploadJobCompleted {
            round: 1,
            status: JobStatus::CompletedWithErrors,
            counts,
        },
        JobEvent::UploadJobReopened { round: 2 },
    ]
}

/// How far a reader is behind is counted up to a bound; a cursor that this log never gave out is told.
pub async fn a_readers_lag_is_counted_up_to_a_bound<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    given::job(&record, now, owner, 8).await;
    let log = seen::log(&record).await;
    assert_eq!(log.len(), 10);
    for (index, event) in log.iter().enumerate() {
        let behind = 9 - index as u64;
        for cap in [1, 5, 100] {
            let counted = record.log.count_events_after(event.cursor, cap).await.unwrap();
            assert_eq!(counted, Some(behind.min(cap)));
        }
    }
    assert_eq!(
        record.log.count_events_after(Cursor::START, 100).await.unwrap(),
        Some(10)
    );
    let head = record.log.head().await.unwrap();
    let beyond = Cursor::new(head.epoch(), head.position() + 1);
    assert_eq!(record.log.count_events_after(beyond, 100).await.unwrap(), None);
    let far = Cursor::new(head.epoch() + 1, 0);
    assert_eq!(record.log.count_events_after(far, 100).await.unwrap(), None);
}

/// A reader that follows the log while others write sees every event once, in an order that never changes.
pub async fn a_reader_beside_racing_writers_misses_nothing<H: RecordHarness>(harness: H) {
    const WRITERS: u64 = 6;
    const COMMITS: u64 = 15;
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let start = record.log.head().await.unwrap();
    let done = Arc::new(AtomicBool::new(false));
    let reader = {
        let (record, done) = (record.clone(), Arc::clone(&done));
        tokio::spawn(async move {
            let (mut cursor, mut seen) = (start, Vec::new());
            loop {
                let last = done.load(Ordering::SeqCst);
                let page = record
                    .log
                    .events_after(cursor, &EventFilter::default(), 5)
                    .await
                    .unwrap();
                seen.extend(page.events);
                cursor = page.scanned_to;
                if page.at_end {
                    if last {
                        return seen;
                    }
                    tokio::task::yield_now().await;
                }
            }
        })
    };
    let writers: Vec<_> = (0..WRITERS)
        .map(|_| {
            let record = record.clone();
            tokio::spawn(async move {
                for _ in 0..COMMITS {
                    let mut commit = given::commit(now);
                    let job = commit.write_job(owner, 2);
                    for _ in 0..2 {
                        commit.write_photo(given::promise(now, owner, job.value.id));
                    }
                    stands(&record, commit).await;
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    done.store(true, Ordering::SeqCst);
    let seen_live = reader.await.unwrap();
    assert_eq!(seen_live.len() as u64, WRITERS * COMMITS * 3);
    let afterwards = seen::events_from(&record, start, &EventFilter::default(), 100).await;
    assert!(
        seen_live == afterwards,
        "the order that was seen live is the order of the log"
    );
}

/// The fold of what is stored is what was decided: nothing of an event is lost on the way.
pub async fn a_stream_folds_to_what_was_decided<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let mut photo = given::photo(&record, now, owner).await;
    let commands = [
        PhotoCommand::CompleteUpload,
        PhotoCommand::StartProcessing {
            object: given::arrived(),
        },
        PhotoCommand::CompleteProcessing {
            result: Box::new(given::completed(now)),
        },
        PhotoCommand::Delete,
    ];
    for command in commands {
        photo = given::command(&record, now, &photo, command).await;
        let folded: Vec<_> = record
            .log
            .events(photo.value.id.into(), Version::NEW)
            .await
            .unwrap()
            .into_iter()
            .map(|stored| match stored.event {
                DomainEvent::Photo(event) => event,
                other => panic!("{other:?} in a photo's stream"),
            })
            .collect();
        assert_eq!(Photo::fold(&folded).unwrap(), photo.value);
    }
}
