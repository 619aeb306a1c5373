//! Random sequences of steps, and the shortest one that breaks something.

use std::collections::BTreeSet;

use proptest::{
    collection::{btree_set, vec},
    prelude::*,
    strategy::ValueTree,
    test_runner::TestRunner,
};

/// How many photos a game has.
pub(super) const PHOTOS: u8 = 4;

/// How many games are played. Each of them writes a commit for nearly every step.
const GAMES: usize = 16;

/// One step of a game.
#[derive(Debug, Clone)]
pub(super) struct Step {
    /// The photos it is about.
    pub(super) photos: BTreeSet<u8>,
    /// Which command, 0 to 15.
    pub(super) command: u8,
    /// What the command's values are made of.
    pub(super) number: u16,
    /// What is wrong with it.
    pub(super) twist: Twist,
}

/// What is wrong with a step.
#[derive(Debug, Clone, Copy)]
pub(super) enum Twist {
    /// Nothing.
    None,
    /// It is decided on a state that has passed.
    Stale,
    /// The last commit is written once more instead.
    Again,
}

fn step() -> impl Strategy<Value = Step> {
    let twist = prop_oneof![8 => Just(Twist::None), 1 => Just(Twist::Stale), 1 => Just(Twist::Again)];
    (btree_set(0..PHOTOS, 1..4), 0_u8..16, any::<u16>(), twist).prop_map(
        |(photos, command, number, twist)| Step {
            photos,
            command,
            number,
            twist,
        },
    )
}

/// Plays random games, the same ones each time, and panics with the shortest that goes wrong.
pub(super) async fn all(game: impl AsyncFn(Vec<Step>) -> Result<(), String>) {
    let steps = vec(step(), 1..40);
    let mut runner = TestRunner::deterministic();
    for _ in 0..GAMES {
        let mut tree = steps.new_tree(&mut runner).unwrap();
        let Err(reason) = game(tree.current()).await else {
            continue;
        };
        let mut shortest = (tree.current(), reason);
        let mut more = tree.simplify();
        for _ in 0..500 {
            if !more {
                break;
            }
            more = match game(tree.current()).await {
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
