//! The table of a photo's transitions as data, and every pair of standing and command held against it.

use std::collections::BTreeSet;

use rapidphoto_domain::photo::{
    FailureReason, FoldError, InvalidTransition, Photo, PhotoCommand, PhotoEvent, PhotoState, PhotoStatus,
    RetryCause,
};

use crate::given::{
    Standing, arrived, completed, deleted_photo, every_command, findings, labels, photo, queue_photo,
    window_from,
};

/// What the table says of one pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    /// Refused.
    No,
    /// The upload starts.
    Start,
    /// The window is renewed.
    Renew,
    /// The upload is complete: on to verification.
    Arrive,
    /// On to processing.
    Process,
    /// Rejected.
    Reject,
    /// Completed.
    Complete,
    /// Failed: upload missing.
    Missing,
    /// Failed: upload expired.
    Expire,
    /// Failed: processing error.
    GiveUp,
    /// Cancelled.
    Cancel,
    /// Retried because of a renewal: the upload begins anew.
    Anew,
    /// Retried because the object turned up: on to verification.
    TurnUp,
    /// Retried on request: the upload begins anew.
    Again,
    /// Retried on request: on to verification.
    Verify,
    /// A label more.
    Tag,
    /// A label less.
    Untag,
    /// Hidden.
    Delete,
}
use Then::{
    Again, Anew, Arrive, Cancel, Complete, Delete, Expire, GiveUp, Missing, No, Process, Reject, Renew,
    Start, Tag, TurnUp, Untag, Verify,
};

/// Rows as in [`row`], columns as in [`Standing::ALL`].
#[rustfmt::skip]
const TABLE: [[Then; 10]; 14] = [
    // QUEUED  UPLOADING VERIFYING PROCESSING COMPLETED REJECTED missing expired processing CANCELLED
    [ Start,   No,       No,       No,        No,       No,      No,     No,     No,        No     ], // start the upload
    [ Renew,   Renew,    No,       No,        No,       No,      Anew,   Anew,   No,        No     ], // renew
    [ Arrive,  Arrive,   No,       No,        No,       No,      TurnUp, TurnUp, No,        No     ], // complete the upload
    [ No,      No,       Process,  No,        No,       No,      No,     No,     No,        No     ], // start processing
    [ No,      No,       Reject,   Reject,    No,       No,      No,     No,     No,        No     ], // reject
    [ No,      No,       No,       Complete,  No,       No,      No,     No,     No,        No     ], // complete processing
    [ No,      No,       Missing,  No,        No,       No,      No,     No,     No,        No     ], // miss the upload
    [ Expire,  Expire,   No,       No,        No,       No,      No,     No,     No,        No     ], // expire the upload
    [ No,      No,       GiveUp,   GiveUp,    No,       No,      No,     No,     No,        No     ], // give up processing
    [ Cancel,  Cancel,   Cancel,   Cancel,    No,       No,      No,     No,     No,        No     ], // cancel
    [ No,      No,       No,       No,        No,       No,      Again,  Again,  Verify,    No     ], // retry
    [ Tag,     Tag,      Tag,      Tag,       Tag,      Tag,     Tag,    Tag,    Tag,       Tag    ], // tag
    [ Untag,   Untag,    Untag,    Untag,     Untag,    Untag,   Untag,  Untag,  Untag,     Untag  ], // untag
    [ No,      No,       No,       No,        Delete,   Delete,  Delete, Delete, Delete,    Delete ], // delete
];

/// A command's row. No arm is a wildcard: a new command has to find its place in the table.
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
        PhotoCommand::Delete => 13,
    }
}

/// The event that the table's entry stands for, and the photo that it leaves; `None` where it refuses.
fn outcome(then: Then, given: Photo) -> Option<(PhotoEvent, Photo)> {
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
        (event, at(PhotoState::Verifying, given))
    };
    Some(match then {
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
        Arrive => (
            PhotoEvent::PhotoUploadCompleted {},
            at(PhotoState::Verifying, given),
        ),
        Process => {
            let object = arrived();
            let event = PhotoEvent::PhotoProcessingStarted {
                object: object.clone(),
            };
            (event, at(PhotoState::Processing { object }, given))
        }
        Reject => {
            let event = PhotoEvent::PhotoRejected { reasons: findings() };
            (event, at(PhotoState::Rejected { reasons: findings() }, given))
        }
        Complete => {
            let result = Box::new(completed());
            let event = PhotoEvent::PhotoProcessingCompleted {
                result: result.clone(),
            };
            (event, at(PhotoState::Completed { result }, given))
        }
        Missing => failed(FailureReason::UploadMissing, given),
        Expire => failed(FailureReason::UploadExpired, given),
        GiveUp => failed(FailureReason::ProcessingError, given),
        Cancel => (PhotoEvent::PhotoCancelled {}, at(PhotoState::Cancelled, given)),
        Anew => upload_again(RetryCause::Renewed, window_from(10), given),
        Again => upload_again(RetryCause::Requested, window_from(20), given),
        TurnUp => verify_again(RetryCause::ObjectArrived, given),
        Verify => verify_again(RetryCause::Requested, given),
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
        Delete => {
            let deleted = true;
            (PhotoEvent::PhotoDeleted {}, Photo { deleted, ..given })
        }
    })
}

fn refusal(from: PhotoStatus, deleted: bool, command: &PhotoCommand) -> InvalidTransition {
    InvalidTransition {
        from,
        deleted,
        attempted: command.name(),
    }
}

