//! Command line of a client: uploads, lists and downloads of a user's photos over the HTTP API.
//!
//! Results are printed on standard output: tables and lines for people, or with `--json` one JSON object a line for programs.
//! Progress and errors are printed on standard error.

mod arguments;
mod completions;
mod download;
mod jobs;
mod login;
mod output;
mod photos;
mod state;
mod table;
mod upload;
mod watch;

use std::io;

pub use arguments::Command;
pub use completions::{Shell, print_completions};
use rapidphoto_client::ClientError;

/// Runs a command. Returns false if it ended, but some photos did not complete.
pub async fn run(command: Command) -> anyhow::Result<bool> {
    let result = match command {
        Command::Login(options) => login::log_in(options).await.map(|()| true),
        Command::Logout => login::log_out().await.map(|()| true),
        Command::Upload(options) => upload::run(options).await,
        Command::Jobs(options) => jobs::run(options).await.map(|()| true),
        Command::Photos(options) => photos::run(options).await.map(|()| true),
        Command::Download(options) => download::run(options).await,
        Command::Watch(options) => watch::run(options).await,
    };
    match result {
        Err(error) if is_closed_pipe(&error) => Ok(true),
        Err(error) if is_login_ended(&error) => {
            Err(error.context("the login has ended; log in again with `rapidphoto login`"))
        }
        other => other,
    }
}

/// True if the reader of standard output, such as `head`, has read enough.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let cause = error.downcast_ref::<io::Error>();
    cause.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

fn is_login_ended(error: &anyhow::Error) -> bool {
    let mut causes = error.chain().filter_map(|cause| cause.downcast_ref());
    causes.any(|cause| matches!(cause, ClientError::Problem(problem) if problem.code == "invalid_token"))
}
