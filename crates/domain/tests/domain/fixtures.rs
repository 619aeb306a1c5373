//! Sample values: a photo in each state, and one command of each kind.

use std::{collections::BTreeSet, num::NonZeroU64};

use chrono::DateTime;
use rapidphoto_domain::{
    JobId, PhotoId, Timestamp, UserId,
    photo::{
        Check, Declared, FailureReason, Finding, Photo, PhotoCommand, PhotoEvent, PhotoState,
        ProcessingResult, QueuePhoto, StoredObject, Thumbnail, UploadWindow,
    },
    values::{KeySpace, MimeType, MultipartId, ObjectRef, TagLabel, ThumbnailEdge, UploadId},
};

pub(crate) const USER: UserId = UserId::from_bits(0x0199_0000_0000_0000_0000_0000_0000_0001);
pub(crate) const JOB: JobId = JobId::from_bits(0x0199_0000_0000_0000_0000_0000_0000_0002);
pub(crate) const PHOTO: PhotoId = PhotoId::from_bits(0x0199_0000_0000_0000_0000_0000_0000_0003);
pub(crate) const SIMILAR_PHOTO: PhotoId = PhotoId::from_bits(0x0199_0000_0000_0000_0000_0000_0000_0004);

pub(crate) fn minute(minute: i64) -> Timestamp {
    DateTime::from_timestamp(1_790_000_000 + 60 * minute, 0).unwrap()
}

/// Upload window of an upload that starts or restarts in this minute.
pub(crate) fn window_from(start: i64) -> UploadWindow {
    UploadWindow {
        url_expires_at: minute(start + 15),
        ends_at: minute(start + 24 * 60),
    }
}

pub(crate) fn labels<const N: usize>(labels: [&str; N]) -> BTreeSet<TagLabel> {
    labels.map(|label| TagLabel::parse(label).unwrap()).into()
}

pub(crate) fn stored_object() -> StoredObject {
    StoredObject { bytes: 3_141_592 }
}

pub(crate) fn processing_result() -> ProcessingResult {
    ProcessingResult {
        object: stored_object(),
        mime_type: MimeType::Jpeg,
        width: 3024,
        height: 4032,
        thumbnails: vec![
            Thumbnail {
                edge: ThumbnailEdge::Small,
                width: 192,
                height: 256,
            },
            Thumbnail {
                edge: ThumbnailEdge::Large,
                width: 768,
                height: 1024,
            },
        ],
        sharpness: Some(812.5),
        warnings: vec![Finding::measured(Check::Blurry, 12.25, 100.0)],
        completed_at: minute(3),
    }
}

/// Findings of every shape: counts, quantities, names, a similar photo, and no values.
pub(crate) fn findings() -> Vec<Finding> {
    vec![
        Finding::measured(Check::TooLarge, 104_857_601, 104_857_600),
        Finding::measured(Check::Blurry, 12.25, 100.0),
        Finding::measured(
            Check::TypeMismatch,
            "image/png".to_owned(),
            "image/jpeg".to_owned(),
        ),
        Finding {
            photo: Some(SIMILAR_PHOTO),
            ..Finding::measured(Check::NearDuplicate, 3, 10)
        },
        Finding::without_values(Check::Corrupt),
    ]
}

pub(crate) fn queue_photo() -> QueuePhoto {
    QueuePhoto {
        id: PHOTO,
        job: JOB,
        owner: USER,
        upload_id: UploadId::from_random(0x4b1f_9c52_8a5e_4c1d_9f0e_2d6f_0c4f_7a11),
        declared: Declared {
            mime_type: MimeType::Jpeg,
            bytes: 3_141_592,
        },
        object: ObjectRef {
            bucket: "photos".to_owned(),
            key: KeySpace::new("test").unwrap().original(USER, PHOTO),
            region: "eu-central-1".to_owned(),
        },
        window: window_from(0),
        part_size: NonZeroU64::new(5 << 20),
    }
}

pub(crate) fn multipart_id() -> MultipartId {
    MultipartId::parse("2~opened.by-the_store").unwrap()
}

/// State of a photo as far as decisions depend on it: the status, and the reason for a failure. Deletion is separate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    Queued,
    Uploading,
    Verifying,
    Processing,
    Completed,
    Rejected,
    FailedMissing,
    FailedExpired,
    FailedProcessing,
    Cancelled,
}

impl State {
    /// All states, in the order of the columns of the transition table.
    pub(crate) const ALL: [Self; 10] = [
        Self::Queued,
        Self::Uploading,
        Self::Verifying,
        Self::Processing,
        Self::Completed,
        Self::Rejected,
        Self::FailedMissing,
        Self::FailedExpired,
        Self::FailedProcessing,
        Self::Cancelled,
    ];

