use std::{
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use anyhow::Context as _;
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    time::timeout,
};

use crate::command;

/// Time limit for a start or an exit; a debug build on a busy machine takes seconds.
const TIMEOUT: Duration = Duration::from_mins(2);

/// A program of the deployment, which prints a line of JSON once it is ready. It is killed on drop.
#[derive(Debug)]
pub struct Process {
    child: Child,
    announcement: Value,
    log: PathBuf,
}

impl Process {
    /// Starts a program with these arguments and no other configuration than `environment`, and waits until it is ready.
    ///
    /// # Errors
    /// With the log, if it ends before, or is not ready after two minutes.
    pub async fn start(
        binary: &Path,
        arguments: &[&str],
        environment: &[(String, String)],
        log: &Path,
    ) -> anyhow::Result<Self> {
        let stderr = std::fs::File::options().create(true).append(true).open(log)?;
        let mut child = Command::from(command(binary))
            .args(arguments)
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{} can't be started", binary.display()))?;
        let stdout = child.stdout.take().context("the process has no stdout")?;
        let mut lines = BufReader::new(stdout).lines();
        let line = timeout(TIMEOUT, lines.next_line()).await;
        let text = || std::fs::read_to_string(log).unwrap_or_default();
        let line = line
            .with_context(|| format!("{} is not ready in time:\n{}", binary.display(), text()))??
            .with_context(|| format!("{} ended before it was ready:\n{}", binary.display(), text()))?;
        Ok(Self {
            child,
            announcement: serde_json::from_str(&line)?,
            log: log.to_owned(),
        })
    }

    /// A value of the announcement, such as the URL `api`.
    ///
    /// # Errors
    /// If the program has announced no such text.
    pub fn announced(&self, name: &str) -> anyhow::Result<&str> {
        let value = self.announcement.get(name).and_then(Value::as_str);
        value.with_context(|| format!("{name} is not in {}", self.announcement))
    }

    /// Process id; `None` once it has exited.
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Log output so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Kills the process without warning (SIGKILL).
    ///
    /// # Errors
    /// If it can't be killed.
    pub async fn kill(mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }

    /// Sends SIGTERM and waits until the process exits.
    ///
    /// # Errors
    /// If it does not exit in time.
    pub async fn terminate(&mut self) -> anyhow::Result<ExitStatus> {
        let id = self.child.id().context("the process has already exited")?;
        let sent = Command::new("kill").arg(id.to_string()).status().await?;
        anyhow::ensure!(sent.success(), "SIGTERM can't be sent");
        Ok(timeout(TIMEOUT, self.child.wait())
            .await
            .context("the process does not exit")??)
    }
}
