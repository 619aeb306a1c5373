//! Stored events: each is read exactly as written.

use std::time::Duration;

use rapidphoto_application::ports::{EventMetadata, NewEvent};
use rapidphoto_domain::{
    DomainEvent, Version,
    job::{JobCounts, JobEvent, JobStatus},
    photo::{Check, FailureReason, Finding, Photo, PhotoCommand, PhotoEvent, PhotoStatus, RetryCause},
    user::UserEvent,
    values::TagLabel,
};

use super::{
    DatabaseHarness,
    fixtures::{self, CommitExt, commit_ok},
};

/// Owner, job, time and metadata of an event are stored exactly.
pub async fn an_event_keeps_its_metadata<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let at = now + Duration::from_millis(123);
    let full = EventMetadata {
        correlation_id: Some("c \"quoted\" \\ 猫 \u{2028}".to_owned()),
        causation_id: Some(fixtures::event_id()),
        traceparent: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned()),
        actor: Some(owner),
        request_id: Some(String::new()),
    };
    for metadata in [full, EventMetadata::default()] {
        let mut commit = fixtures::commit(at);
        commit.metadata = metadata.clone();
        let job = commit.write_job(owner, 1);
        let photo = commit.write_photo(fixtures::declared_photo(at, owner, job.value.id));
        let user = commit.write_user(&fixtures::email());
        commit_ok(&db, commit.clone()).await;
        for (stream, owner, job) in [
            (job.value.id.into(), owner, Some(job.value.id)),
            (photo.value.id.into(), owner, Some(job.value.id)),
            (user.value.id.into(), user.value.id, None),
        ] {
            let event = db.log.events(stream, Version::NEW).await.unwrap().remove(0);
            assert_eq!((event.owner, event.job), (owner, job));
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

/// Events of every type, with and without their optional members, are read as written.
pub async fn events_of_every_type_are_read_as_written<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let (job, photos) = fixtures::job(&db, now, owner, 1).await;
    let mut photo = photos[0].clone();
    for event in photo_events(now) {
        let mut commit = fixtures::commit(now);
        let after = photo.value.clone().apply(&event);
        let stored = NewEvent {
            id: fixtures::event_id(),
            event: event.into(),
        };
        let state = rapidphoto_application::ports::AggregateState::Photo(Box::new(after.clone()));
        commit.write(after.id, photo.version, vec![stored.clone()], state);
        commit_ok(&db, commit).await;
        let read = db.log.events(after.id.into(), photo.version).await.unwrap();
        assert_eq!(read.len(), 1);
        assert_eq!((read[0].id, &read[0].event), (stored.id, &stored.event));
        let loaded = db.aggregates.photo(after.id).await.unwrap().unwrap();
        assert_eq!(loaded.value, after);
        photo.version = photo.version.plus(1);
        photo.value = after;
    }
    let mut job = job;
    for event in job_events() {
        let mut commit = fixtures::commit(now);
        job = commit.write_job_event(&job, event.clone());
        commit_ok(&db, commit).await;
        let read = db
            .log
            .events(job.value.id.into(), Version(job.version.0 - 1))
            .await
            .unwrap();
        assert_eq!(read[0].event, DomainEvent::Job(event));
        assert_eq!(db.aggregates.job(job.value.id).await.unwrap(), Some(job.clone()));
    }
    let user = db.aggregates.user(owner).await.unwrap().unwrap();
    let mut commit = fixtures::commit(now);
    let disabled = commit.write_user_event(&user, UserEvent::UserDisabled {});
    commit_ok(&db, commit).await;
    let read = db.log.events(owner.into(), Version::NEW).await.unwrap();
    let of_user = [
        UserEvent::UserRegistered { user: owner },
        UserEvent::UserDisabled {},
    ];
    assert_eq!(
        read.iter().map(|event| event.event.clone()).collect::<Vec<_>>(),
        of_user.map(DomainEvent::User)
    );
    assert_eq!(db.aggregates.user(owner).await.unwrap(), Some(disabled));
}

fn photo_events(now: rapidphoto_domain::Timestamp) -> Vec<PhotoEvent> {
    let labels = |labels: &[&str]| {
        labels
            .iter()
            .map(|label| TagLabel::parse(label).unwrap())
            .collect()
    };
    let bare = rapidphoto_domain::photo::ProcessingResult {
        sharpness: None,
        warnings: Vec::new(),
        thumbnails: Vec::new(),
        ..fixtures::completed(now)
    };
    let failed = |reason| PhotoEvent::PhotoFailed { reason };
    vec![
        PhotoEvent::PhotoUploadStarted {},
        PhotoEvent::PhotoUploadRenewed {
            window: fixtures::window(now + Duration::from_millis(1)),
        },
        PhotoEvent::PhotoUploadCompleted {},
        PhotoEvent::PhotoProcessingStarted {
            object: fixtures::arrived(),
        },
        PhotoEvent::PhotoProcessingCompleted {
            result: Box::new(fixtures::completed(now)),
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
                    photo: Some(fixtures::photo_id()),
                    ..Finding::without_values(Check::NearDuplicate)
                },
            ],
        },
        failed(FailureReason::UploadMissing),
        PhotoEvent::PhotoRetried {
            cause: RetryCause::Renewed,
            to: PhotoStatus::Queued,
            window: Some(fixtures::window(now)),
        },
        failed(FailureReason::UploadExpired),
        PhotoEvent::PhotoRetried {
            cause: RetryCause::ObjectArrived,
            to: PhotoStatus::Verifying,
            window: None,
        },
        failed(FailureReason::ProcessingError),
        PhotoEvent::PhotoCleaningStarted {},
        PhotoEvent::PhotoCleaned {},
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
            retries: Some(u32::MAX),
        },
        JobEvent::UploadJobReopened { round: 2 },
    ]
}

/// The fold of the stored events is the decided state: no part of an event is lost.
pub async fn a_stream_folds_to_the_decided_state<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let mut photo = fixtures::photo(&db, now, owner).await;
    let commands = [
        PhotoCommand::CompleteUpload,
        PhotoCommand::StartProcessing {
            object: fixtures::arrived(),
        },
        PhotoCommand::CompleteProcessing {
            result: Box::new(fixtures::completed(now)),
        },
        PhotoCommand::Delete,
    ];
    for command in commands {
        photo = fixtures::execute(&db, now, &photo, command).await;
        let folded: Vec<_> = db
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
