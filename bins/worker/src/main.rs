//! `rapidphoto-worker`: takes storage events, processes photos and reacts to events of RapidPhotoUpload on several machines.

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};
use rapidphoto_runtime::{Config, Overrides, Program, run_command};

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
    let cli = Cli::parse();
    run_command("rapidphoto-worker", |runtime| {
        runtime.block_on(execute(cli))?;
        Ok(ExitCode::SUCCESS)
    })
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
