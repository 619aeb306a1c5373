//! Deletion of a failed photo's stored objects, and retries beside it.

use rapidphoto_domain::photo::{Cleaning, InvalidTransition, PhotoCommand, PhotoEvent, PhotoStatus};

use crate::fixtures::{State, photo, window_from};

#[test]
fn a_retry_waits_for_the_deletion_of_the_objects_and_then_needs_a_new_upload() {
    let commands = [
        PhotoCommand::Retry {
            window: window_from(20),
        },
        PhotoCommand::Renew {
            window: window_from(10),
        },
        PhotoCommand::CompleteUpload,
    ];
    for state in [
        State::FailedMissing,
        State::FailedExpired,
        State::FailedProcessing,
    ] {
        let started = photo(state).apply(&PhotoEvent::PhotoCleaningStarted {});
        for command in &commands {
            let error = InvalidTransition {
                from: PhotoStatus::Failed,
                deleted: false,
                attempted: command.name(),
            };
            assert_eq!(started.decide(command.clone()), Err(error), "{state:?}");
        }
        assert_eq!(started.decide(PhotoCommand::StartCleaning), Ok(vec![]));
        let finished = started.decide(PhotoCommand::FinishCleaning).unwrap();
        assert_eq!(finished, [PhotoEvent::PhotoCleaned {}]);
        let cleaned = started.apply(&finished[0]);
        assert_eq!(cleaned.cleaning, Cleaning::Done);
        let retried = cleaned.decide(commands[0].clone()).unwrap();
        let retried = cleaned.apply(&retried[0]);
        assert_eq!(
            (retried.status(), retried.cleaning),
            (PhotoStatus::Queued, Cleaning::Kept)
        );
    }
}