    pub(crate) const fn of(photo: &Photo) -> Self {
        match &photo.state {
            PhotoState::Queued => Self::Queued,
            PhotoState::Uploading => Self::Uploading,
            PhotoState::Verifying => Self::Verifying,
            PhotoState::Processing { .. } => Self::Processing,
            PhotoState::Completed { .. } => Self::Completed,
            PhotoState::Rejected { .. } => Self::Rejected,
            PhotoState::Failed { reason } => match reason {
                FailureReason::UploadMissing => Self::FailedMissing,
                FailureReason::UploadExpired => Self::FailedExpired,
                FailureReason::ProcessingError => Self::FailedProcessing,
            },
            PhotoState::Cancelled => Self::Cancelled,
        }
    }

    /// True for a terminal state; independent of the code under test.
    pub(crate) const fn is_terminal(self) -> bool {
        match self {
            Self::Queued | Self::Uploading | Self::Verifying | Self::Processing => false,
            Self::Completed
            | Self::Rejected
            | Self::FailedMissing
            | Self::FailedExpired
            | Self::FailedProcessing
            | Self::Cancelled => true,
        }
    }

    /// Events that lead to this state.
    fn history(self) -> Vec<PhotoEvent> {
        let failed = |reason| PhotoEvent::PhotoFailed { reason };
        let verified = PhotoEvent::PhotoProcessingStarted {
            object: stored_object(),
        };
        let later = match self {
            Self::Queued => vec![],
            Self::Uploading => vec![PhotoEvent::PhotoUploadStarted {}],
            Self::Verifying => vec![PhotoEvent::PhotoUploadCompleted {}],
            Self::Processing => vec![PhotoEvent::PhotoUploadCompleted {}, verified],
            Self::Completed => vec![
                PhotoEvent::PhotoUploadCompleted {},
                verified,
                PhotoEvent::PhotoProcessingCompleted {
                    result: Box::new(processing_result()),
                },
            ],
            Self::Rejected => vec![
                PhotoEvent::PhotoUploadCompleted {},
                PhotoEvent::PhotoRejected {
                    reasons: vec![Finding::without_values(Check::Corrupt)],
                },
            ],
            Self::FailedMissing => vec![
                PhotoEvent::PhotoUploadCompleted {},
                failed(FailureReason::UploadMissing),
            ],
            Self::FailedExpired => vec![failed(FailureReason::UploadExpired)],
            Self::FailedProcessing => vec![
                PhotoEvent::PhotoUploadCompleted {},
                verified,
                failed(FailureReason::ProcessingError),
            ],
            Self::Cancelled => vec![PhotoEvent::PhotoCancelled {}],
        };
        let first = [
            Photo::queue(queue_photo()),
            PhotoEvent::PhotoTagged {
                labels: labels(["old", "kept"]),
            },
        ];
        first.into_iter().chain(later).collect()
    }
}

/// Photo in this state, with the labels `old` and `kept`.
pub(crate) fn photo(state: State) -> Photo {
    let photo = Photo::fold(&state.history()).unwrap();
    assert_eq!(State::of(&photo), state);
    photo
}

/// Deleted photo in this state, with the same labels.
pub(crate) fn deleted_photo(state: State) -> Photo {
    photo(state).apply(&PhotoEvent::PhotoDeleted {})
}

/// One command of each kind, in the order of the rows of the transition table.
pub(crate) fn every_command() -> [PhotoCommand; 17] {
    [
        PhotoCommand::StartUpload,
        PhotoCommand::Renew {
            window: window_from(10),
        },
        PhotoCommand::CompleteUpload,
        PhotoCommand::StartProcessing {
            object: stored_object(),
        },
        PhotoCommand::Reject { reasons: findings() },
        PhotoCommand::CompleteProcessing {
            result: Box::new(processing_result()),
        },
        PhotoCommand::FailMissingUpload,
        PhotoCommand::ExpireUpload,
        PhotoCommand::FailProcessing,
        PhotoCommand::Cancel,
        PhotoCommand::Retry {
            window: window_from(20),
        },
        PhotoCommand::Tag {
            labels: labels(["old", "new"]),
        },
        PhotoCommand::Untag {
            labels: labels(["old", "unknown"]),
        },
        PhotoCommand::StartCleaning,
        PhotoCommand::FinishCleaning,
        PhotoCommand::Delete,
        PhotoCommand::OpenMultipart {
            id: multipart_id(),
            window: window_from(10),
        },
    ]
}
