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
        Self::start(config, inspect)
    }

    fn start(config: ImagingConfig, work: Work) -> io::Result<Self> {
        let (jobs, queue) = mpsc::channel();
        let queue = Arc::new(Mutex::new(queue));
        let budget = Budget::new(config.memory_budget_bytes);
        for number in 0..config.threads.get() {
            let mut worker = Worker {
                scratch: Scratch::new().map_err(io::Error::other)?,
                queue: Arc::clone(&queue),
                budget: Arc::clone(&budget),
                work,
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
    work: Work,
}

type Work = fn(&[u8], InspectionLimits, &Arc<Budget>, &mut Scratch) -> Inspection;

impl Worker {
    fn run(&mut self) {
        while let Some(job) = self.next() {
            if job.answer.is_closed() {
                continue;
            }
            // A decoder that breaks its own promises must not take the thread, and with it the pool, along.
            let inspected = catch_unwind(AssertUnwindSafe(|| {
                (self.work)(&job.bytes, job.limits, &self.budget, &mut self.scratch)
            }));
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
}

/// Inspects one photo when there is memory for it.
fn inspect(
    bytes: &[u8],
    limits: InspectionLimits,
    budget: &Arc<Budget>,
    scratch: &mut Scratch,
) -> Inspection {
    let mut examination = Examination::begin(bytes, limits);
    let Some(weight) = examination.weight() else {
        return examination.finish(scratch);
    };
    let share = budget.take(weight);
    if share.is_err() {
        examination.refuse_weight(weight, budget.total());
    }
    examination.finish(scratch)
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

    const LIMITS: InspectionLimits = InspectionLimits {
        max_pixels: 1_000_000,
        min_edge: None,
    };

    fn pool(threads: usize, work: Work) -> ImagingPool {
        let config = ImagingConfig {
            threads: NonZeroUsize::new(threads).unwrap(),
            memory_budget_bytes: 1 << 30,
        };
        ImagingPool::start(config, work).unwrap()
    }

    #[tokio::test]
    async fn a_decoder_that_panics_costs_one_answer_and_no_thread() {
        let pool = pool(2, |bytes, _, budget, _| {
            let _share = budget.take(1 << 30);
            assert!(!bytes.is_empty(), "nothing to look at");
            Inspection::default()
        });
        for _ in 0..5 {
            let broken = pool.inspect(Bytes::new(), LIMITS).await;
            assert!(
                matches!(&broken, Err(InspectError::Broken(why)) if why.contains("nothing to look at")),
                "{broken:?}"
            );
        }
        let sound = pool.inspect(Bytes::from_static(b"x"), LIMITS).await;
        assert_eq!(sound.unwrap(), Inspection::default());
    }

    #[tokio::test]
    async fn a_call_that_was_given_up_is_never_worked_on() {
        static WORKED_ON: Mutex<Vec<u8>> = Mutex::new(Vec::new());
        static GATE: Mutex<()> = Mutex::new(());
        let pool = pool(1, |bytes, _, _, _| {
            drop(GATE.lock().unwrap());
            WORKED_ON.lock().unwrap().extend_from_slice(bytes);
            Inspection::default()
        });
        {
            let held = GATE.lock().unwrap();
            let mut first = std::pin::pin!(pool.inspect(Bytes::from_static(b"1"), LIMITS));
            assert!(is_pending(first.as_mut()));
            {
                let mut second = std::pin::pin!(pool.inspect(Bytes::from_static(b"2"), LIMITS));
                assert!(is_pending(second.as_mut()));
            }
            drop(held);
            first.await.unwrap();
        }
        pool.inspect(Bytes::from_static(b"3"), LIMITS).await.unwrap();
        assert_eq!(*WORKED_ON.lock().unwrap(), b"13");
    }

    fn is_pending<F: Future>(future: std::pin::Pin<&mut F>) -> bool {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        future.poll(&mut context).is_pending()
    }

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
