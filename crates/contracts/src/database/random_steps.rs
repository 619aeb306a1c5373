//! Random sequences of commands, shrunk to a short failing one.

use std::collections::BTreeSet;

use proptest::{
    collection::{btree_set, vec},
    prelude::*,
    strategy::ValueTree,
    test_runner::TestRunner,
};

/// Number of photos that the commands of a sequence address.
pub(super) const PHOTOS: u8 = 4;

/// Number of sequences. Nearly every step of each writes a commit.
const SEQUENCES: usize = 16;

/// One step of a sequence.
#[derive(Debug, Clone)]
pub(super) struct Step {
    /// Indexes of the photos to which the command is applied.
    pub(super) photos: BTreeSet<u8>,
    /// Number of the command, 0 to 15.
    pub(super) command: u8,
    /// Source of the command's values.
    pub(super) number: u16,
    /// Variation of the commit.
    pub(super) variation: Variation,
}

/// Variations of a commit.
#[derive(Debug, Clone, Copy)]
pub(super) enum Variation {
    /// A valid commit.
    Valid,
    /// The command is decided on an outdated state.
    Stale,
    /// The last commit is repeated in place of the command.
    Repeated,
}

fn step() -> impl Strategy<Value = Step> {
    let variation =
        prop_oneof![8 => Just(Variation::Valid), 1 => Just(Variation::Stale), 1 => Just(Variation::Repeated)];
    (btree_set(0..PHOTOS, 1..4), 0_u8..16, any::<u16>(), variation).prop_map(
        |(photos, command, number, variation)| Step {
            photos,
            command,
            number,
            variation,
        },
    )
}

/// Checks random sequences, the same ones in each run. Panics with the shortest failing sequence found.
pub(super) async fn check_all(check: impl AsyncFn(Vec<Step>) -> Result<(), String>) {
    let steps = vec(step(), 1..40);
    let mut runner = TestRunner::deterministic();
    for _ in 0..SEQUENCES {
        let mut tree = steps.new_tree(&mut runner).unwrap();
        let Err(reason) = check(tree.current()).await else {
            continue;
        };
        let mut shortest = (tree.current(), reason);
        let mut more = tree.simplify();
        for _ in 0..500 {
            if !more {
                break;
            }
            more = match check(tree.current()).await {
                Ok(()) => tree.complicate(),
                Err(reason) => {
                    shortest = (tree.current(), reason);
                    tree.simplify()
                }
            };
        }
        let (steps, reason) = shortest;
        panic!("{reason}\nafter {steps:#?}");
    }
}
