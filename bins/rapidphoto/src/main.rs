//! `rapidphoto`: server, demo and administration of RapidPhotoUpload.

use std::{path::PathBuf, process::ExitCode, time::Duration};

use clap::{Args, Parser, Subcommand};
use rapidphoto_runtime::{Config, DemoOptions, Overrides};
use tokio::runtime::Runtime;

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
    /// Start a server on a temporary data directory, upload photos and print the results.
    Demo(Demo),
    /// Maintain a data directory.
    Admin(Admin),
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
    /// Listen in plain text beyond this machine, without TLS and without a proxy that terminates it
    #[arg(long)]
    insecure: bool,
    /// Validate the configuration, print the resulting values as JSON and exit
    #[arg(long)]
    check_config: bool,
}

#[derive(Args)]
struct Demo {
    /// Folder of photos to upload; without it, 20 sample photos are generated
    #[arg(long, value_name = "DIR")]
    photos: Option<PathBuf>,
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
    /// Check that every state row matches the events of its stream
    Verify {
        /// Directory of the database [default: data]
        #[arg(long, value_name = "DIR")]
        data_dir: Option<PathBuf>,
    },
}

impl Serve {
    fn overrides(&self) -> Overrides {
        Overrides {
            listen: self.listen.clone(),
            s3_listen: self.s3_listen.clone(),
            public_url: self.public_url.clone(),
            s3_public_url: self.s3_public_url.clone(),
            data_dir: self.data_dir.clone(),
            insecure: self.insecure,
        }
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(code) => code,
        Err(error) => {
            eprint_chain(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let code = execute(&runtime, cli);
    // Blocking tasks that are still running do not delay the exit by more than a second.
    runtime.shutdown_timeout(Duration::from_secs(1));
    code
}

fn execute(runtime: &Runtime, cli: Cli) -> anyhow::Result<ExitCode> {
    let file = cli.config.as_deref();
    match cli.command {
        Command::Serve(serve) if serve.check_config => {
            rapidphoto_runtime::check_config(file, &serve.overrides())?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Serve(serve) => {
            let config = Config::load(file, &serve.overrides())?;
            runtime.block_on(rapidphoto_runtime::serve(config))?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Demo(demo) => {
            let overrides = Overrides {
                listen: Some("127.0.0.1:0".to_owned()),
                s3_listen: Some("127.0.0.1:0".to_owned()),
                ..Overrides::default()
            };
            let config = Config::load(file, &overrides)?;
            let options = DemoOptions {
                photos: demo.photos,
                ca: demo.ca,
                exit: demo.exit,
            };
            runtime.block_on(rapidphoto_runtime::demo(config, options))?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Admin(Admin {
            command: AdminCommand::Verify { data_dir },
        }) => {
            let config = Config::load(
                file,
                &Overrides {
                    data_dir,
                    ..Overrides::default()
                },
            )?;
            let clean = runtime.block_on(rapidphoto_runtime::verify(config))?;
            Ok(if clean {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            })
        }
    }
}

/// Prints an error with all its sources.
#[expect(clippy::print_stderr, reason = "errors of a command line tool go to stderr")]
fn eprint_chain(error: &anyhow::Error) {
    eprintln!("rapidphoto: {error:#}");
}
