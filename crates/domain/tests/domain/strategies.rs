//! Strategies for random values, commands and events.

use std::{collections::BTreeSet, num::NonZeroU64};

use chrono::DateTime;
use proptest::{collection::vec, option, prelude::*, sample::select};
use rapidphoto_domain::{
    EventId, JobId, PhotoId, Timestamp, UserId,
    job::{JobCounts, JobEvent, JobStatus},
    photo::{
        Check, Declared, FailureReason, Finding, Measure, Photo, PhotoCommand, PhotoEvent, PhotoStatus,
        ProcessingResult, QueuePhoto, RetryCause, StoredObject, Thumbnail, UploadWindow,
    },
    user::UserEvent,
    values::{Checksum, MimeType, ObjectRef, TagLabel, ThumbnailEdge, UploadId},
};

use crate::fixtures;

pub(crate) fn user_id() -> impl Strategy<Value = UserId> {
    any::<u128>().prop_map(UserId::from_bits)
}

pub(crate) fn job_id() -> impl Strategy<Value = JobId> {
    any::<u128>().prop_map(JobId::from_bits)
}

pub(crate) fn photo_id() -> impl Strategy<Value = PhotoId> {
    any::<u128>().prop_map(PhotoId::from_bits)
}

pub(crate) fn event_id() -> impl Strategy<Value = EventId> {
    any::<u128>().prop_map(EventId::from_bits)
}

pub(crate) fn timestamp() -> impl Strategy<Value = Timestamp> {
    // To the end of the year 9999.
    (0_i64..253_402_300_800, 0_u32..1_000_000_000)
        .prop_map(|(seconds, nanos)| DateTime::from_timestamp(seconds, nanos).unwrap())
}

pub(crate) fn window() -> impl Strategy<Value = UploadWindow> {
    (timestamp(), timestamp()).prop_map(|(url_expires_at, ends_at)| UploadWindow {
        url_expires_at,
        ends_at,
    })
}

pub(crate) fn checksum() -> impl Strategy<Value = Checksum> {
    any::<[u8; 32]>().prop_map(Checksum::from_bytes)
}

pub(crate) fn upload_id() -> impl Strategy<Value = UploadId> {
    any::<u128>().prop_map(UploadId::from_random)
}

pub(crate) fn mime_type() -> impl Strategy<Value = MimeType> {
    select(&MimeType::ALL[..])
}

/// Labels whose bit is set, from a small pool, so that commands often use the same ones.
fn some_labels(bits: u16) -> BTreeSet<TagLabel> {
    ["a", "b", "Zürich", "new year", "猫"]
        .into_iter()
        .enumerate()
        .filter(|(bit, _)| bits >> bit & 1 == 1)
        .map(|(_, label)| TagLabel::parse(label).unwrap())
        .collect()
}

fn labels() -> impl Strategy<Value = BTreeSet<TagLabel>> {
    any::<u16>().prop_map(some_labels)
}

fn stored_object() -> impl Strategy<Value = StoredObject> {
    any::<u64>().prop_map(|bytes| StoredObject { bytes })
}

/// Texts that JSON must escape or could confuse with other types. Random texts would take most of the time of the
/// tests.
fn text() -> impl Strategy<Value = String> {
    const POOL: [&str; 6] = [
        "",
        "image/png",
        "\"quoted\" \\ \0\u{1f}\n",
        "猫 \u{2028}\u{feff}",
        "12",
        "null",
    ];
    select(&POOL[..]).prop_map(str::to_owned)
}

