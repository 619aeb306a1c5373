//! `rapidphoto-api`: the HTTP API of RapidPhotoUpload on several machines, the migration of its database and its administration.

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};
use rapidphoto_runtime::{
    AccountCommand, ApiOptions, Config, InitStorage, Overrides, Program, exit_code, run_command,
};

/// Commands, queries and live events over HTTP, on PostgreSQL and an object store.
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
    /// Serve the API; the same without a command
    Serve(Serve),
    /// Bring the database to the schema of this program and exit
    Migrate,
    /// Ask the running process of this configuration if it is ready; exit code 0 if so
    Health,
    /// Maintain the deployment
    Admin {
        #[command(subcommand)]
        command: AdminCommand,
    },
}

#[derive(Args, Clone, Copy)]
struct Serve {
    /// Migrate the database first
    #[arg(long)]
    migrate: bool,
    /// Validate the configuration, print the resulting values as JSON and exit
    #[arg(long)]
    check_config: bool,
}

#[derive(Subcommand)]
enum AdminCommand {
    /// Check that every state row matches the events of its stream, and the indexes; changes nothing
    Verify,
    /// Make the log of a database readable that was restored from a dump; no program may use the database
    RebaseLog,
    /// Create the bucket, and set its CORS, lifecycle and notifications; a second run changes nothing
    InitStorage {
        /// Print what would change, and change nothing
        #[arg(long)]
        dry_run: bool,
        /// Receiver of notifications: the ARN of an SQS queue or SNS topic, or `eventbridge`
        #[arg(long, value_name = "ARN")]
        notify: Option<String>,
        /// Age in days at which originals move to infrequent access; at least 30
        #[arg(long, value_name = "DAYS")]
        infrequent_access_after: Option<i32>,
    },
    /// Manage accounts
    User {
        #[command(subcommand)]
        command: AccountCommand,
    },
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    run_command("rapidphoto-api", |runtime| runtime.block_on(execute(cli)))
}

async fn execute(cli: Cli) -> anyhow::Result<ExitCode> {
    let file = cli.config.as_deref();
    let load = || Config::load(file, &Overrides::default());
    match cli.command.unwrap_or(Command::Serve(cli.serve)) {
        Command::Serve(serve) if serve.check_config => {
            rapidphoto_runtime::check_config(Program::Api, file, &Overrides::default())?;
        }
        Command::Serve(Serve { migrate, .. }) => {
            Box::pin(rapidphoto_runtime::serve_api(
                load()?,
                ApiOptions { migrate },
                load,
            ))
            .await?;
        }
        Command::Migrate => rapidphoto_runtime::migrate(&load()?).await?,
        Command::Health => rapidphoto_runtime::check_health(&load()?)?,
        Command::Admin { command } => match command {
            AdminCommand::Verify => {
                return Ok(exit_code(rapidphoto_runtime::verify_cluster(&load()?).await?));
            }
            AdminCommand::RebaseLog => rapidphoto_runtime::rebase_log(&load()?).await?,
            AdminCommand::InitStorage {
                dry_run,
                notify,
                infrequent_access_after,
            } => {
                let options = InitStorage {
                    dry_run,
                    notify,
                    infrequent_access_after_days: infrequent_access_after,
                };
                rapidphoto_runtime::init_storage(&load()?, options).await?;
            }
            AdminCommand::User { command } => {
                rapidphoto_runtime::administer_cluster_users(&load()?, command.into()).await?;
            }
        },
    }
    Ok(ExitCode::SUCCESS)
}
