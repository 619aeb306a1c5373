//! The parent's side of one child process: start, one photo after another, end.

use std::{ffi::OsString, io, path::PathBuf, process::ExitStatus, process::Stdio, sync::Arc, time::Duration};

use rapidphoto_application::ports::{Inspection, InspectionLimits};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command},
    sync::Semaphore,
    task::JoinHandle,
    time::timeout,
};

use super::{
    child::CHILD_ARGUMENT,
    sandbox,
    wire::{Answer, AnswerError, Permit, Protection, Request},
};

/// Time from the start of a child until it is ready.
const START_TIMEOUT: Duration = Duration::from_secs(10);
/// Time for a child to end by itself before it is killed, after which its status says why it ended.
const FAULT_GRACE: Duration = Duration::from_millis(50);
/// Time for a child that is no longer needed to end by itself.
const STOP_GRACE: Duration = Duration::from_secs(1);
/// Bytes of a child's stderr that are logged.
const MAX_STDERR: u64 = 8 << 10;
/// Unit of the memory budget's permits in bytes.
const PERMIT_BYTES: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// Wall time that a child has for one stage of a photo: parsing or decoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For every photo; default 20 s.
    pub base: Duration,
    /// For each MiB of the file and of the memory that decoding takes, default 250 ms. A decoder takes less than a tenth
    /// of that on an idle processor.
    pub per_mib: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            base: Duration::from_secs(20),
            per_mib: Duration::from_millis(250),
        }
    }
}

impl Patience {
    fn with(self, bytes: u64) -> Duration {
        let mib = u32::try_from(bytes.div_ceil(MIB)).unwrap_or(u32::MAX);
        self.base.saturating_add(self.per_mib.saturating_mul(mib))
    }
}

/// Bytes that all photos together may take for decoding, handed out in the order of requests.
#[derive(Debug)]
pub(super) struct MemoryBudget {
    bytes: u64,
    permits: Arc<Semaphore>,
}

impl MemoryBudget {
    pub(super) fn new(bytes: u64) -> Self {
        let permits = usize::try_from(bytes / PERMIT_BYTES).unwrap_or(usize::MAX);
        Self {
            bytes,
            permits: Arc::new(Semaphore::new(permits.min(Semaphore::MAX_PERMITS))),
        }
    }
}

/// Program of the children, and the time that they have.
#[derive(Debug)]
pub(super) struct Launcher {
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<OsString>,
    pub(super) patience: Patience,
    pub(super) budget: MemoryBudget,
}

/// Reasons why a child gave no result for a photo, or ended without one.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("it ended")]
    Ended,
    #[error("it did not answer within {0:?}")]
    TimedOut(Duration),
    #[error("a decoder panicked: {0}")]
    Panicked(String),
    #[error("its answer is invalid")]
    InvalidAnswer(#[source] AnswerError),
    #[error("it sent an answer out of turn")]
    OutOfTurn,
    #[error("its memory can't be limited")]
    Unlimited(#[source] io::Error),
}

impl Fault {
    /// Value of the metrics' label `reason`.
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::Ended => "ended",
            Self::TimedOut(_) => "timed_out",
            Self::Panicked(_) => "panicked",
            Self::InvalidAnswer(_) | Self::OutOfTurn => "invalid_answer",
            Self::Unlimited(_) => "unlimited",
        }
    }
}

impl From<AnswerError> for Fault {
    fn from(error: AnswerError) -> Self {
        match error {
            AnswerError::Closed | AnswerError::Read(_) => Self::Ended,
            other => Self::InvalidAnswer(other),
        }
    }
}

/// Exit status of a child and the beginning of its stderr.
#[derive(Debug)]
pub(super) struct Remains {
    pub(super) status: Option<ExitStatus>,
    pub(super) stderr: String,
}

/// A running child; killed on drop.
pub(super) struct ChildProcess {
    child: Child,
    /// Process id.
    pub(super) id: u32,
    input: ChildStdin,
    output: ChildStdout,
    stderr: JoinHandle<Vec<u8>>,
}

impl Launcher {
    /// Starts a child and waits until it is ready.
    pub(super) async fn start(&self) -> io::Result<(ChildProcess, Protection)> {
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .arg(CHILD_ARGUMENT)
            .env_clear()
            // A second arena of glibc's allocator would need files.
            .env("MALLOC_ARENA_MAX", "1")
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        #[cfg(windows)]
        if let Some(root) = std::env::var_os("SystemRoot") {
            command.env("SystemRoot", root);
        }
        let mut child = command.spawn()?;
        let missing = || io::Error::other("a pipe of the child process is missing");
        let mut process = ChildProcess {
            id: child.id().ok_or_else(missing)?,
            input: child.stdin.take().ok_or_else(missing)?,
            output: child.stdout.take().ok_or_else(missing)?,
            stderr: tokio::spawn(drain(child.stderr.take().ok_or_else(missing)?)),
            child,
        };
        let fault = match timeout(START_TIMEOUT, Answer::read(&mut process.output)).await {
            Ok(Ok(Answer::Ready(protection))) => match sandbox::limit_memory(process.id, 0) {
                Ok(()) => return Ok((process, protection)),
                Err(error) => Fault::Unlimited(error),
            },
            Ok(Ok(_)) => Fault::OutOfTurn,
            Ok(Err(error)) => error.into(),
            Err(_) => Fault::TimedOut(START_TIMEOUT),
        };
        let remains = process.end().await;
        Err(io::Error::other(describe(&fault, &remains)))
    }

