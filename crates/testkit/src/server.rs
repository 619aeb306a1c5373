use std::{
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use anyhow::Context;
use rapidphoto_client::Client;
use serde::Deserialize;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};

/// How a server is started.
#[derive(Debug, Clone, Default)]
pub struct ServerOptions {
    /// Environment variables, configuration among them.
    pub environment: Vec<(String, String)>,
}

impl ServerOptions {
    /// The same with one more environment variable.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// The same with a process that dies at a step.
    #[must_use]
    pub fn dying_at(self, failpoint: &str) -> Self {
        self.with("FAILPOINTS", format!("{failpoint}=return"))
    }
}

/// A `rapidphoto serve` of its own. It is killed, by its process id, when this is dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    addresses: Addresses,
    log: PathBuf,
}

#[derive(Debug, Deserialize)]
struct Addresses {
    api: String,
    s3: String,
}

/// A server ended before it was ready.
#[derive(Debug, thiserror::Error)]
#[error("the server ended before it was ready, with {status}:\n{log}")]
pub struct EndedEarly {
    /// How it ended.
    pub status: ExitStatus,
    /// What it and those before it on the same data directory logged.
    pub log: String,
}

/// A run of a binary that gets no configuration from the shell in which the tests are run.
pub fn command(binary: &Path) -> std::process::Command {
    let mut command = std::process::Command::new(binary);
    for (name, _) in std::env::vars_os() {
        let name_shown = name.to_string_lossy();
        if name_shown.starts_with("RAPIDPHOTO_") || name_shown == "FAILPOINTS" {
            command.env_remove(name);
        }
    }
    command
}

/// A generous guard: a debug build on a busy machine takes a second or two.
const PATIENCE: Duration = Duration::from_mins(1);

impl Server {
    /// Starts a server on a data directory and waits until it is ready.
    ///
    /// # Errors
    /// [`EndedEarly`] when it ends before that, with what it logged; or it says nothing.
    pub async fn start(binary: &Path, data_dir: &Path, options: &ServerOptions) -> anyhow::Result<Self> {
        let log = data_dir.with_extension("log");
        let stderr = std::fs::File::options().create(true).append(true).open(&log)?;
        let mut child = Command::from(command(binary))
            .args([
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--s3-listen",
                "127.0.0.1:0",
                "--data-dir",
            ])
            .arg(data_dir)
            .envs(options.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{} can't be started", binary.display()))?;
        let stdout = child.stdout.take().context("the server has no stdout")?;
        let mut lines = BufReader::new(stdout).lines();
        let line = timeout(PATIENCE, lines.next_line())
            .await
            .context("the server is not ready")??;
        let Some(line) = line else {
            let status = timeout(PATIENCE, child.wait())
                .await
                .context("the server says nothing")??;
            let log = std::fs::read_to_string(&log)?;
            return Err(EndedEarly { status, log }.into());
        };
        let addresses = serde_json::from_str(&line).with_context(|| format!("the server said {line:?}"))?;
        Ok(Self {
            child,
            addresses,
            log,
        })
    }

    /// Where the API is.
    pub fn api(&self) -> &str {
        &self.addresses.api
    }

    /// Where the storage is.
    pub fn s3(&self) -> &str {
        &self.addresses.s3
    }

    /// A client of its API.
    ///
    /// # Errors
    /// When the server's address is none.
    pub fn client(&self) -> anyhow::Result<Client> {
        Ok(Client::new(self.api())?)
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits until it ends by itself.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ended(&mut self) -> anyhow::Result<ExitStatus> {
        Ok(timeout(PATIENCE, self.child.wait())
            .await
            .context("the server does not end")??)
    }

    /// Kills it, as a power cut would.
    ///
    /// # Errors
    /// When it can't be killed.
    pub async fn kill(mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }

    /// Sends SIGTERM and waits for its end.
    ///
    /// # Errors
    /// When it does not end.
    pub async fn terminate(&mut self) -> anyhow::Result<ExitStatus> {
        let id = self.child.id().context("the server has ended already")?;
        let sent = Command::new("kill")
            .args(["-TERM", &id.to_string()])
            .status()
            .await?;
        anyhow::ensure!(sent.success(), "SIGTERM can't be sent");
        self.ended().await
    }
}
