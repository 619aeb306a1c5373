//! Transition table of a photo as data, and a test of every pair of state and command.

use std::collections::BTreeSet;

use rapidphoto_domain::{
    photo::{
        Cleaning, FailureReason, InvalidTransition, MAX_TAGS, Photo, PhotoCommand, PhotoEvent, PhotoState,
        PhotoStatus, RetryCause, TooManyTags,
    },
    values::TagLabel,
};

use crate::fixtures::{
    State, deleted_photo, every_command, findings, labels, multipart_id, photo, processing_result,
    queue_photo, stored_object, window_from,
};

/// Entry of the table: the result of a command in a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entry {
    /// The command is rejected.
    No,
    /// The upload starts.
    Start,
    /// The upload window is renewed.
    Renew,
    /// The upload is complete: VERIFYING.
    Uploaded,
    /// PROCESSING.
    Process,
    /// REJECTED.
    Reject,
    /// COMPLETED.
    Complete,
    /// FAILED: upload missing.
    Missing,
    /// FAILED: upload expired.
    Expired,
    /// FAILED: processing error.
    Failed,
    /// CANCELLED.
    Cancel,
    /// Retried because of a renewal: QUEUED.
    RenewRetry,
    /// Retried because the object arrived: VERIFYING.
    ArrivalRetry,
    /// Retried on request: QUEUED.
    UploadRetry,
    /// Retried on request: VERIFYING.
    VerifyRetry,
    /// A label is added.
    Tag,
    /// A label is removed.
    Untag,
    /// The stored objects are about to be deleted.
    StartClean,
    /// The photo is hidden.
    Delete,
    /// An upload in parts is recorded.
    Open,
}
use Entry::{
    ArrivalRetry, Cancel, Complete, Delete, Expired, Failed, Missing, No, Open, Process, Reject, Renew,
    RenewRetry, Start, StartClean, Tag, Untag, UploadRetry, Uploaded, VerifyRetry,
};

/// Rows as in [`row`], columns as in [`State::ALL`].
#[rustfmt::skip]
const TABLE: [[Entry; 10]; 17] = [
    // QUEUED    UPLOADING VERIFYING PROCESSING COMPLETED REJECTED missing       expired       processing   CANCELLED
    [ Start,    No,       No,       No,        No,       No,      No,           No,           No,          No ], // start the upload
    [ Renew,    Renew,    No,       No,        No,       No,      RenewRetry,   RenewRetry,   No,          No ], // renew
    [ Uploaded, Uploaded, No,       No,        No,       No,      ArrivalRetry, ArrivalRetry, No,          No ], // complete the upload
    [ No,       No,       Process,  No,        No,       No,      No,           No,           No,          No ], // start processing
    [ No,       No,       Reject,   Reject,    No,       No,      No,           No,           No,          No ], // reject
    [ No,       No,       No,       Complete,  No,       No,      No,           No,           No,          No ], // complete processing
    [ No,       No,       Missing,  No,        No,       No,      No,           No,           No,          No ], // fail a missing upload
    [ Expired,  Expired,  No,       No,        No,       No,      No,           No,           No,          No ], // expire the upload
    [ No,       No,       Failed,   Failed,    No,       No,      No,           No,           No,          No ], // fail the processing
    [ Cancel,   Cancel,   Cancel,   Cancel,    No,       No,      No,           No,           No,          No ], // cancel
    [ No,       No,       No,       No,        No,       No,      UploadRetry,  UploadRetry,  VerifyRetry, No ], // retry
    [ Tag,      Tag,      Tag,      Tag,       Tag,      Tag,     Tag,          Tag,          Tag,         Tag ], // tag
    [ Untag,    Untag,    Untag,    Untag,     Untag,    Untag,   Untag,        Untag,        Untag,       Untag ], // untag
    [ No,       No,       No,       No,        No,       No,      StartClean,   StartClean,   StartClean,  No ], // start the cleaning
    [ No,       No,       No,       No,        No,       No,      No,           No,           No,          No ], // finish the cleaning
    [ No,       No,       No,       No,        Delete,   Delete,  Delete,       Delete,       Delete,      Delete ], // delete
    [ Open,     Open,     No,       No,        No,       No,      No,           No,           No,          No ], // open an upload in parts
];

