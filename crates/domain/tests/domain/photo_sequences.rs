//! Properties of a photo after random sequences of commands.

use std::collections::BTreeSet;

use proptest::{
    collection::vec,
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use rapidphoto_domain::photo::{Photo, PhotoCommand, PhotoEvent, QueuePhoto};

use crate::{
    fixtures::State::{
        self, Cancelled, Completed, FailedExpired, FailedMissing, FailedProcessing, Processing, Queued,
        Rejected, Uploading, Verifying,
    },
    strategies,
};

/// Photo with its events, as in a database.
struct TestPhoto {
    log: Vec<PhotoEvent>,
    photo: Photo,
}

impl TestPhoto {
    fn new(command: QueuePhoto) -> Self {
        let first = Photo::queue(command);
        let photo = Photo::begin(&first).unwrap();
        Self {
            log: vec![first],
            photo,
        }
    }

    /// Executes a command; a rejected command changes nothing.
    fn execute(&mut self, command: PhotoCommand) {
        for event in self.photo.decide(command).unwrap_or_default() {
            self.photo = self.photo.clone().apply(&event);
            self.log.push(event);
        }
    }
}

fn sequence() -> impl Strategy<Value = (QueuePhoto, Vec<PhotoCommand>)> {
    (strategies::queue_photo(), vec(strategies::photo_command(), 0..40))
}

/// All transitions in the table from one state to another.
const TRANSITIONS: [(State, State); 22] = [
    (Queued, Uploading),
    (Queued, Verifying),
    (Uploading, Verifying),
    (Verifying, Processing),
    (Verifying, FailedMissing),
    (Queued, FailedExpired),
    (Uploading, FailedExpired),
    (Verifying, Rejected),
    (Processing, Rejected),
    (Processing, Completed),
    (Verifying, FailedProcessing),
    (Processing, FailedProcessing),
    (Queued, Cancelled),
    (Uploading, Cancelled),
    (Verifying, Cancelled),
    (Processing, Cancelled),
    (FailedMissing, Verifying),
    (FailedExpired, Verifying),
    (FailedMissing, Queued),
    (FailedExpired, Queued),
    (FailedProcessing, Verifying),
    (FailedProcessing, Queued),
];

proptest! {
    #![proptest_config(Config::with_cases(256))]

    #[test]
    fn a_photo_is_the_fold_of_its_events((first, commands) in sequence()) {
        let mut test = TestPhoto::new(first);
        for command in commands {
            test.execute(command);
        }
        prop_assert_eq!(Photo::fold(&test.log), Ok(test.photo));
    }

    #[test]
    fn a_photo_makes_only_transitions_in_the_table((first, commands) in sequence()) {
        let mut test = TestPhoto::new(first);
        for command in commands {
            let from = State::of(&test.photo);
            let attempted = command.name();
            test.execute(command);
            let to = State::of(&test.photo);
            prop_assert!(
                from == to || TRANSITIONS.contains(&(from, to)),
                "{:?} to {:?}, attempted to {}", from, to, attempted
            );
        }
    }

    #[test]
    fn only_a_retry_of_a_failed_photo_leaves_a_terminal_state((first, commands) in sequence()) {
        let mut test = TestPhoto::new(first);
        for command in commands {
            let before = test.photo.clone();
            let logged = test.log.len();
            test.execute(command.clone());
            if before.status().is_terminal() && test.photo.state != before.state {
                let retried = matches!(test.log[logged..], [PhotoEvent::PhotoRetried { .. }]);
                let transition = (State::of(&before), command, State::of(&test.photo));
                let allowed = matches!(
                    transition,
                    (
                        FailedMissing | FailedExpired,
                        PhotoCommand::Renew { .. } | PhotoCommand::Retry { .. },
                        Queued
                    ) | (FailedMissing | FailedExpired, PhotoCommand::CompleteUpload, Verifying)
                        | (FailedProcessing, PhotoCommand::Retry { .. }, Verifying | Queued)
                );
                prop_assert!(retried && allowed, "{transition:?}");
            }
        }
    }

    #[test]
    fn a_deleted_photo_never_changes(
        (first, commands) in sequence(), later in vec(strategies::photo_command(), 1..20),
    ) {
        let mut test = TestPhoto::new(first);
        for command in commands {
            test.execute(command);
        }
        if !test.photo.status().is_terminal() {
            test.execute(PhotoCommand::Cancel);
        }
        test.execute(PhotoCommand::Delete);
        prop_assert!(test.photo.deleted);
        let (photo, logged) = (test.photo.clone(), test.log.len());
        for command in later {
            test.execute(command);
        }
        prop_assert_eq!(test.photo, photo);
        prop_assert_eq!(test.log.len(), logged);
    }

    #[test]
    fn identifiers_and_the_declaration_of_a_photo_never_change((first, commands) in sequence()) {
        let mut test = TestPhoto::new(first.clone());
        for command in commands {
            test.execute(command);
        }
        let Photo { id, job, owner, upload_id, declared, object, part_size, .. } = test.photo;
        let window = first.window;
        prop_assert_eq!(QueuePhoto { id, job, owner, upload_id, declared, object, window, part_size }, first);
    }

    #[test]
    fn an_invalid_transition_contains_the_state_and_the_command(
        (first, commands) in sequence(), last in strategies::photo_command(),
    ) {
        let mut test = TestPhoto::new(first);
        for command in commands {
            test.execute(command);
        }
        let name = last.name();
        if let Err(error) = test.photo.decide(last) {
            prop_assert_eq!(error.from, test.photo.status());
            prop_assert_eq!(error.deleted, test.photo.deleted);
            prop_assert_eq!(error.attempted, name);
        }
    }

    #[test]
    fn a_photo_can_be_stored_and_read((first, commands) in sequence()) {
        let mut test = TestPhoto::new(first);
        for command in commands {
            test.execute(command);
        }
        let stored = serde_json::to_string(&test.photo).unwrap();
        prop_assert_eq!(serde_json::from_str::<Photo>(&stored).unwrap(), test.photo);
    }
}

/// The properties above are meaningful only if the random sequences reach all states and transitions.
#[test]
fn random_sequences_reach_every_state_by_every_transition() {
    let mut runner = TestRunner::new_with_rng(
        Config::default(),
        TestRng::deterministic_rng(RngAlgorithm::ChaCha),
    );
    let mut states = BTreeSet::new();
    let mut transitions = BTreeSet::new();
    let mut deleted = BTreeSet::new();
    for _ in 0..2048 {
        let (first, commands) = sequence().new_tree(&mut runner).unwrap().current();
        let mut test = TestPhoto::new(first);
        for command in commands {
            let from = State::of(&test.photo);
            test.execute(command);
            let to = State::of(&test.photo);
            states.insert(to);
            if from != to {
                transitions.insert((from, to));
            }
            if test.photo.deleted {
                deleted.insert(to);
            }
        }
    }
    assert_eq!(states, State::ALL.into());
    assert_eq!(transitions, TRANSITIONS.into());
    assert!(deleted.len() >= 5, "{deleted:?}");
}
