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

use crate::{budget::Budget, inspect::StagedInspection, scratch::Scratch};

/// Resources of an [`ImagingPool`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImagingConfig {
    /// Photos that are inspected at once, each on a thread of its own.
    pub threads: NonZeroUsize,
    /// Bytes that decoding may take in all threads together, beside the files themselves.
    pub memory_budget_bytes: u64,
}

/// Inspects photos on a fixed number of threads and within a memory budget.
///
/// Calls wait for a thread and then for memory, in order of arrival. A call that is cancelled while it waits is
/// skipped. When the pool is dropped, inspections that have started still finish.
#[derive(Debug)]
pub struct ImagingPool {
    jobs: mpsc::Sender<Job>,
    budget: Arc<Budget>,
}

struct Job {
    bytes: Bytes,
    limits: InspectionLimits,
    reply: oneshot::Sender<Result<Inspection, InspectError>>,
}

impl ImagingPool {
    /// Starts the threads.
    ///
    /// # Errors
    /// If the operating system can't start a thread.
    pub fn new(config: ImagingConfig) -> io::Result<Self> {
        Self::start(config, inspect)
    }

    fn start(config: ImagingConfig, inspect: InspectFn) -> io::Result<Self> {
        let (jobs, queue) = mpsc::channel();
        let queue = Arc::new(Mutex::new(queue));
        let budget = Budget::new(config.memory_budget_bytes);
        for number in 0..config.threads.get() {
            let mut worker = Worker {
                scratch: Scratch::new().map_err(io::Error::other)?,
                queue: Arc::clone(&queue),
                budget: Arc::clone(&budget),
                inspect,
            };
            thread::Builder::new()
                .name(format!("imaging-{number}"))
                .spawn(move || worker.run())?;
        }
        Ok(Self { jobs, budget })
    }

    /// Highest number of bytes that was ever reserved for photos at once.
    pub fn peak_memory_bytes(&self) -> u64 {
        self.budget.peak()
    }
}

#[async_trait]
impl PhotoInspector for ImagingPool {
    async fn inspect(&self, bytes: Bytes, limits: InspectionLimits) -> Result<Inspection, InspectError> {
        let (reply, inspection) = oneshot::channel();
        let job = Job { bytes, limits, reply };
        self.jobs.send(job).map_err(|_| InspectError::ShuttingDown)?;
        inspection.await.map_err(|_| InspectError::ShuttingDown)?
    }
}

struct Worker {
    scratch: Scratch,
    queue: Arc<Mutex<mpsc::Receiver<Job>>>,
    budget: Arc<Budget>,
    inspect: InspectFn,
}

type InspectFn = fn(&[u8], InspectionLimits, &Arc<Budget>, &mut Scratch) -> Inspection;

impl Worker {
    fn run(&mut self) {
        while let Some(job) = self.next() {
            if job.reply.is_closed() {
                continue;
            }
            // A bug in a decoder must not end the thread, or else the pool loses it for good.
            let inspected = catch_unwind(AssertUnwindSafe(|| {
                (self.inspect)(&job.bytes, job.limits, &self.budget, &mut self.scratch)
            }));
            let result = inspected.map_err(|panic| {
                let message = panic_message(panic.as_ref());
                tracing::error!(message, bytes = job.bytes.len(), "an inspection panicked");
                InspectError::Failed(message.to_owned())
            });
            if result.is_err() {
                match Scratch::new() {
                    Ok(scratch) => self.scratch = scratch,
                    Err(error) => {
                        tracing::warn!(%error, "new buffers can't be created; the old ones are reused");
                    }
                }
            }
            // The caller may have been cancelled meanwhile.
            drop(job.reply.send(result));
        }
    }

    fn next(&self) -> Option<Job> {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.recv().ok()
    }
}

/// Inspects one photo once its memory is reserved.
fn inspect(
    bytes: &[u8],
    limits: InspectionLimits,
    budget: &Arc<Budget>,
    scratch: &mut Scratch,
) -> Inspection {
    let mut staged = StagedInspection::parse(bytes, limits);
    let Some(required) = staged.max_memory_bytes() else {
        return staged.finish(scratch);
    };
    let reservation = budget.reserve(required);
    if reservation.is_err() {
        staged.reject_for_memory(required, budget.total());
    }
    staged.finish(scratch)
}

/// Message of a panic.
pub(crate) fn panic_message(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without a message")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: InspectionLimits = InspectionLimits {
        max_pixels: 1_000_000,
        min_edge: None,
    };

    fn pool(threads: usize, inspect: InspectFn) -> ImagingPool {
        let config = ImagingConfig {
            threads: NonZeroUsize::new(threads).unwrap(),
            memory_budget_bytes: 1 << 30,
        };
        ImagingPool::start(config, inspect).unwrap()
    }

    #[tokio::test]
    async fn a_panic_fails_one_inspection_and_ends_no_thread() {
        let pool = pool(2, |bytes, _, budget, _| {
            let _reservation = budget.reserve(1 << 30);
            assert!(!bytes.is_empty(), "the file is empty");
            Inspection::default()
        });
        for _ in 0..5 {
            let broken = pool.inspect(Bytes::new(), LIMITS).await;
            assert!(
                matches!(&broken, Err(InspectError::Failed(message)) if message.contains("the file is empty")),
                "{broken:?}"
            );
        }
        let sound = pool.inspect(Bytes::from_static(b"x"), LIMITS).await;
        assert_eq!(sound.unwrap(), Inspection::default());
    }

    #[tokio::test]
    async fn a_cancelled_call_is_never_inspected() {
        static INSPECTED: Mutex<Vec<u8>> = Mutex::new(Vec::new());
        static GATE: Mutex<()> = Mutex::new(());
        let pool = pool(1, |bytes, _, _, _| {
            drop(GATE.lock().unwrap());
            INSPECTED.lock().unwrap().extend_from_slice(bytes);
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
        assert_eq!(*INSPECTED.lock().unwrap(), b"13");
    }

    fn is_pending<F: Future>(future: std::pin::Pin<&mut F>) -> bool {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        future.poll(&mut context).is_pending()
    }

    #[test]
    fn the_message_of_a_panic_is_reported() {
        let caught = |panic: fn()| catch_unwind(panic).unwrap_err();
        assert_eq!(panic_message(caught(|| panic!("plain")).as_ref()), "plain");
        let number = 7;
        assert_eq!(
            panic_message(catch_unwind(|| panic!("number {number}")).unwrap_err().as_ref()),
            "number 7"
        );
        assert_eq!(
            panic_message(caught(|| std::panic::panic_any(1_u8)).as_ref()),
            "a panic without a message"
        );
    }
}
