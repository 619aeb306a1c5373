//! Start and exit of a program.

use std::{process::ExitCode, time::Duration};

use tokio::runtime::{Builder, Runtime};

/// Runs the command of a program on a new asynchronous runtime. An error is printed with all its sources, after the
/// program's name.
#[expect(clippy::print_stderr, reason = "errors of a command line tool go to stderr")]
pub fn run_command(program: &str, command: impl FnOnce(&Runtime) -> anyhow::Result<ExitCode>) -> ExitCode {
    let ended = Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| {
            let ended = command(&runtime);
            // Blocking tasks that are still running do not delay the exit by more than a second.
            runtime.shutdown_timeout(Duration::from_secs(1));
            ended
        });
    ended.unwrap_or_else(|error| {
        eprintln!("{program}: {error:#}");
        ExitCode::FAILURE
    })
}

/// Exit code of a command that may have found problems.
pub fn exit_code(sound: bool) -> ExitCode {
    if sound {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
