//! The task that keeps one child process running and hands it photos.

use std::{collections::BTreeSet, io, sync::Arc, time::Duration};

use bytes::Bytes;
use metrics::{counter, gauge};
use rapidphoto_application::ports::{InspectError, Inspection, InspectionLimits, Unavailable};
use tokio::sync::{Mutex, mpsc, oneshot, watch};

use super::{
    process::{ChildProcess, Inspected, Launcher, describe},
    wire::Protection,
};

/// Photos after which a child is replaced, so that one that was taken over doesn't see more.
const MAX_PHOTOS: u32 = 1000;
/// Memory of a photo in bytes above which its child is replaced, so that what the allocator keeps is bounded.
const MAX_KEPT_MEMORY: u64 = 96 << 20;
/// Failed starts in a row after which a keeper counts as down.
const MAX_FAILED_STARTS: u32 = 3;
const INITIAL_BACKOFF: Duration = Duration::from_millis(100);
const MAX_BACKOFF: Duration = Duration::from_secs(10);

/// No child process can be started.
#[derive(Debug, thiserror::Error)]
#[error("the child processes for inspections can't be started: {0}")]
pub struct StartError(pub(super) String);

/// A photo that waits for its inspection.
pub(super) struct Job {
    pub(super) bytes: Bytes,
    pub(super) limits: InspectionLimits,
    pub(super) reply: oneshot::Sender<Result<Inspection, InspectError>>,
}

/// State of all children of a pool.
#[derive(Debug, Default)]
pub(super) struct State {
    /// Process ids of the running children.
    pub(super) children: BTreeSet<u32>,
    /// Keepers that can't start a child.
    down: usize,
    /// Keepers.
    total: usize,
    /// Restrictions of the child that was started first.
    pub(super) protection: Option<Protection>,
    /// Reason of the last failed start.
    last_failure: String,
}

impl State {
    pub(super) fn new(total: usize) -> Self {
        Self {
            total,
            ..Self::default()
        }
    }

    /// The reason if no child can be started.
    pub(super) fn outage(&self) -> Option<StartError> {
        (self.down == self.total).then(|| StartError(self.last_failure.clone()))
    }
}

/// Photos in order of arrival.
pub(super) type Queue = Arc<Mutex<mpsc::UnboundedReceiver<Job>>>;

/// Keeps one child running.
pub(super) struct Keeper {
    launcher: Arc<Launcher>,
    queue: Queue,
    state: Arc<watch::Sender<State>>,
    /// Starts that failed in a row, and children that ended before their first photo.
    failures: u32,
    /// True after [`MAX_FAILED_STARTS`], until a start succeeds.
    is_down: bool,
}

/// Why a child is no longer used.
enum Ended {
    /// Another one takes its place.
    Replaced,
    /// The pool was dropped.
    Closed,
}

impl Keeper {
    pub(super) const fn new(launcher: Arc<Launcher>, queue: Queue, state: Arc<watch::Sender<State>>) -> Self {
        Self {
            launcher,
            queue,
            state,
            failures: 0,
            is_down: false,
        }
    }

    /// Runs until the pool is dropped.
    pub(super) async fn run(mut self) {
        loop {
            let ended = match self.launcher.start().await {
                Ok((child, protection)) if self.is_weaker(&protection) => {
                    child.stop().await;
                    let weaker = format!("it is less restricted than the first one: {protection:?}");
                    self.start_failed(&io::Error::other(weaker))
                }
                Ok((child, protection)) => {
                    let id = child.id;
                    self.started(id, protection);
                    let ended = self.serve(child).await;
                    self.update(|state| state.children.remove(&id));
                    ended
                }
                Err(error) => self.start_failed(&error),
            };
            if matches!(ended, Ended::Closed) || matches!(self.back_off().await, Ended::Closed) {
                return;
            }
        }
    }

