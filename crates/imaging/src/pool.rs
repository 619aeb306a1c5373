use std::{
    io,
    num::NonZeroUsize,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
};

use async_trait::async_trait;
use bytes::Bytes;
use rapidphoto_application::ports::{InspectError, Inspection, InspectionLimits, PhotoInspector};
use tokio::sync::oneshot;

use crate::{
    budget::Budget,
    inspect::{Examination, Scratch},
};

/// How much an [`ImagingPool`] may take of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImagingConfig {
    /// Photos that are inspected at the same time.
    pub threads: NonZeroUsize,
    /// Bytes that all of them may take for decoding; the files themselves are not counted.
    pub memory_budget_bytes: u64,
}

/// Inspects photos on its own threads and within its own memory.
///
/// Calls wait for a thread and then for memory, in the order in which they came. A call that is given up before its turn
/// costs nothing. Dropping the pool lets the photos that are being inspected finish.
#[derive(Debug)]
pub struct ImagingPool {
    jobs: mpsc::Sender<Job>,
    budget: Arc<Budget>,
}

struct Job {
    bytes: Bytes,
    limits: InspectionLimits,
    answer: oneshot::Sender<Result<Inspection, InspectError>>,
}

impl ImagingPool {
    /// Starts the threads.
    ///
    /// # Errors
    /// If the system gives no threads.
    pub fn new(config: ImagingConfig) -> io::Result<Self> {
        let (jobs, queue) = mpsc::channel();
        let queue = Arc::new(Mutex::new(queue));
        let budget = Budget::new(config.memory_budget_bytes);
        for number in 0..config.threads.get() {
            let mut worker = Worker {
                scratch: Scratch::new().map_err(io::Error::other)?,
                queue: Arc::clone(&queue),
                budget: Arc::clone(&budget),
            };
            thread::Builder::new()
                .name(format!("imaging-{number}"))
                .spawn(move || worker.run())?;
        }
        Ok(Self { jobs, budget })
    }

    /// The most memory that photos ever took at once, by their weights.
    pub fn peak_memory_bytes(&self) -> u64 {
        self.budget.peak()
    }
}

#[async_trait]
impl PhotoInspector for ImagingPool {
    async fn inspect(&self, bytes: Bytes, limits: InspectionLimits) -> Result<Inspection, InspectError> {
        let (answer, inspection) = oneshot::channel();
        let job = Job {
            bytes,
            limits,
            answer,
        };
        self.jobs.send(job).map_err(|_| InspectError::ShuttingDown)?;
        inspection.await.map_err(|_| InspectError::ShuttingDown)?
    }
}

struct Worker {
    scratch: Scratch,
    queue: Arc<Mutex<mpsc::Receiver<Job>>>,
    budget: Arc<Budget>,
}

impl Worker {
    fn run(&mut self) {
        while let Some(job) = self.next() {
            if job.answer.is_closed() {
                continue;
            }
            // A decoder that breaks its own promises must not take the thread, and with it the pool, along.
            let inspected = catch_unwind(AssertUnwindSafe(|| self.inspect(&job.bytes, job.limits)));
            let answer = inspected.map_err(|panic| {
                let message = message(panic.as_ref());
                tracing::error!(message, bytes = job.bytes.len(), "an inspection broke");
                InspectError::Broken(message.to_owned())
            });
            if answer.is_err() {
                match Scratch::new() {
                    Ok(scratch) => self.scratch = scratch,
                    Err(error) => tracing::warn!(%error, "an inspection's scratch is used on"),
                }
            }
            // Whoever asked may have gone.
            drop(job.answer.send(answer));
        }
    }

    fn next(&self) -> Option<Job> {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.recv().ok()
    }

    fn inspect(&mut self, bytes: &[u8], limits: InspectionLimits) -> Inspection {
        let mut examination = Examination::begin(bytes, limits);
        let share = self.budget.take(examination.weight());
        if share.is_err() {
            examination.refuse_weight(self.budget.total());
        }
        examination.finish(&mut self.scratch)
    }
}

fn message(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without words")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_told_in_its_own_words() {
        let caught = |panic: fn()| catch_unwind(panic).unwrap_err();
        assert_eq!(message(caught(|| panic!("plain")).as_ref()), "plain");
        let number = 7;
        assert_eq!(
            message(catch_unwind(|| panic!("number {number}")).unwrap_err().as_ref()),
            "number 7"
        );
        assert_eq!(
            message(caught(|| std::panic::panic_any(1_u8)).as_ref()),
            "a panic without words"
        );
    }
}