fn quantity() -> impl Strategy<Value = f64> {
    use proptest::num::f64::{NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
    POSITIVE | NEGATIVE | NORMAL | SUBNORMAL | ZERO
}

fn measure() -> impl Strategy<Value = Measure> {
    prop_oneof![
        any::<u64>().prop_map(Measure::from),
        quantity().prop_map(Measure::from),
        text().prop_map(Measure::from),
    ]
}

fn finding() -> impl Strategy<Value = Finding> {
    let check = select(&Check::ALL[..]);
    (
        check,
        option::of(measure()),
        option::of(measure()),
        option::of(photo_id()),
    )
        .prop_map(|(check, measured, allowed, photo)| Finding {
            check,
            measured,
            allowed,
            photo,
        })
}

fn thumbnail() -> impl Strategy<Value = Thumbnail> {
    let edge = select(&ThumbnailEdge::ALL[..]);
    (edge, any::<u32>(), any::<u32>()).prop_map(|(edge, width, height)| Thumbnail { edge, width, height })
}

fn processing_result() -> impl Strategy<Value = Box<ProcessingResult>> {
    let file = (stored_object(), mime_type(), timestamp());
    let image = (any::<u32>(), any::<u32>(), vec(thumbnail(), 0..3));
    let findings = (option::of(quantity()), vec(finding(), 0..2));
    (file, image, findings).prop_map(|(file, image, findings)| {
        let (object, mime_type, completed_at) = file;
        let (width, height, thumbnails) = image;
        let (sharpness, warnings) = findings;
        Box::new(ProcessingResult {
            object,
            mime_type,
            width,
            height,
            thumbnails,
            sharpness,
            warnings,
            completed_at,
        })
    })
}

pub(crate) fn queue_photo() -> impl Strategy<Value = QueuePhoto> {
    let ids = (photo_id(), job_id(), user_id(), upload_id());
    let declared = (mime_type(), any::<u64>()).prop_map(|(mime_type, bytes)| Declared { mime_type, bytes });
    let object = [text(), text(), text()].prop_map(|[bucket, key, region]| ObjectRef { bucket, key, region });
    (ids, declared, object, window()).prop_map(|((id, job, owner, upload_id), declared, object, window)| {
        QueuePhoto {
            part_size: NonZeroU64::new(declared.bytes / 3),
            id,
            job,
            owner,
            upload_id,
            declared,
            object,
            window,
        }
    })
}

/// Any command. Commands that continue the life cycle are more frequent than those that end it, so that sequences get
/// far. The values of a command come from one number: a union of strategies would take longer than the tests
/// themselves.
pub(crate) fn photo_command() -> impl Strategy<Value = PhotoCommand> {
    (0_u8..35, any::<u16>()).prop_map(|(kind, number)| {
        let window = fixtures::window_from(number.into());
        let object = StoredObject { bytes: number.into() };
        match kind {
            0..4 => PhotoCommand::StartUpload,
            4..6 => PhotoCommand::Renew { window },
            6..10 => PhotoCommand::CompleteUpload,
            10..14 => PhotoCommand::StartProcessing { object },
            14..17 => PhotoCommand::CompleteProcessing {
                result: Box::new(ProcessingResult {
                    object,
                    sharpness: Some(f64::from(number) / 7.0),
                    ..fixtures::processing_result()
                }),
            },
            17..20 => PhotoCommand::Retry { window },
            20..22 => PhotoCommand::FailMissingUpload,
            22..24 => PhotoCommand::ExpireUpload,
            24..26 => PhotoCommand::FailProcessing,
            26 => PhotoCommand::Reject {
                reasons: fixtures::findings().split_off(usize::from(number % 4)),
            },
            30 => PhotoCommand::StartCleaning,
            31 => PhotoCommand::FinishCleaning,
            27 => PhotoCommand::Tag {
                labels: some_labels(number),
            },
            28 => PhotoCommand::Untag {
                labels: some_labels(number),
            },
            29 => PhotoCommand::Cancel,
            33..35 => PhotoCommand::OpenMultipart {
                id: fixtures::multipart_id(),
                window,
            },
            _ => PhotoCommand::Delete,
        }
    })
}

/// Any event, including those that no sequence of commands produces.
pub(crate) fn photo_event() -> impl Strategy<Value = PhotoEvent> {
    use PhotoEvent::{
        PhotoCancelled, PhotoCleaned, PhotoCleaningStarted, PhotoDeleted, PhotoFailed, PhotoMultipartOpened,
        PhotoProcessingCompleted, PhotoProcessingStarted, PhotoRejected, PhotoRetried, PhotoTagged,
        PhotoUntagged, PhotoUploadCompleted, PhotoUploadRenewed, PhotoUploadStarted,
    };
    let reason = select(vec![
        FailureReason::UploadMissing,
        FailureReason::UploadExpired,
        FailureReason::ProcessingError,
    ]);
    let cause = select(vec![
        RetryCause::ObjectArrived,
        RetryCause::Renewed,
        RetryCause::Requested,
    ]);
    let to = select(vec![PhotoStatus::Queued, PhotoStatus::Verifying]);
    prop_oneof![
        queue_photo().prop_map(Photo::queue),
        Just(PhotoUploadStarted {}),
        window().prop_map(|window| PhotoMultipartOpened {
            id: fixtures::multipart_id(),
            window
        }),
        window().prop_map(|window| PhotoUploadRenewed { window }),
        Just(PhotoUploadCompleted {}),
        stored_object().prop_map(|object| PhotoProcessingStarted { object }),
        processing_result().prop_map(|result| PhotoProcessingCompleted { result }),
        vec(finding(), 0..4).prop_map(|reasons| PhotoRejected { reasons }),
        reason.prop_map(|reason| PhotoFailed { reason }),
        Just(PhotoCancelled {}),
        (cause, to, option::of(window())).prop_map(|(cause, to, window)| PhotoRetried { cause, to, window }),
        labels().prop_map(|labels| PhotoTagged { labels }),
        labels().prop_map(|labels| PhotoUntagged { labels }),
        Just(PhotoCleaningStarted {}),
        Just(PhotoCleaned {}),
        Just(PhotoDeleted {}),
    ]
}

pub(crate) fn job_counts() -> impl Strategy<Value = JobCounts> {
    any::<[u32; 6]>().prop_map(
        |[queued, active, completed, rejected, failed, cancelled]| JobCounts {
            queued,
            active,
            completed,
            rejected,
            failed,
            cancelled,
        },
    )
}

pub(crate) fn job_event() -> impl Strategy<Value = JobEvent> {
    let status = select(&JobStatus::ALL[..]);
    prop_oneof![
        (job_id(), user_id(), any::<u32>(), any::<u64>()).prop_map(
            |(job, owner, photo_count, bytes_total)| {
                JobEvent::UploadJobCreated {
                    job,
                    owner,
                    photo_count,
                    bytes_total,
                }
            }
        ),
        (any::<u32>(), status, job_counts(), any::<Option<u32>>()).prop_map(
            |(round, status, counts, retries)| {
                JobEvent::UploadJobCompleted {
                    round,
                    status,
                    counts,
                    retries,
                }
            }
        ),
        any::<u32>().prop_map(|round| JobEvent::UploadJobReopened { round }),
        Just(JobEvent::UploadJobCancelled {}),
    ]
}

pub(crate) fn user_event() -> impl Strategy<Value = UserEvent> {
    prop_oneof![
        user_id().prop_map(|user| UserEvent::UserRegistered { user }),
        Just(UserEvent::UserDisabled {}),
        Just(UserEvent::UserEnabled {}),
        Just(UserEvent::UserAdminGranted {}),
        Just(UserEvent::UserDeleted {}),
    ]
}
