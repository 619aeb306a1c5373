use std::{ffi::OsString, num::NonZeroUsize, path::PathBuf, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use rapidphoto_application::ports::{
    InspectError, Inspection, InspectionLimits, PhotoInspector, Unavailable,
};
use tokio::sync::{Mutex, mpsc, oneshot, watch};

use super::{
    keeper::{self, Job, Keeper, StartError, State},
    process::{Launcher, MemoryBudget, Patience},
    wire::Protection,
};

/// Resources of a [`ProcessPool`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessConfig {
    /// Photos that are inspected at once, each in a child process of its own.
    pub children: NonZeroUsize,
    /// Bytes that decoding may take in all children together, beside the files themselves.
    pub memory_budget_bytes: u64,
    /// Program that calls [`run_inspection_child`](crate::run_inspection_child).
    pub program: PathBuf,
    /// Arguments of the program before the one that makes it a child.
    pub arguments: Vec<OsString>,
    /// Time for a photo.
    pub patience: Patience,
}

impl ProcessConfig {
    /// Children that run this program.
    ///
    /// # Errors
    /// If the path of this program is unknown.
    pub fn new(children: NonZeroUsize, memory_budget_bytes: u64) -> std::io::Result<Self> {
        // On Linux the file itself, also after it was replaced by an update.
        let program = if cfg!(target_os = "linux") {
            PathBuf::from("/proc/self/exe")
        } else {
            std::env::current_exe()?
        };
        Ok(Self {
            children,
            memory_budget_bytes,
            program,
            arguments: Vec::new(),
            patience: Patience::default(),
        })
    }
}

/// Inspects photos in child processes and within a memory budget.
///
/// A photo that crashes, hangs or takes too much memory ends its child alone: its call fails, and the child is
/// replaced. Calls wait for a child and then for memory, in order of arrival. A call that is cancelled while it waits is
/// skipped. When the pool is dropped, inspections that have started still finish and the children end.
#[derive(Debug)]
pub struct ProcessPool {
    jobs: mpsc::UnboundedSender<Job>,
    state: Arc<watch::Sender<State>>,
    protection: Protection,
}

impl ProcessPool {
    /// Starts the children and waits for the first one.
    ///
    /// # Errors
    /// If no child can be started.
    pub async fn start(config: ProcessConfig) -> Result<Self, StartError> {
        keeper::register_counters();
        let children = config.children.get();
        let (jobs, queue) = mpsc::unbounded_channel();
        let queue = Arc::new(Mutex::new(queue));
        let (state, mut changes) = watch::channel(State::new(children));
        let state = Arc::new(state);
        let launcher = Arc::new(Launcher {
            program: config.program,
            arguments: config.arguments,
            patience: config.patience,
            budget: MemoryBudget::new(config.memory_budget_bytes),
        });
        for _ in 0..children {
            let keeper = Keeper::new(Arc::clone(&launcher), Arc::clone(&queue), Arc::clone(&state));
            tokio::spawn(keeper.run());
        }
        let started = changes.wait_for(|state| state.protection.is_some() || state.outage().is_some());
        let protection = match started.await {
            Ok(state) => match (&state.protection, state.outage()) {
                (Some(protection), _) => protection.clone(),
                (None, Some(outage)) => return Err(outage),
                (None, None) => Protection::default(),
            },
            Err(_) => return Err(StartError("their tasks have ended".to_owned())),
        };
        Ok(Self {
            jobs,
            state,
            protection,
        })
    }

    /// Restrictions that are in force in the children.
    pub const fn protection(&self) -> &Protection {
        &self.protection
    }

    /// Process ids of the running children.
    pub fn children(&self) -> Vec<u32> {
        self.state.borrow().children.iter().copied().collect()
    }
}

#[async_trait]
impl PhotoInspector for ProcessPool {
    async fn inspect(&self, bytes: Bytes, limits: InspectionLimits) -> Result<Inspection, InspectError> {
        let (reply, inspection) = oneshot::channel();
        let job = Job { bytes, limits, reply };
        self.jobs.send(job).map_err(|_| InspectError::ShuttingDown)?;
        inspection.await.map_err(|_| InspectError::ShuttingDown)?
    }

    fn check(&self) -> Result<(), Unavailable> {
        let outage = self.state.borrow().outage();
        outage.map_or(Ok(()), |outage| Err(Unavailable::inspection(outage)))
    }
}
