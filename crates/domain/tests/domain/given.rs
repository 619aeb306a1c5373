//! Samples: a photo in each standing it can have, and one of each command.

use std::collections::BTreeSet;

use chrono::DateTime;
use rapidphoto_domain::{
    JobId, PhotoId, Timestamp, UserId,
    photo::{
        Check, Declared, FailureReason, Finding, PerceptualHash, Photo, PhotoCommand, PhotoEvent, PhotoState,
        ProcessingResult, QueuePhoto, StoredObject, Thumbnail, UploadWindow,
    },
    values::{Checksum, ETag, KeySpace, MimeType, ObjectRef, TagLabel, ThumbnailEdge, UploadId},
};

pub(crate) const USER: UserId = UserId::from_bits(0x0199_0000_0000_0000_0000_0000_0000_0001);
pub(crate) const JOB: JobId = JobId::from_bits(0x0199_0000_0000_0000_0000_0000_0000_0002);
pub(crate) const PHOTO: PhotoId = PhotoId::from_bits(0x0199_0000_0000_0000_0000_0000_0000_0003);
pub(crate) const RESEMBLED: PhotoId = PhotoId::from_bits(0x0199_0000_0000_0000_0000_0000_0000_0004);

pub(crate) fn minute(minute: i64) -> Timestamp {
    DateTime::from_timestamp(1_790_000_000 + 60 * minute, 0).unwrap()
}

/// The window of an upload that begins, or begins anew, in this minute.
pub(crate) fn window_from(start: i64) -> UploadWindow {
    UploadWindow {
        url_expires_at: minute(start + 15),
        ends_at: minute(start + 24 * 60),
    }
}

pub(crate) fn labels<const N: usize>(labels: [&str; N]) -> BTreeSet<TagLabel> {
    labels.map(|label| TagLabel::parse(label).unwrap()).into()
}

pub(crate) fn arrived() -> StoredObject {
    StoredObject {
        e_tag: ETag::parse("9a0364b9e99bb480dd25e1f0284c8555").unwrap(),
        bytes: 3_141_592,
    }
}

pub(crate) fn completed() -> ProcessingResult {
    ProcessingResult {
        object: arrived(),
        mime_type: MimeType::Jpeg,
        checksum: Checksum::from_bytes([0xab; 32]),
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
        perceptual_hash: Some(PerceptualHash(0xf0f0_1234_5678_9abc)),
        sharpness: Some(812.5),
        warnings: vec![Finding::measured(Check::Blurry, 12.25, 100.0)],
        completed_at: minute(3),
    }
}

/// Findings of every shape: counts, quantities, names, another photo, and nothing to show.
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
            photo: Some(RESEMBLED),
            ..Finding::measured(Check::NearDuplicate, 3, 10)
        },
        Finding::bare(Check::Corrupt),
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
            checksum: Some(Checksum::from_bytes([0xab; 32])),
        },
        object: ObjectRef {
            bucket: "photos".to_owned(),
            key: KeySpace::new("test").unwrap().original(USER, PHOTO),
            region: "eu-central-1".to_owned(),
        },
        window: window_from(0),
    }
}

/// Everything that a photo's answer to a command may depend on, but for being deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
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

impl Standing {
    /// The columns of the table of transitions.
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

    /// Said here once more, not asked of the code under test.
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

    /// A way that leads here.
    fn history(self) -> Vec<PhotoEvent> {
        let failed = |reason| PhotoEvent::PhotoFailed { reason };
        let verified = PhotoEvent::PhotoProcessingStarted { object: arrived() };
        let way = match self {
            Self::Queued => vec![],
            Self::Uploading => vec![PhotoEvent::PhotoUploadStarted {}],
            Self::Verifying => vec![PhotoEvent::PhotoUploadCompleted {}],
            Self::Processing => vec![PhotoEvent::PhotoUploadCompleted {}, verified],
            Self::Completed => vec![
                PhotoEvent::PhotoUploadCompleted {},
                verified,
                PhotoEvent::PhotoProcessingCompleted {
                    result: Box::new(completed()),
                },
            ],
            Self::Rejected => vec![
                PhotoEvent::PhotoUploadCompleted {},
                PhotoEvent::PhotoRejected {
                    reasons: vec![Finding::bare(Check::Corrupt)],
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
        let begun = [
            Photo::queue(queue_photo()),
            PhotoEvent::PhotoTagged {
                labels: labels(["old", "kept"]),
            },
        ];
        begun.into_iter().chain(way).collect()
    }
}

/// A photo that stands there, with the labels `old` and `kept`.
pub(crate) fn photo(standing: Standing) -> Photo {
    let photo = Photo::fold(&standing.history()).unwrap();
    assert_eq!(Standing::of(&photo), standing);
    photo
}

/// The same, deleted.
pub(crate) fn deleted_photo(standing: Standing) -> Photo {
    photo(standing).apply(&PhotoEvent::PhotoDeleted {})
}

/// One of each command, in the order of the table's rows.
pub(crate) fn every_command() -> [PhotoCommand; 14] {
    [
        PhotoCommand::StartUpload,
        PhotoCommand::Renew {
            window: window_from(10),
        },
        PhotoCommand::CompleteUpload,
        PhotoCommand::StartProcessing { object: arrived() },
        PhotoCommand::Reject { reasons: findings() },
        PhotoCommand::CompleteProcessing {
            result: Box::new(completed()),
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
            labels: labels(["old", "strange"]),
        },
        PhotoCommand::Delete,
    ]
}
