//! Stored form of events. The log is append-only, so every later release must read the events of this one. If a
//! snapshot here changes, the event needs a new schema version with an upcaster; accepting the new snapshot is not
//! enough.

use std::{collections::BTreeSet, path::Path};

use proptest::prelude::*;
use rapidphoto_domain::{
    DomainEvent, StreamType,
    job::{JobCounts, JobEvent, JobStatus, UploadJob},
    photo::{FailureReason, Photo, PhotoEvent, PhotoStatus, QueuePhoto, RetryCause},
    user::{User, UserEvent},
};
use serde_json::{Value, json};

use crate::{
    fixtures::{
        JOB, USER, findings, labels, multipart_id, processing_result, queue_photo, stored_object, window_from,
    },
    strategies,
};

/// All type names of events in the log.
const TYPES: [&str; 25] = [
    "UserRegistered",
    "UserDisabled",
    "UploadJobCreated",
    "UploadJobCompleted",
    "UploadJobReopened",
    "UploadJobCancelled",
    "PhotoQueued",
    "PhotoUploadStarted",
    "PhotoUploadRenewed",
    "PhotoUploadCompleted",
    "PhotoProcessingStarted",
    "PhotoProcessingCompleted",
    "PhotoRejected",
    "PhotoFailed",
    "PhotoCancelled",
    "PhotoRetried",
    "PhotoTagged",
    "PhotoUntagged",
    "PhotoDeleted",
    "UserEnabled",
    "UserAdminGranted",
    "UserDeleted",
    "PhotoCleaningStarted",
    "PhotoCleaned",
    "PhotoMultipartOpened",
];

/// Index of an event in [`TYPES`]. No arm is a wildcard, so that a new event must be added here.
const fn index(event: &DomainEvent) -> usize {
    match event {
        DomainEvent::User(event) => match event {
            UserEvent::UserRegistered { .. } => 0,
            UserEvent::UserDisabled {} => 1,
            UserEvent::UserEnabled {} => 19,
            UserEvent::UserAdminGranted {} => 20,
            UserEvent::UserDeleted {} => 21,
        },
        DomainEvent::Job(event) => match event {
            JobEvent::UploadJobCreated { .. } => 2,
            JobEvent::UploadJobCompleted { .. } => 3,
            JobEvent::UploadJobReopened { .. } => 4,
            JobEvent::UploadJobCancelled {} => 5,
        },
        DomainEvent::Photo(event) => match event {
            PhotoEvent::PhotoQueued { .. } => 6,
            PhotoEvent::PhotoUploadStarted {} => 7,
            PhotoEvent::PhotoUploadRenewed { .. } => 8,
            PhotoEvent::PhotoUploadCompleted {} => 9,
            PhotoEvent::PhotoProcessingStarted { .. } => 10,
            PhotoEvent::PhotoProcessingCompleted { .. } => 11,
            PhotoEvent::PhotoRejected { .. } => 12,
            PhotoEvent::PhotoFailed { .. } => 13,
            PhotoEvent::PhotoCancelled {} => 14,
            PhotoEvent::PhotoRetried { .. } => 15,
            PhotoEvent::PhotoTagged { .. } => 16,
            PhotoEvent::PhotoUntagged { .. } => 17,
            PhotoEvent::PhotoDeleted {} => 18,
            PhotoEvent::PhotoCleaningStarted {} => 22,
            PhotoEvent::PhotoCleaned {} => 23,
            PhotoEvent::PhotoMultipartOpened { .. } => 24,
        },
    }
}

