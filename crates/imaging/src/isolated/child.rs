//! The child process: reads photos from stdin and answers on stdout, until stdin is closed.

use std::{
    io::{self, Read, StdinLock, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    process::ExitCode,
    sync::mpsc,
};

use rapidphoto_application::ports::Inspection;

use super::{
    sandbox,
    wire::{Answer, Permit, Protection, Request},
};
use crate::{inspect::StagedInspection, pool::panic_message, scratch::Scratch};

/// First argument of a program that is started as a child process.
pub(super) const CHILD_ARGUMENT: &str = "inspection-child";

/// Capacity in bytes of the file buffer that is kept from photo to photo.
const MAX_KEPT_BUFFER: usize = 16 << 20;
/// Step of the file buffer's capacity in bytes, so that a slightly larger photo needs no new buffer.
const BUFFER_STEP: usize = 1 << 20;

/// Inspects photos for a [`ProcessPool`](crate::ProcessPool) if the process was started as its child; the program then
/// ends with the exit code. `None` in any other process.
///
/// Must be called before anything else in `main`: a child has a single thread, and no file, configuration or log.
pub fn run_inspection_child() -> Option<ExitCode> {
    if std::env::args_os().nth(1)? != CHILD_ARGUMENT {
        return None;
    }
    Some(match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            drop(writeln!(
                io::stderr(),
                "the child process of the inspection failed: {error}"
            ));
            ExitCode::FAILURE
        }
    })
}

fn serve() -> io::Result<()> {
    let mut protection = sandbox::restrict_process()?;
    let (started, watching) = mpsc::channel();
    sandbox::watch_parent(started)?;
    let scratch = Scratch::new().map_err(io::Error::other)?;
    // Both threads have run, so none needs the system calls of a start any more.
    scratch.decoding.install(|| ());
    watching.recv().map_err(io::Error::other)?;
    sandbox::restrict_threads(&mut protection);
    Child {
        input: io::stdin().lock(),
        file: Vec::new(),
        scratch,
    }
    .run(protection)
}

struct Child {
    input: StdinLock<'static>,
    /// Bytes of the current photo.
    file: Vec<u8>,
    scratch: Scratch,
}

impl Child {
    fn run(&mut self, protection: Protection) -> io::Result<()> {
        send(Answer::Ready(protection))?;
        while let Some(request) = self.next()? {
            let inspected = catch_unwind(AssertUnwindSafe(|| self.inspect(request)));
            match inspected {
                Ok(inspection) => send(Answer::Done(Box::new(inspection?)))?,
                Err(panic) => {
                    send(Answer::Panicked(panic_message(&*panic).to_owned()))?;
                    return Err(io::Error::other("the inspection panicked"));
                }
            }
            if self.file.capacity() > MAX_KEPT_BUFFER {
                self.file = Vec::new();
            }
        }
        Ok(())
    }

    /// Reads the next request and its file; `None` once the parent has closed the pipe.
    fn next(&mut self) -> io::Result<Option<Request>> {
        let mut frame = [[0; 8]; 3];
        match self.input.read_exact(frame.as_flattened_mut()) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            read => read?,
        }
        let request = Request::decode(frame);
        let length = usize::try_from(request.length).map_err(io::Error::other)?;
        self.file.clear();
        if self.file.capacity() < length {
            self.file = Vec::new();
            self.file.reserve_exact(length.next_multiple_of(BUFFER_STEP));
        }
        (&mut self.input)
            .take(request.length)
            .read_to_end(&mut self.file)?;
        Ok((self.file.len() == length).then_some(request))
    }

    fn inspect(&mut self, request: Request) -> io::Result<Inspection> {
        #[cfg(feature = "failpoints")]
        if let Some(inspection) = super::drill::perform(&self.file) {
            return Ok(inspection);
        }
        let mut staged = StagedInspection::parse(&self.file, request.limits);
        let Some(required) = staged.max_memory_bytes() else {
            return Ok(staged.finish(&mut self.scratch));
        };
        send(Answer::Weight(required))?;
        let mut frame = [[0; 8]];
        self.input.read_exact(frame.as_flattened_mut())?;
        if let Permit::ExceedsBudget { budget_bytes } = Permit::decode(frame) {
            staged.reject_for_memory(required, budget_bytes);
        }
        Ok(staged.finish(&mut self.scratch))
    }
}

fn send(answer: Answer) -> io::Result<()> {
    let mut output = io::stdout().lock();
    output.write_all(&answer.encode()?)?;
    output.flush()
}
