//! `rapidphoto`: server, demo, administration and client of RapidPhotoUpload.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, CommandFactory as _, Parser, Subcommand};
use rapidphoto_cli::Shell;
use rapidphoto_runtime::{
    Config, DEMO_LOG_FILTER, DemoOptions, Overrides, Program, RemoteCommand, exit_code, run_command,
};
use tokio::runtime::Runtime;

mod remote;
mod user;

use remote::{DeadLetters, Remote};
use user::User;

/// Uploads of many photos at once: presigned URLs, live status, thumbnails.
#[derive(Parser)]
#[command(version, propagate_version = true)]
struct Cli {
    /// Configuration file (TOML).
    #[arg(long, global = true, env = "RAPIDPHOTO_CONFIG")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the API, the workers and the embedded storage.
    Serve(Serve),
    /// Start a server on a temporary data directory, or use a running one, upload photos and print the results.
    Demo(Demo),
    /// Maintain a data directory.
    Admin(Admin),
    #[command(flatten)]
    Client(rapidphoto_cli::Command),
    /// Print the completions of this program for a shell
    #[command(
        after_help = "Example:\n  rapidphoto completions bash > ~/.local/share/bash-completion/completions/rapidphoto"
    )]
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the credentials of the embedded storage as `AWS_…` variables, for any S3 client
    #[command(after_help = S3_CREDENTIALS_EXAMPLES)]
    S3Credentials {
        #[command(flatten)]
        data: DataDir,
    },
    /// Run the embedded storage as a process of its own, for the API and workers of several machines.
    #[cfg(feature = "store")]
    Store(Store),
}

const S3_CREDENTIALS_EXAMPLES: &str = "\
Examples:
  env $(rapidphoto s3-credentials --data-dir data) aws s3 ls s3://photos --recursive
  set -a; source <(rapidphoto s3-credentials --data-dir data); set +a";

/// Options of the storage as a process of its own.
#[cfg(feature = "store")]
#[derive(Args)]
struct Store {
    /// Validate the configuration, print the resulting values as JSON and exit
    #[arg(long)]
    check_config: bool,
    /// Ask the running process of this configuration if it is ready; exit code 0 if so
    #[arg(long)]
    health: bool,
}

#[cfg(feature = "store")]
impl Store {
    fn execute(&self, runtime: &Runtime, file: Option<&Path>) -> anyhow::Result<()> {
        let load = || Config::load(file, &Overrides::default());
        if self.check_config {
            rapidphoto_runtime::check_config(Program::Store, file, &Overrides::default())
        } else if self.health {
            rapidphoto_runtime::check_health(&load()?)
        } else {
            runtime.block_on(rapidphoto_runtime::serve_store(load()?, load))
        }
    }
}

#[derive(Args)]
struct Serve {
    /// Listen address of the API; port 0 selects a free port [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// Listen address of the storage; port 0 selects a free port [default: 127.0.0.1:9000]
    #[arg(long, value_name = "ADDR")]
    s3_listen: Option<String>,
    /// Base URL of the API for clients, if it differs from the listen address
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Base URL of the storage for clients, if it differs from the listen address
    #[arg(long, value_name = "URL")]
    s3_public_url: Option<String>,
    /// Directory of the database, the objects and the secrets [default: data]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Origin whose pages may use the API and the storage (CORS), such as <https://app.example.org>; may be repeated
    #[arg(long, value_name = "URL")]
    allow_origin: Vec<String>,
    /// Listen in plain text beyond this machine, without TLS and without a proxy that terminates it
    #[arg(long)]
    insecure: bool,
    /// Validate the configuration, print the resulting values as JSON and exit
    #[arg(long)]
    check_config: bool,
}

#[derive(Args)]
struct Demo {
    /// Folder of photos to upload, with its subfolders; without it, 20 sample photos are generated
    #[arg(long, value_name = "DIR")]
    photos: Option<PathBuf>,
    /// Base URL of the API of a running server, which must accept registrations, such as <http://127.0.0.1:8080>: the demo starts
    /// none, and exits after the result table
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// Certificates of authorities (PEM) that the demo's client trusts, if `server.tls` is of a private authority
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Exit after the result table; exit code 0 only if all photos were completed
    #[arg(long)]
    exit: bool,
}

#[derive(Args)]
struct Admin {
    #[command(subcommand)]
    command: AdminCommand,
}

