use std::{collections::BTreeMap, sync::Mutex};

use rapidphoto_application::ports::Unavailable;

use crate::{ids::Numbers, lock::lock};

/// What can be made to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// Commits.
    Commit,
    /// Reads of the record: aggregates, log, views, credentials.
    Read,
    /// Claims and renewals of work and of subscriptions, and counts of work.
    Claim,
    /// Writes of refresh tokens and stream tickets.
    Session,
    /// HEAD of an object.
    Head,
    /// GET of an object.
    Get,
    /// PUT of an object by the application.
    Put,
    /// DELETE of an object.
    Delete,
    /// Signing a URL, and asking whether the bucket answers.
    Bucket,
    /// Announcing an object.
    Announce,
}

/// Makes a memory adapter fail and dawdle as the outside does.
#[derive(Default)]
pub struct Faults(Mutex<Planned>);

#[derive(Default)]
struct Planned {
    refused: BTreeMap<Operation, u32>,
    unanswered: BTreeMap<Operation, u32>,
    stagger: Option<Numbers>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    Before,
    After,
}

impl Faults {
    /// The next `times` calls do nothing and answer `Unavailable`; an announcement is lost without a word.
    pub fn fail_next(&self, operation: Operation, times: u32) {
        lock(&self.0).refused.insert(operation, times);
    }

    /// How many calls are still to fail by [`Self::fail_next`].
    pub fn left(&self, operation: Operation) -> u32 {
        lock(&self.0).refused.get(&operation).copied().unwrap_or(0)
    }

    /// The next `times` calls do what they should, and still answer `Unavailable`: nobody knows what came of them.
    pub fn lose_answers(&self, operation: Operation, times: u32) {
        lock(&self.0).unanswered.insert(operation, times);
    }

    /// Every call steps back up to three times, by chance of this seed, to let others go first: concurrent calls on
    /// one thread meet in another order for each seed.
    pub fn stagger(&self, seed: u64) {
        lock(&self.0).stagger = Some(Numbers(seed));
    }

    /// Before a call does anything. It always steps back once, so that no caller relies on being alone.
    pub(crate) async fn enter(&self, operation: Operation) -> Result<(), Unavailable> {
        self.step(operation, Moment::Before).await
    }

    /// After a call has done everything.
    pub(crate) async fn leave(&self, operation: Operation) -> Result<(), Unavailable> {
        self.step(operation, Moment::After).await
    }

    /// Whether an operation that has no answer is to be left out.
    pub(crate) fn swallows(&self, operation: Operation) -> bool {
        take(&mut lock(&self.0).refused, operation)
    }

    async fn step(&self, operation: Operation, moment: Moment) -> Result<(), Unavailable> {
        let (fails, pauses) = {
            let mut planned = lock(&self.0);
            let list = match moment {
                Moment::Before => &mut planned.refused,
                Moment::After => &mut planned.unanswered,
            };
            let fails = take(list, operation);
            (
                fails,
                planned.stagger.as_mut().map_or(1, |numbers| numbers.next() % 4),
            )
        };
        for _ in 0..pauses {
            tokio::task::yield_now().await;
        }
        if !fails {
            return Ok(());
        }
        let source = match moment {
            Moment::Before => "a test wants this call to fail",
            Moment::After => "a test wants this call's answer to be lost",
        };
        Err(Unavailable {
            what: operation.what(),
            source: source.into(),
        })
    }
}

impl Operation {
    const fn what(self) -> &'static str {
        match self {
            Self::Commit | Self::Read | Self::Claim | Self::Session => "the database",
            Self::Head | Self::Get | Self::Put | Self::Delete | Self::Bucket | Self::Announce => {
                "object storage"
            }
        }
    }
}

fn take(times: &mut BTreeMap<Operation, u32>, operation: Operation) -> bool {
    match times.get_mut(&operation) {
        Some(left) if *left > 0 => {
            *left -= 1;
            true
        }
        Some(_) | None => false,
    }
}
