//! What holds of a photo after any sequence of commands.

use std::collections::BTreeSet;

use proptest::{
    collection::vec,
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use rapidphoto_domain::photo::{Photo, PhotoCommand, PhotoEvent, QueuePhoto};

use crate::{
    any,
    given::Standing::{
        self, Cancelled, Completed, FailedExpired, FailedMissing, FailedProcessing, Processing, Queued,
        Rejected, Uploading, Verifying,
    },
};

/// A photo as a store would carry it on: the log, and the state beside it.
struct Carried {
    log: Vec<PhotoEvent>,
    photo: Photo,
}

impl Carried {
    fn begin(command: QueuePhoto) -> Self {
        let first = Photo::queue(command);
        let photo = Photo::begin(&first).unwrap();
        Self {
            log: vec![first],
            photo,
        }
    }

    /// Asks for something; what is refused leaves no trace.
    fn ask(&mut self, command: PhotoCommand) {
        for event in self.photo.decide(command).unwrap_or_default() {
            self.photo = self.photo.clone().apply(&event);
            self.log.push(event);
        }
    }
}

fn sequence() -> impl Strategy<Value = (QueuePhoto, Vec<PhotoCommand>)> {
    (any::queue_photo(), vec(any::photo_command(), 0..40))
}

/// Every step from one standing to another that the table holds.
const STEPS: [(Standing, Standing); 21] = [
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
];

proptest! {
    #![proptest_config(Config::with_cases(256))]

    #[test]
    fn a_photo_is_the_fold_of_its_events((first, commands) in sequence()) {
        let mut carried = Carried::begin(first);
        for command in commands {
            carried.ask(command);
        }
        prop_assert_eq!(Photo::fold(&carried.log), Ok(carried.photo));
    }

    #[test]
    fn a_photo_moves_only_as_the_table_says((first, commands) in sequence()) {
        let mut carried = Carried::begin(first);
        for command in commands {
            let from = Standing::of(&carried.photo);
            let asked = command.name();
            carried.ask(command);
            let to = Standing::of(&carried.photo);
            prop_assert!(from == to || STEPS.contains(&(from, to)), "{:?} to {:?}, asked to {}", from, to, asked);
        }
    }

    #[test]
    fn an_end_is_left_only_by_a_failed_photo_that_is_tried_again((first, commands) in sequence()) {
        let mut carried = Carried::begin(first);
        for command in commands {
            let before = carried.photo.clone();
            let told = carried.log.len();
            carried.ask(command.clone());
            if before.status().is_terminal() && carried.photo.state != before.state {
                let retried = matches!(carried.log[told..], [PhotoEvent::PhotoRetried { .. }]);
                let way = (Standing::of(&before), command, Standing::of(&carried.photo));
                let allowed = matches!(
                    way,
                    (
                        FailedMissing | FailedExpired,
                        PhotoCommand::Renew { .. } | PhotoCommand::Retry { .. },
                        Queued
                    ) | (FailedMissing | FailedExpired, PhotoCommand::CompleteUpload, Verifying)
                        | (FailedProcessing, PhotoCommand::Retry { .. }, Verifying)
                );
                prop_assert!(retried && allowed, "{way:?}");
            }
        }
    }

    #[test]
    fn a_deleted_photo_never_changes((first, commands) in sequence(), later in vec(any::photo_command(), 1..20)) {
        let mut carried = Carried::begin(first);
        for command in commands {
            carried.ask(command);
        }
        if !carried.photo.status().is_terminal() {
            carried.ask(PhotoCommand::Cancel);
        }
        carried.ask(PhotoCommand::Delete);
        prop_assert!(carried.photo.deleted);
        let (photo, told) = (carried.photo.clone(), carried.log.len());
        for command in later {
            carried.ask(command);
        }
        prop_assert_eq!(carried.photo, photo);
        prop_assert_eq!(carried.log.len(), told);
    }

    #[test]
    fn what_a_photo_is_never_changes((first, commands) in sequence()) {
        let mut carried = Carried::begin(first.clone());
        for command in commands {
            carried.ask(command);
        }
        let Photo { id, job, owner, upload_id, declared, object, .. } = carried.photo;
        let window = first.window;
        prop_assert_eq!(QueuePhoto { id, job, owner, upload_id, declared, object, window }, first);
    }

    #[test]
    fn a_refusal_names_the_pair((first, commands) in sequence(), refused in any::photo_command()) {
        let mut carried = Carried::begin(first);
        for command in commands {
            carried.ask(command);
        }
        let name = refused.name();
        if let Err(refusal) = carried.photo.decide(refused) {
            prop_assert_eq!(refusal.from, carried.photo.status());
            prop_assert_eq!(refusal.deleted, carried.photo.deleted);
            prop_assert_eq!(refusal.attempted, name);
        }
    }

    #[test]
    fn a_photo_survives_storage((first, commands) in sequence()) {
        let mut carried = Carried::begin(first);
        for command in commands {
            carried.ask(command);
        }
        let stored = serde_json::to_string(&carried.photo).unwrap();
        prop_assert_eq!(serde_json::from_str::<Photo>(&stored).unwrap(), carried.photo);
    }
}

/// The properties above say nothing of what their sequences don't reach.
#[test]
fn random_sequences_reach_every_standing_by_every_step() {
    let mut runner = TestRunner::new_with_rng(
        Config::default(),
        TestRng::deterministic_rng(RngAlgorithm::ChaCha),
    );
    let mut standings = BTreeSet::new();
    let mut steps = BTreeSet::new();
    let mut deleted = BTreeSet::new();
    for _ in 0..256 {
        let (first, commands) = sequence().new_tree(&mut runner).unwrap().current();
        let mut carried = Carried::begin(first);
        for command in commands {
            let from = Standing::of(&carried.photo);
            carried.ask(command);
            let to = Standing::of(&carried.photo);
            standings.insert(to);
            if from != to {
                steps.insert((from, to));
            }
            if carried.photo.deleted {
                deleted.insert(to);
            }
        }
    }
    assert_eq!(standings, Standing::ALL.into());
    assert_eq!(steps, STEPS.into());
    assert!(deleted.len() >= 5, "{deleted:?}");
}