    /// Hands photos to a child as long as it is of use.
    async fn serve(&mut self, mut child: ChildProcess) -> Ended {
        for _ in 0..MAX_PHOTOS {
            let next = tokio::select! {
                // A child with a fault gets no photo, which would be blamed for it.
                biased;
                fault = child.fault_when_idle() => {
                    self.failures += 1;
                    let remains = child.end().await;
                    tracing::warn!(reason = describe(&fault, &remains), "an idle child process is replaced");
                    ended("idle");
                    return Ended::Replaced;
                }
                job = next(&self.queue) => job,
            };
            let Some(job) = next else {
                child.stop().await;
                ended("stopped");
                return Ended::Closed;
            };
            self.failures = 0;
            match self.launcher.inspect(&mut child, &job.bytes, job.limits).await {
                Ok(Inspected { inspection, memory }) => {
                    // The caller may have been cancelled meanwhile.
                    drop(job.reply.send(Ok(inspection)));
                    if memory > MAX_KEPT_MEMORY {
                        break;
                    }
                }
                Err(fault) => {
                    let reason = describe(&fault, &child.end().await);
                    tracing::error!(
                        reason,
                        bytes = job.bytes.len(),
                        "a photo has ended its child process"
                    );
                    ended(fault.code());
                    drop(job.reply.send(Err(InspectError::Failed(reason))));
                    return Ended::Replaced;
                }
            }
        }
        child.stop().await;
        ended("retired");
        Ended::Replaced
    }

    /// Returns true if a child is less restricted than the first one, with which the log at the start has said what is
    /// in force.
    fn is_weaker(&self, protection: &Protection) -> bool {
        let state = self.state.borrow();
        let first = state.protection.as_ref();
        first.is_some_and(|first| protection.is_weaker_than(first))
    }

    fn started(&mut self, id: u32, protection: Protection) {
        counter!("imaging_children_started_total").increment(1);
        let was_down = std::mem::take(&mut self.is_down);
        self.update(|state| {
            state.down -= usize::from(was_down);
            state.children.insert(id);
            state.protection.get_or_insert(protection);
        });
    }

    fn start_failed(&mut self, error: &io::Error) -> Ended {
        self.failures += 1;
        ended("not_started");
        tracing::error!(%error, failures = self.failures, "a child process for inspections can't be started");
        let goes_down = !self.is_down && self.failures >= MAX_FAILED_STARTS;
        self.is_down |= goes_down;
        self.update(|state| {
            state.down += usize::from(goes_down);
            state.last_failure = error.to_string();
        });
        Ended::Replaced
    }

    /// Waits before the next start after failures. As long as no keeper has a child, waiting photos get an error.
    async fn back_off(&self) -> Ended {
        if self.failures == 0 {
            return Ended::Replaced;
        }
        let doublings = (self.failures - 1).min(10);
        let backoff = INITIAL_BACKOFF.saturating_mul(1 << doublings).min(MAX_BACKOFF);
        let mut pause = std::pin::pin!(tokio::time::sleep(backoff));
        loop {
            tokio::select! {
                () = &mut pause => return Ended::Replaced,
                refused = self.next_in_outage() => match refused {
                    Some((job, outage)) => {
                        let outage = Unavailable::inspection(outage);
                        drop(job.reply.send(Err(outage.into())));
                    }
                    None => return Ended::Closed,
                },
            }
        }
    }

    /// The next photo while no keeper has a child, and the reason; `None` once the pool is dropped.
    async fn next_in_outage(&self) -> Option<(Job, StartError)> {
        let mut state = self.state.subscribe();
        loop {
            let outage = state.wait_for(|state| state.outage().is_some()).await;
            let outage = outage.ok()?.outage()?;
            tokio::select! {
                job = next(&self.queue) => return job.map(|job| (job, outage)),
                // Another keeper has a child again.
                _ = state.wait_for(|state| state.outage().is_none()) => {}
            }
        }
    }

    fn update<T>(&self, change: impl FnOnce(&mut State) -> T) {
        self.state.send_modify(|state| {
            change(state);
            #[expect(
                clippy::cast_precision_loss,
                reason = "the number of children is far below 2^52"
            )]
            gauge!("imaging_children").set(state.children.len() as f64);
        });
    }
}

/// Sets the counters of faults to 0.
pub(super) fn register_counters() {
    for reason in [
        "ended",
        "timed_out",
        "panicked",
        "invalid_answer",
        "unlimited",
        "idle",
        "not_started",
    ] {
        counter!("imaging_children_ended_total", "reason" => reason).increment(0);
    }
}

/// Counts a child that ended.
fn ended(reason: &'static str) {
    counter!("imaging_children_ended_total", "reason" => reason).increment(1);
}

/// The next photo whose caller still waits; `None` once the pool is dropped.
async fn next(queue: &Queue) -> Option<Job> {
    loop {
        let job = queue.lock().await.recv().await?;
        if !job.reply.is_closed() {
            return Some(job);
        }
    }
}