/// One event of each type, with all optional members.
fn samples() -> [DomainEvent; 25] {
    [
        User::register(USER).into(),
        UserEvent::UserDisabled {}.into(),
        UploadJob::create(JOB, USER, 12, 37_699_104).into(),
        JobEvent::UploadJobCompleted {
            round: 2,
            status: JobStatus::CompletedWithErrors,
            counts: JobCounts {
                queued: 0,
                active: 0,
                completed: 7,
                rejected: 3,
                failed: 1,
                cancelled: 1,
            },
            retries: Some(4),
        }
        .into(),
        JobEvent::UploadJobReopened { round: 2 }.into(),
        JobEvent::UploadJobCancelled {}.into(),
        Photo::queue(queue_photo()).into(),
        PhotoEvent::PhotoUploadStarted {}.into(),
        PhotoEvent::PhotoUploadRenewed {
            window: window_from(10),
        }
        .into(),
        PhotoEvent::PhotoUploadCompleted {}.into(),
        PhotoEvent::PhotoProcessingStarted {
            object: stored_object(),
        }
        .into(),
        PhotoEvent::PhotoProcessingCompleted {
            result: Box::new(processing_result()),
        }
        .into(),
        PhotoEvent::PhotoRejected { reasons: findings() }.into(),
        PhotoEvent::PhotoFailed {
            reason: FailureReason::UploadMissing,
        }
        .into(),
        PhotoEvent::PhotoCancelled {}.into(),
        PhotoEvent::PhotoRetried {
            cause: RetryCause::Renewed,
            to: PhotoStatus::Queued,
            window: Some(window_from(20)),
        }
        .into(),
        PhotoEvent::PhotoTagged {
            labels: labels(["Zürich", "new year"]),
        }
        .into(),
        PhotoEvent::PhotoUntagged {
            labels: labels(["new year"]),
        }
        .into(),
        PhotoEvent::PhotoDeleted {}.into(),
        UserEvent::UserEnabled {}.into(),
        UserEvent::UserAdminGranted {}.into(),
        UserEvent::UserDeleted {}.into(),
        PhotoEvent::PhotoCleaningStarted {}.into(),
        PhotoEvent::PhotoCleaned {}.into(),
        PhotoEvent::PhotoMultipartOpened {
            id: multipart_id(),
            window: window_from(10),
        }
        .into(),
    ]
}

/// Encodes the payload as text and decodes it, as the database does.
fn stored_and_read(event: &DomainEvent) -> DomainEvent {
    let (name, payload) = event.encode().unwrap();
    let text = payload.to_string();
    DomainEvent::decode(event.stream_type(), &name, serde_json::from_str(&text).unwrap()).unwrap()
}

#[test]
fn the_stored_form_of_events_does_not_change() {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    // The order of members depends on a serde_json feature that other crates of the build may enable.
    settings.set_sort_maps(true);
    settings.bind(|| {
        for event in samples() {
            let (name, payload) = event.encode().unwrap();
            let stored = json!({"stream": event.stream_type().name(), "type": name, "payload": payload});
            insta::assert_json_snapshot!(name, stored);
        }
    });
}

#[test]
fn every_event_type_has_a_snapshot() {
    for (n, event) in samples().iter().enumerate() {
        assert_eq!(index(event), n);
        assert_eq!(event.encode().unwrap().0, TYPES[n]);
    }
    let kept: BTreeSet<String> = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/domain/snapshots")
        .read_dir()
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|file| {
            Path::new(file)
                .extension()
                .is_some_and(|extension| extension == "snap")
        })
        .collect();
    assert_eq!(kept, TYPES.map(|name| format!("{name}.snap")).into());
}

#[test]
fn optional_members_can_be_absent() {
    let mut minimal = processing_result();
    minimal.sharpness = None;
    minimal.thumbnails.clear();
    minimal.warnings.clear();
    for event in [
        PhotoEvent::PhotoProcessingCompleted {
            result: Box::new(minimal),
        },
        PhotoEvent::PhotoRetried {
            cause: RetryCause::ObjectArrived,
            to: PhotoStatus::Verifying,
            window: None,
        },
        Photo::queue(QueuePhoto {
            part_size: None,
            ..queue_photo()
        }),
    ] {
        let event = DomainEvent::from(event);
        assert_eq!(stored_and_read(&event), event);
    }
}

