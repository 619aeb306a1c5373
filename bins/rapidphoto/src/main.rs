//! `rapidphoto`: the whole of RapidPhotoUpload in one binary.

use std::{path::PathBuf, process::ExitCode, time::Duration};

use clap::{Args, Parser, Subcommand};
use rapidphoto_runtime::{Config, DemoOptions, Overrides};
use tokio::runtime::Runtime;

/// Takes photos from many clients at once: presigned uploads, live status, thumbnails.
#[derive(Parser)]
#[command(version, propagate_version = true)]
struct Cli {
    /// A TOML file with the configuration.
    #[arg(long, global = true, env = "RAPIDPHOTO_CONFIG")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API, the worker and the storage on this machine.
    Serve(Serve),
    /// Show everything in one go on a fresh data directory.
    Demo(Demo),
    /// Look after a data directory.
    Admin(Admin),
}

#[derive(Args)]
struct Serve {
    /// Where the API listens; port 0 takes a free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// Where the storage listens; port 0 takes a free one [default: 127.0.0.1:9000]
    #[arg(long, value_name = "ADDR")]
    s3_listen: Option<String>,
    /// How clients reach the API, where that is not where it listens
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// How clients reach the storage, where that is not where it listens
    #[arg(long, value_name = "URL")]
    s3_public_url: Option<String>,
    /// Where the record, the objects and the secrets are kept [default: data]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Read and judge the configuration, show what it comes to, and end
    #[arg(long)]
    check_config: bool,
}

#[derive(Args)]
struct Demo {
    /// A folder of photos; without it, twenty are made up
    #[arg(long, value_name = "DIR")]
    photos: Option<PathBuf>,
    /// End after the table: with success only if all photos completed
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
    /// Check that every state row equals the fold of its stream's events
    Verify {
        /// Where the record is kept [default: data]
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
        }
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(code) => code,
        Err(error) => {
            // Errors name what they are about and leave their sources to the chain.
            eprint_chain(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let code = obey(&runtime, cli);
    // What still blocks a thread keeps nobody.
    runtime.shutdown_timeout(Duration::from_secs(1));
    code
}

fn obey(runtime: &Runtime, cli: Cli) -> anyhow::Result<ExitCode> {
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

#[expect(clippy::print_stderr, reason = "this is the program's own last word")]
fn eprint_chain(error: &anyhow::Error) {
    eprintln!("rapidphoto: {error:#}");
}
