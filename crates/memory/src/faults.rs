use std::{collections::BTreeMap, sync::Mutex};

use rapidphoto_application::ports::Unavailable;

use crate::{ids::SplitMix64, lock::lock};

/// Operations that can be made to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// Commits.
    Commit,
    /// Reads of the database: aggregates, log, views and credentials.
    Read,
    /// Claims and renewals of work and subscriptions, and counts of work.
    Claim,
    /// Writes of refresh tokens, stream tickets and signs of life.
    Session,
    /// HEAD of an object.
    Head,
    /// GET of an object.
    Get,
    /// PUT of an object by the application.
    Put,
    /// DELETE of an object.
    Delete,
    /// Signing of URLs and checks of the bucket.
    Bucket,
    /// Opening of an upload in parts.
    OpenMultipart,
    /// Lists of parts and of uploads in parts.
    ListMultipart,
    /// Completion of an upload in parts.
    CompleteMultipart,
    /// Abortion of an upload in parts.
    AbortMultipart,
    /// Announcement of an object.
    Announce,
    /// Publishing of events, and access to dead letters.
    Broker,
}

/// Fault injection: makes a memory adapter fail and yield as real services do.
#[derive(Default)]
pub struct Faults(Mutex<Planned>);

#[derive(Default)]
struct Planned {
    failures: BTreeMap<Operation, u32>,
    lost_answers: BTreeMap<Operation, u32>,
    random_yields: Option<SplitMix64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Before,
    After,
}

impl Faults {
    /// The next `times` calls do nothing and return `Unavailable`; an announcement is lost without an error.
    pub fn fail_next(&self, operation: Operation, times: u32) {
        lock(&self.0).failures.insert(operation, times);
    }

    /// Number of calls that are still to fail by [`Self::fail_next`].
    pub fn left(&self, operation: Operation) -> u32 {
        lock(&self.0).failures.get(&operation).copied().unwrap_or(0)
    }

    /// The next `times` calls take effect but return `Unavailable`, as if the response was lost.
    pub fn lose_answers(&self, operation: Operation, times: u32) {
        lock(&self.0).lost_answers.insert(operation, times);
    }

    /// Every call yields up to three times, at random with this seed: concurrent calls on one thread interleave
    /// differently for each seed.
    pub fn yield_randomly(&self, seed: u64) {
        lock(&self.0).random_yields = Some(SplitMix64(seed));
    }

    /// Called before an operation takes effect. It yields at least once, unless [`Self::yield_randomly`] decides
    /// otherwise, so that no caller relies on running alone.
    pub(crate) async fn enter(&self, operation: Operation) -> Result<(), Unavailable> {
        self.yield_then_fail(operation, Phase::Before).await
    }

    /// Called after an operation has taken effect.
    pub(crate) async fn leave(&self, operation: Operation) -> Result<(), Unavailable> {
        self.yield_then_fail(operation, Phase::After).await
    }

    /// Returns true if an operation without a result must be skipped.
    pub(crate) fn is_lost(&self, operation: Operation) -> bool {
        consume(&mut lock(&self.0).failures, operation)
    }

    async fn yield_then_fail(&self, operation: Operation, phase: Phase) -> Result<(), Unavailable> {
        let (fails, yields) = {
            let mut planned = lock(&self.0);
            let list = match phase {
                Phase::Before => &mut planned.failures,
                Phase::After => &mut planned.lost_answers,
            };
            let fails = consume(list, operation);
            (
                fails,
                planned
                    .random_yields
                    .as_mut()
                    .map_or(1, |numbers| numbers.next() % 4),
            )
        };
        for _ in 0..yields {
            tokio::task::yield_now().await;
        }
        if !fails {
            return Ok(());
        }
        let source = match phase {
            Phase::Before => "failure requested by the test",
            Phase::After => "loss of the response requested by the test",
        };
        Err(Unavailable {
            what: operation.service(),
            source: source.into(),
        })
    }
}

impl Operation {
    const fn service(self) -> &'static str {
        match self {
            Self::Commit | Self::Read | Self::Claim | Self::Session => "the database",
            Self::Head
            | Self::Get
            | Self::Put
            | Self::Delete
            | Self::Bucket
            | Self::OpenMultipart
            | Self::ListMultipart
            | Self::CompleteMultipart
            | Self::AbortMultipart
            | Self::Announce => "object storage",
            Self::Broker => "the message broker",
        }
    }
}

fn consume(times: &mut BTreeMap<Operation, u32>, operation: Operation) -> bool {
    match times.get_mut(&operation) {
        Some(left) if *left > 0 => {
            *left -= 1;
            true
        }
        Some(_) | None => false,
    }
}