/// Row of a command. No arm is a wildcard, so that a new command must be added to the table.
const fn row(command: &PhotoCommand) -> usize {
    match command {
        PhotoCommand::StartUpload => 0,
        PhotoCommand::Renew { .. } => 1,
        PhotoCommand::CompleteUpload => 2,
        PhotoCommand::StartProcessing { .. } => 3,
        PhotoCommand::Reject { .. } => 4,
        PhotoCommand::CompleteProcessing { .. } => 5,
        PhotoCommand::FailMissingUpload => 6,
        PhotoCommand::ExpireUpload => 7,
        PhotoCommand::FailProcessing => 8,
        PhotoCommand::Cancel => 9,
        PhotoCommand::Retry { .. } => 10,
        PhotoCommand::Tag { .. } => 11,
        PhotoCommand::Untag { .. } => 12,
        PhotoCommand::StartCleaning => 13,
        PhotoCommand::FinishCleaning => 14,
        PhotoCommand::Delete => 15,
        PhotoCommand::OpenMultipart { .. } => 16,
    }
}

/// Expected event and the photo after it; `None` if the command is rejected.
#[expect(clippy::too_many_lines, reason = "one arm for each entry of the table")]
fn expected(entry: Entry, given: Photo) -> Option<(PhotoEvent, Photo)> {
    let at = |state, given: Photo| Photo { state, ..given };
    let failed = |reason, given| {
        let event = PhotoEvent::PhotoFailed { reason };
        (event, at(PhotoState::Failed { reason }, given))
    };
    let upload_again = |cause, window, given| {
        let event = PhotoEvent::PhotoRetried {
            cause,
            to: PhotoStatus::Queued,
            window: Some(window),
        };
        let after = Photo {
            window,
            retries: 1,
            ..at(PhotoState::Queued, given)
        };
        (event, after)
    };
    let verify_again = |cause, given| {
        let event = PhotoEvent::PhotoRetried {
            cause,
            to: PhotoStatus::Verifying,
            window: None,
        };
        let after = Photo {
            retries: 1,
            ..at(PhotoState::Verifying, given)
        };
        (event, after)
    };
    Some(match entry {
        No => return None,
        Start => (
            PhotoEvent::PhotoUploadStarted {},
            at(PhotoState::Uploading, given),
        ),
        Renew => {
            let window = window_from(10);
            (
                PhotoEvent::PhotoUploadRenewed { window },
                Photo { window, ..given },
            )
        }
        Uploaded => (
            PhotoEvent::PhotoUploadCompleted {},
            at(PhotoState::Verifying, given),
        ),
        Process => {
            let object = stored_object();
            let event = PhotoEvent::PhotoProcessingStarted { object };
            (event, at(PhotoState::Processing { object }, given))
        }
        Reject => {
            let event = PhotoEvent::PhotoRejected { reasons: findings() };
            (event, at(PhotoState::Rejected { reasons: findings() }, given))
        }
        Complete => {
            let result = Box::new(processing_result());
            let event = PhotoEvent::PhotoProcessingCompleted {
                result: result.clone(),
            };
            (event, at(PhotoState::Completed { result }, given))
        }
        Missing => failed(FailureReason::UploadMissing, given),
        Expired => failed(FailureReason::UploadExpired, given),
        Failed => failed(FailureReason::ProcessingError, given),
        Cancel => (PhotoEvent::PhotoCancelled {}, at(PhotoState::Cancelled, given)),
        RenewRetry => upload_again(RetryCause::Renewed, window_from(10), given),
        UploadRetry => upload_again(RetryCause::Requested, window_from(20), given),
        ArrivalRetry => verify_again(RetryCause::ObjectArrived, given),
        VerifyRetry => verify_again(RetryCause::Requested, given),
        Tag => {
            let event = PhotoEvent::PhotoTagged {
                labels: labels(["new"]),
            };
            let tags = labels(["old", "kept", "new"]);
            (event, Photo { tags, ..given })
        }
        Untag => {
            let event = PhotoEvent::PhotoUntagged {
                labels: labels(["old"]),
            };
            let tags = labels(["kept"]);
            (event, Photo { tags, ..given })
        }
        StartClean => {
            let cleaning = Cleaning::Started;
            let after = Photo { cleaning, ..given };
            (PhotoEvent::PhotoCleaningStarted {}, after)
        }
        Open => {
            let (id, window) = (multipart_id(), window_from(10));
            let after = Photo {
                multipart: Some(id.clone()),
                window,
                ..given
            };
            (PhotoEvent::PhotoMultipartOpened { id, window }, after)
        }
        Delete => {
            let deleted = true;
            (PhotoEvent::PhotoDeleted {}, Photo { deleted, ..given })
        }
    })
}