#[test]
fn reasons_and_causes_are_stored_as_their_codes() {
    for (reason, code) in [
        (FailureReason::UploadMissing, "upload_missing"),
        (FailureReason::UploadExpired, "upload_expired"),
        (FailureReason::ProcessingError, "processing_error"),
    ] {
        assert_eq!(serde_json::to_value(reason).unwrap(), code);
        assert_eq!(reason.code(), code);
    }
    for (cause, code) in [
        (RetryCause::ObjectArrived, "object_arrived"),
        (RetryCause::Renewed, "renewed"),
        (RetryCause::Requested, "requested"),
    ] {
        assert_eq!(serde_json::to_value(cause).unwrap(), code);
    }
}

#[test]
fn an_unknown_event_type_is_an_error_with_its_name() {
    let error = DomainEvent::decode(StreamType::Photo, "PhotoAdmired", json!({})).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`PhotoAdmired` can't be read as an event of a photo stream"
    );
    for event in samples() {
        let (name, payload) = event.encode().unwrap();
        for stream in [StreamType::User, StreamType::Job, StreamType::Photo] {
            let read = DomainEvent::decode(stream, &name, payload.clone());
            assert_eq!(
                read.is_ok(),
                stream == event.stream_type(),
                "{name} in a {} stream",
                stream.name()
            );
        }
    }
}

#[test]
fn a_payload_of_another_shape_is_rejected() {
    for (name, payload) in [
        ("PhotoFailed", json!({"reason": "bad luck"})),
        ("PhotoFailed", json!({})),
        ("PhotoFailed", Value::Null),
        ("PhotoTagged", json!({"labels": ["a\nb"]})),
        ("PhotoRetried", json!({"cause": "renewed", "to": "AWAY"})),
        (
            "PhotoUploadRenewed",
            json!({"window": {"urlExpiresAt": "soon", "endsAt": "later"}}),
        ),
    ] {
        let read = DomainEvent::decode(StreamType::Photo, name, payload.clone());
        assert!(read.is_err(), "{name} {payload}");
    }
}

/// Names of all members, at any depth.
fn keys(value: &Value) -> Vec<&str> {
    match value {
        Value::Object(members) => members
            .iter()
            .flat_map(|(key, value)| std::iter::once(key.as_str()).chain(keys(value)))
            .collect(),
        Value::Array(items) => items.iter().flat_map(keys).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => vec![],
    }
}

/// First word in the name of a member that indicates personal data.
fn personal(key: &str) -> Option<&'static str> {
    let plain = key.to_lowercase().replace(['_', '-'], "");
    let words = [
        "filename",
        "mail",
        "exif",
        "gps",
        "latitude",
        "longitude",
        "location",
        "place",
        "camera",
        "address",
        "password",
        "useragent",
        "takenat",
        // Hashes identify the content of an erased photo.
        "checksum",
        "hash",
        "etag",
        "digest",
    ];
    words
        .into_iter()
        .find(|word| plain.contains(word))
        .or((plain == "ip").then_some("ip"))
}

#[test]
fn no_event_contains_personal_data() {
    for event in samples() {
        let (name, payload) = event.encode().unwrap();
        for key in keys(&payload) {
            assert_eq!(personal(key), None, "`{key}` in {name}");
        }
    }
    // Control: members with personal data are detected.
    let personal_data = json!({"a": [{"fileName": 1}, {"b": {"e-mail": 2}}], "exif_data": 3, "ip": 4});
    let found: BTreeSet<_> = keys(&personal_data).into_iter().filter_map(personal).collect();
    assert_eq!(found, ["filename", "mail", "exif", "ip"].into());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn every_event_can_be_stored_and_read(
        photo in strategies::photo_event(), job in strategies::job_event(), user in strategies::user_event(),
    ) {
        for event in [DomainEvent::from(photo), job.into(), user.into()] {
            prop_assert_eq!(stored_and_read(&event), event);
        }
    }
}