    /// Inspects one photo. After an error the child is of no further use.
    pub(super) async fn inspect(
        &self,
        process: &mut ChildProcess,
        file: &[u8],
        limits: InspectionLimits,
    ) -> Result<Inspected, Fault> {
        let length = file.len() as u64;
        let request = Request { length, limits };
        sandbox::limit_memory(process.id, length).map_err(Fault::Unlimited)?;
        let parsed = async {
            process.write(request.encode().as_flattened()).await?;
            process.write(file).await?;
            process.answer().await
        };
        let patience = self.patience.with(length);
        let required = match within(patience, parsed).await? {
            Answer::Done(inspection) => return Ok(Inspected::new(*inspection, length)),
            Answer::Weight(bytes) => bytes,
            Answer::Panicked(message) => return Err(Fault::Panicked(message)),
            Answer::Ready(_) => return Err(Fault::OutOfTurn),
        };
        // Outside the time limit: this waits for other photos.
        let reserved = self.budget.reserve(required).await;
        let permit = if reserved.is_some() {
            // The bound is a bound of the decoders' buffers, without the allocator's loss.
            let limit = required.saturating_add(required / 4).saturating_add(length);
            sandbox::limit_memory(process.id, limit).map_err(Fault::Unlimited)?;
            Permit::Decode
        } else {
            Permit::ExceedsBudget {
                budget_bytes: self.budget.bytes,
            }
        };
        let decoded = async {
            process.write(permit.encode().as_flattened()).await?;
            process.answer().await
        };
        let memory = length.saturating_add(required.min(self.budget.bytes));
        match within(self.patience.with(memory), decoded).await? {
            Answer::Done(inspection) => Ok(Inspected::new(*inspection, memory)),
            Answer::Panicked(message) => Err(Fault::Panicked(message)),
            Answer::Weight(_) | Answer::Ready(_) => Err(Fault::OutOfTurn),
        }
    }
}

impl MemoryBudget {
    /// Waits until this many bytes are free; `None` if they exceed the whole budget.
    async fn reserve(&self, bytes: u64) -> Option<tokio::sync::OwnedSemaphorePermit> {
        if bytes > self.bytes {
            return None;
        }
        let permits = u32::try_from(bytes / PERMIT_BYTES).ok()?;
        Arc::clone(&self.permits).acquire_many_owned(permits).await.ok()
    }
}

/// A photo's result and the memory in bytes that it took at most, its file included.
pub(super) struct Inspected {
    pub(super) inspection: Inspection,
    pub(super) memory: u64,
}

impl Inspected {
    const fn new(inspection: Inspection, memory: u64) -> Self {
        Self { inspection, memory }
    }
}

impl ChildProcess {
    async fn write(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.input.write_all(bytes).await.map_err(|_| Fault::Ended)
    }

    async fn answer(&mut self) -> Result<Answer, Fault> {
        Ok(Answer::read(&mut self.output).await?)
    }

    /// Waits until the child ends or writes something, which it must not do between photos.
    pub(super) async fn fault_when_idle(&mut self) -> Fault {
        match self.output.read_u8().await {
            Ok(_) => Fault::OutOfTurn,
            Err(_) => Fault::Ended,
        }
    }

    /// Ends a child after a fault.
    pub(super) async fn end(self) -> Remains {
        // Its pipes are still open, so that it ends only of its fault.
        let Self {
            child,
            input,
            output,
            stderr,
            ..
        } = self;
        let remains = end_within(FAULT_GRACE, child, stderr).await;
        drop((input, output));
        remains
    }

    /// Ends a child that is idle and no longer needed.
    pub(super) async fn stop(self) {
        drop(self.input);
        end_within(STOP_GRACE, self.child, self.stderr).await;
    }
}

/// Waits for a child to end and kills it after `grace`.
async fn end_within(grace: Duration, mut child: Child, stderr: JoinHandle<Vec<u8>>) -> Remains {
    let status = match timeout(grace, child.wait()).await {
        Ok(status) => status.ok(),
        Err(_) => match child.start_kill() {
            Ok(()) => child.wait().await.ok(),
            Err(_) => None,
        },
    };
    let stderr = timeout(grace, stderr).await;
    let stderr = stderr.ok().and_then(Result::ok).unwrap_or_default();
    Remains {
        status,
        stderr: String::from_utf8_lossy(&stderr).trim().to_owned(),
    }
}

/// Reads stderr to its end and returns its beginning.
async fn drain(mut stderr: ChildStderr) -> Vec<u8> {
    let mut beginning = Vec::new();
    drop((&mut stderr).take(MAX_STDERR).read_to_end(&mut beginning).await);
    drop(tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await);
    beginning
}

async fn within<T>(limit: Duration, work: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    timeout(limit, work).await.unwrap_or(Err(Fault::TimedOut(limit)))
}

/// A fault and its traces in one line.
pub(super) fn describe(fault: &Fault, remains: &Remains) -> String {
    let mut text = format!("the child process of the inspection failed: {fault}");
    if let Some(source) = std::error::Error::source(fault) {
        text = format!("{text}: {source}");
    }
    if let Some(status) = remains.status {
        text = format!("{text} ({status})");
    }
    if !remains.stderr.is_empty() {
        text = format!("{text}; stderr: {:?}", remains.stderr);
    }
    text
}