fn invalid_transition(from: PhotoStatus, deleted: bool, command: &PhotoCommand) -> InvalidTransition {
    InvalidTransition {
        from,
        deleted,
        attempted: command.name(),
    }
}

#[test]
fn every_pair_of_state_and_command_has_the_result_in_the_table() {
    let mut pairs = 0;
    let mut allowed = 0;
    for command in every_command() {
        for (state, entry) in State::ALL.into_iter().zip(TABLE[row(&command)]) {
            let given = photo(state);
            let from = given.status();

            let result = given.decide(command.clone());

            let pair = format!("{state:?}, attempted to {}", command.name());
            match expected(entry, given.clone()) {
                None => assert_eq!(result, Err(invalid_transition(from, false, &command)), "{pair}"),
                Some((event, after)) => {
                    assert_eq!(result.as_ref(), Ok(&vec![event.clone()]), "{pair}");
                    assert_eq!(given.apply(&event), after, "{pair}");
                    allowed += 1;
                }
            }
            pairs += 1;
        }
    }
    assert_eq!((pairs, allowed), (17 * 10, 56));
}

#[test]
fn a_deleted_photo_rejects_every_command() {
    let mut pairs = 0;
    for command in every_command() {
        for state in State::ALL.into_iter().filter(|state| state.is_terminal()) {
            let given = deleted_photo(state);

            let result = given.decide(command.clone());

            assert_eq!(
                result,
                Err(invalid_transition(given.status(), true, &command)),
                "{state:?}"
            );
            pairs += 1;
        }
    }
    assert_eq!(pairs, 17 * 6);
}

#[test]
fn the_table_covers_every_state_and_command() {
    let statuses: BTreeSet<_> = State::ALL.map(|state| photo(state).status()).into();
    assert_eq!(statuses, PhotoStatus::ALL.into());
    let states: BTreeSet<_> = State::ALL.map(|state| State::of(&photo(state))).into();
    assert_eq!(states.len(), State::ALL.len());

    assert_eq!(
        every_command().each_ref().map(row),
        std::array::from_fn::<_, 17, _>(|n| n)
    );
    let names: BTreeSet<_> = every_command().each_ref().map(PhotoCommand::name).into();
    assert_eq!(
        names.len(),
        TABLE.len(),
        "each command has its own name in errors"
    );
}

#[test]
fn statuses_are_terminal_or_await_the_upload_as_expected() {
    for state in State::ALL {
        let status = photo(state).status();
        assert_eq!(status.is_terminal(), state.is_terminal(), "{state:?}");
        let awaits = matches!(state, State::Queued | State::Uploading);
        assert_eq!(status.awaits_upload(), awaits, "{state:?}");
        assert_eq!(PhotoStatus::parse(status.as_str()), Some(status));
        assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
    }
    assert_eq!(PhotoStatus::parse("queued"), None);
}

