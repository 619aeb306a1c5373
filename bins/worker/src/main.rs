//! `rapidphoto-worker`: takes storage events, processes photos and reacts to events of RapidPhotoUpload on several machines.

use std::{path::PathBuf, process::ExitCode, time::Duration};

use clap::{Args, Parser, Subcommand};
use rapidphoto_runtime::{Config, Overrides, Program};

/// Processing of photos, on PostgreSQL, an object store and a queue of storage events.
#[derive(Parser)]
#[command(version, propagate_version = true)]
struct Cli {
    /// Configuration file (TOML).
    #[arg(long, global = true, env = "RAPIDPHOTO_CONFIG")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: Serve,
}

#[derive(Subcommand)]
enum Command {
    /// Work; the same without a command
    Serve(Serve),
    /// Ask the running process of this configuration if it is ready; exit code 0 if so
    Health,
}

#[derive(Args, Clone, Copy)]
struct Serve {
    /// Validate the configuration, print the resulting values as JSON and exit
    #[arg(long)]
    check_config: bool,
}

fn main() -> ExitCode {
    // First of all: a child process has no configuration, no runtime and no arguments of a command.
    if let Some(code) = rapidphoto_runtime::run_inspection_child() {
        return code;
    }
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprint_chain(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ended = runtime.block_on(execute(cli));
    // Blocking tasks that are still running do not delay the exit by more than a second.
    runtime.shutdown_timeout(Duration::from_secs(1));
    ended
}

async fn execute(cli: Cli) -> anyhow::Result<()> {
    let file = cli.config.as_deref();
    let load = || Config::load(file, &Overrides::default());
    match cli.command.unwrap_or(Command::Serve(cli.serve)) {
        Command::Serve(serve) if serve.check_config => {
            rapidphoto_runtime::check_config(Program::Worker, file, &Overrides::default())
        }
        Command::Serve(_) => rapidphoto_runtime::serve_worker(load()?, load).await,
        Command::Health => rapidphoto_runtime::check_health(&load()?),
    }
}

/// Prints an error with all its sources.
#[expect(clippy::print_stderr, reason = "errors of a command line tool go to stderr")]
fn eprint_chain(error: &anyhow::Error) {
    eprintln!("rapidphoto-worker: {error:#}");
}