#[test]
fn every_pair_of_standing_and_command_does_what_the_table_says() {
    let mut pairs = 0;
    let mut allowed = 0;
    for command in every_command() {
        for (standing, then) in Standing::ALL.into_iter().zip(TABLE[row(&command)]) {
            let given = photo(standing);
            let from = given.status();

            let answer = given.decide(command.clone());

            let pair = format!("{standing:?}, asked to {}", command.name());
            match outcome(then, given.clone()) {
                None => assert_eq!(answer, Err(refusal(from, false, &command)), "{pair}"),
                Some((event, after)) => {
                    assert_eq!(answer.as_ref(), Ok(&vec![event.clone()]), "{pair}");
                    assert_eq!(given.apply(&event), after, "{pair}");
                    allowed += 1;
                }
            }
            pairs += 1;
        }
    }
    assert_eq!((pairs, allowed), (14 * 10, 51));
}

#[test]
fn a_deleted_photo_refuses_every_command() {
    let mut pairs = 0;
    for command in every_command() {
        for standing in Standing::ALL
            .into_iter()
            .filter(|standing| standing.is_terminal())
        {
            let given = deleted_photo(standing);

            let answer = given.decide(command.clone());

            assert_eq!(
                answer,
                Err(refusal(given.status(), true, &command)),
                "{standing:?}"
            );
            pairs += 1;
        }
    }
    assert_eq!(pairs, 14 * 6);
}

#[test]
fn no_standing_and_no_command_is_left_out_of_the_table() {
    let statuses: BTreeSet<_> = Standing::ALL.map(|standing| photo(standing).status()).into();
    assert_eq!(statuses, PhotoStatus::ALL.into());
    let standings: BTreeSet<_> = Standing::ALL
        .map(|standing| Standing::of(&photo(standing)))
        .into();
    assert_eq!(standings.len(), Standing::ALL.len());

    assert_eq!(
        every_command().each_ref().map(row),
        std::array::from_fn::<_, 14, _>(|n| n)
    );
    let names: BTreeSet<_> = every_command().each_ref().map(PhotoCommand::name).into();
    assert_eq!(
        names.len(),
        TABLE.len(),
        "each command is refused under its own name"
    );
}

#[test]
fn a_status_is_terminal_or_waits_for_bytes_as_the_table_has_it() {
    for standing in Standing::ALL {
        let status = photo(standing).status();
        assert_eq!(status.is_terminal(), standing.is_terminal(), "{standing:?}");
        let waits = matches!(standing, Standing::Queued | Standing::Uploading);
        assert_eq!(status.awaits_upload(), waits, "{standing:?}");
        assert_eq!(PhotoStatus::parse(status.as_str()), Some(status));
        assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
    }
    assert_eq!(PhotoStatus::parse("queued"), None);
}

#[test]
fn an_object_stands_for_a_photo_only_between_verification_and_failure() {
    for standing in Standing::ALL {
        let known = matches!(standing, Standing::Processing | Standing::Completed);
        assert_eq!(
            photo(standing).verified_object(),
            known.then(arrived).as_ref(),
            "{standing:?}"
        );
    }
}

#[test]
fn a_label_that_is_there_already_or_not_at_all_is_no_news() {
    for standing in Standing::ALL {
        let given = photo(standing);
        for command in [
            PhotoCommand::Tag {
                labels: labels(["old"]),
            },
            PhotoCommand::Tag { labels: labels([]) },
            PhotoCommand::Untag {
                labels: labels(["strange"]),
            },
            PhotoCommand::Untag { labels: labels([]) },
        ] {
            assert_eq!(given.decide(command), Ok(vec![]), "{standing:?}");
        }
    }
}

#[test]
fn a_photo_begins_as_it_was_queued() {
    let command = queue_photo();

    let first = Photo::queue(command.clone());

    let expected = Photo {
        id: command.id,
        job: command.job,
        owner: command.owner,
        upload_id: command.upload_id,
        declared: command.declared,
        object: command.object,
        window: command.window,
        tags: BTreeSet::new(),
        deleted: false,
        state: PhotoState::Queued,
    };
    assert_eq!(Photo::begin(&first), Ok(expected.clone()));
    assert_eq!(Photo::fold([&first]), Ok(expected));
}

#[test]
fn a_stream_that_does_not_begin_with_the_queueing_makes_no_photo() {
    assert_eq!(Photo::fold([]), Err(FoldError));
    let begins_late = [PhotoEvent::PhotoUploadStarted {}, Photo::queue(queue_photo())];
    assert_eq!(Photo::fold(&begins_late), Err(FoldError));
}

#[test]
fn a_second_beginning_changes_nothing() {
    for standing in Standing::ALL {
        let given = photo(standing);
        let mut other = queue_photo();
        other.declared.bytes += 1;
        assert_eq!(given.clone().apply(&Photo::queue(other)), given);
    }
}

#[test]
fn a_refusal_says_where_the_photo_stands_and_what_was_asked() {
    let refused = |photo: Photo| photo.decide(PhotoCommand::StartUpload).unwrap_err().to_string();
    assert_eq!(
        refused(photo(Standing::Verifying)),
        "a photo that is VERIFYING can't be asked to start the upload"
    );
    assert_eq!(
        refused(deleted_photo(Standing::Completed)),
        "a photo that is deleted after being COMPLETED can't be asked to start the upload"
    );
}