#[test]
fn only_processing_and_completed_photos_have_a_verified_object() {
    for state in State::ALL {
        let verified = matches!(state, State::Processing | State::Completed);
        assert_eq!(
            photo(state).verified_object(),
            verified.then(stored_object).as_ref(),
            "{state:?}"
        );
    }
}

#[test]
fn adding_existing_labels_and_removing_unknown_ones_changes_nothing() {
    for state in State::ALL {
        let given = photo(state);
        for command in [
            PhotoCommand::Tag {
                labels: labels(["old"]),
            },
            PhotoCommand::Tag { labels: labels([]) },
            PhotoCommand::Untag {
                labels: labels(["unknown"]),
            },
            PhotoCommand::Untag { labels: labels([]) },
        ] {
            assert_eq!(given.decide(command), Ok(vec![]), "{state:?}");
        }
    }
}

#[test]
fn a_photo_has_at_most_100_tags() {
    let numbered = |numbers: std::ops::Range<usize>| -> BTreeSet<TagLabel> {
        numbers
            .map(|number| TagLabel::parse(&number.to_string()).unwrap())
            .collect()
    };
    let photo = Photo {
        tags: numbered(0..98),
        ..photo(State::Completed)
    };
    for allowed in [numbered(0..0), numbered(0..98), numbered(97..100)] {
        assert_eq!(photo.check_tag_count(&allowed), Ok(()));
    }
    let error = photo.check_tag_count(&numbered(97..101)).unwrap_err();
    let expected = TooManyTags {
        used: 98,
        added: 3,
        allowed: MAX_TAGS,
    };
    assert_eq!(error, expected);
    assert_eq!(
        error.to_string(),
        "the photo has 98 tags and the request adds 3, but only 100 are allowed"
    );
    let over_limit = Photo {
        tags: numbered(0..101),
        ..photo
    };
    assert_eq!(over_limit.check_tag_count(&numbered(0..101)), Ok(()));
}

#[test]
fn a_file_that_one_request_sends_is_not_opened_in_parts() {
    for state in State::ALL {
        let given = Photo {
            part_size: None,
            ..photo(state)
        };
        let command = PhotoCommand::OpenMultipart {
            id: multipart_id(),
            window: window_from(10),
        };
        let refused = invalid_transition(given.status(), false, &command);
        assert_eq!(given.decide(command), Err(refused));
    }
}

#[test]
fn an_upload_that_begins_anew_forgets_the_earlier_one_in_parts() {
    let opened = |state| Photo {
        multipart: Some(multipart_id()),
        ..photo(state)
    };
    for state in [State::FailedMissing, State::FailedExpired] {
        let window = window_from(10);
        let again = opened(state).decide(PhotoCommand::Renew { window }).unwrap();
        assert_eq!(opened(state).apply(&again[0]).multipart, None, "{state:?}");
    }
    for state in [State::Queued, State::Uploading] {
        let window = window_from(10);
        let renewed = opened(state).decide(PhotoCommand::Renew { window }).unwrap();
        assert_eq!(
            opened(state).apply(&renewed[0]).multipart,
            Some(multipart_id()),
            "{state:?}"
        );
    }
}

#[test]
fn a_second_creation_changes_nothing() {
    for state in State::ALL {
        let given = photo(state);
        let mut other = queue_photo();
        other.declared.bytes += 1;
        assert_eq!(given.clone().apply(&Photo::queue(other)), given);
    }
}

#[test]
fn an_invalid_transition_names_the_state_and_the_command() {
    let message = |photo: Photo| photo.decide(PhotoCommand::StartUpload).unwrap_err().to_string();
    assert_eq!(
        message(photo(State::Verifying)),
        "can't start the upload: the photo is VERIFYING"
    );
    assert_eq!(
        message(deleted_photo(State::Completed)),
        "can't start the upload: the photo is COMPLETED and deleted"
    );
}