#[derive(Subcommand)]
enum AdminCommand {
    /// Check that every state row matches the events of its stream, and the index of tags; changes no file
    Verify {
        #[command(flatten)]
        data: DataDir,
    },
    /// Write a complete, consistent backup to a new or empty directory; a server may be running
    Backup {
        /// Directory of the backup, new or empty
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
        #[command(flatten)]
        data: DataDir,
    },
    /// Restore a backup into a new or empty data directory, and verify it
    Restore {
        /// Directory of the backup
        #[arg(long, value_name = "DIR")]
        from: PathBuf,
        #[command(flatten)]
        data: DataDir,
    },
    /// Replace the key that signs access tokens; no server may be running
    RotateKeys {
        /// Replace all keys, and end all access tokens and upload URLs at once
        #[arg(long)]
        compromised: bool,
        #[command(flatten)]
        data: DataDir,
    },
    /// Manage accounts, whether a server runs on the data directory or not
    User(User),
    /// List the storage notifications that could not be handled, or have them handled again
    #[command(subcommand)]
    DeadLetters(DeadLetters),
    /// Print the subscriptions to the event log: name, position, end of the lease, lag, time of the first event behind, reason if
    /// it is parked, process that runs it
    Subscriptions {
        #[command(flatten)]
        server: Remote,
    },
}

#[derive(Args)]
struct DataDir {
    /// Directory of the database, the objects and the secrets [default: data]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

impl DataDir {
    fn config(self, file: Option<&Path>) -> anyhow::Result<Config> {
        let overrides = Overrides {
            data_dir: self.data_dir,
            // These commands don't listen.
            insecure: true,
            ..Overrides::default()
        };
        Ok(Config::load(file, &overrides)?)
    }
}

impl Serve {
    fn overrides(&self) -> Overrides {
        Overrides {
            listen: self.listen.clone(),
            s3_listen: self.s3_listen.clone(),
            public_url: self.public_url.clone(),
            s3_public_url: self.s3_public_url.clone(),
            data_dir: self.data_dir.clone(),
            allow_origins: self.allow_origin.clone(),
            insecure: self.insecure,
            ..Overrides::default()
        }
    }
}

fn main() -> ExitCode {
    // First of all: a child process has no configuration, no runtime and no arguments of a command.
    if let Some(code) = rapidphoto_runtime::run_inspection_child() {
        return code;
    }
    let cli = Cli::parse();
    run_command("rapidphoto", |runtime| execute(runtime, cli))
}

fn execute(runtime: &Runtime, cli: Cli) -> anyhow::Result<ExitCode> {
    let file = cli.config.as_deref();
    match cli.command {
        Command::Serve(serve) if serve.check_config => {
            rapidphoto_runtime::check_config(Program::Standalone, file, &serve.overrides())?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Serve(serve) => {
            let load = || Config::load(file, &serve.overrides());
            runtime.block_on(rapidphoto_runtime::serve(load()?, load))?;
            Ok(ExitCode::SUCCESS)
        }
        #[cfg(feature = "store")]
        Command::Store(store) => {
            store.execute(runtime, file)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Demo(demo) => {
            let overrides = Overrides {
                listen: Some("127.0.0.1:0".to_owned()),
                s3_listen: Some("127.0.0.1:0".to_owned()),
                default_log_filter: Some(DEMO_LOG_FILTER),
                ..Overrides::default()
            };
            let config = Config::load(file, &overrides)?;
            let options = DemoOptions {
                photos: demo.photos,
                server: demo.server,
                ca: demo.ca,
                exit: demo.exit,
            };
            runtime.block_on(rapidphoto_runtime::demo(config, options))?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Admin(admin) => {
            let sound = runtime.block_on(administer(file, admin.command))?;
            Ok(exit_code(sound))
        }
        Command::Client(command) => {
            let complete = runtime.block_on(rapidphoto_cli::run(command))?;
            Ok(exit_code(complete))
        }
        Command::Completions { shell } => {
            rapidphoto_cli::print_completions(shell, &mut Cli::command())?;
            Ok(ExitCode::SUCCESS)
        }
        Command::S3Credentials { data } => {
            rapidphoto_runtime::print_s3_credentials(&data.config(file)?)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Returns false if the command ended, but found problems.
async fn administer(file: Option<&Path>, command: AdminCommand) -> anyhow::Result<bool> {
    match command {
        AdminCommand::Verify { data } => rapidphoto_runtime::verify(data.config(file)?).await,
        AdminCommand::Backup { to, data } => rapidphoto_runtime::backup(data.config(file)?, &to).await,
        AdminCommand::Restore { from, data } => rapidphoto_runtime::restore(data.config(file)?, &from).await,
        AdminCommand::User(User { data_dir, command }) => {
            let config = DataDir { data_dir }.config(file)?;
            rapidphoto_runtime::administer_users(config, command.into()).await?;
            Ok(true)
        }
        AdminCommand::DeadLetters(command) => {
            let (server, command) = command.split();
            rapidphoto_runtime::administer_remotely(server, command).await?;
            Ok(true)
        }
        AdminCommand::Subscriptions { server } => {
            rapidphoto_runtime::administer_remotely(server.into(), RemoteCommand::ListSubscriptions).await?;
            Ok(true)
        }
        AdminCommand::RotateKeys { compromised, data } => {
            rapidphoto_runtime::rotate_keys(data.config(file)?, compromised).await?;
            Ok(true)
        }
    }
}
