use std::{
    net::{Ipv4Addr, SocketAddr},
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

/// Options of a server.
#[derive(Debug, Clone, Default)]
pub struct ServerOptions {
    /// Environment variables of the process, including configuration.
    pub environment: Vec<(String, String)>,
    /// Listen addresses of the API and the storage; default: free ports of 127.0.0.1.
    pub listen: Option<[SocketAddr; 2]>,
}

impl ServerOptions {
    /// Adds an environment variable.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// Sets the listen addresses of the API and the storage.
    #[must_use]
    pub fn listening_on(mut self, api: SocketAddr, storage: SocketAddr) -> Self {
        self.listen = Some([api, storage]);
        self
    }

    /// Makes the process abort at a failpoint.
    #[must_use]
    pub fn aborting_at(self, failpoint: &str) -> Self {
        self.with("FAILPOINTS", format!("{failpoint}=return"))
    }
}

/// Process `rapidphoto serve`, killed on drop.
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

/// The server exited before it was ready.
#[derive(Debug, thiserror::Error)]
#[error("the server exited before it was ready, with {status}:\n{log}")]
pub struct ExitedEarly {
    /// Exit status.
    pub status: ExitStatus,
    /// Log of this server and of earlier ones on the same data directory.
    pub log: String,
}

/// Command that runs a binary without the configuration and failpoints of the tests' own environment.
pub fn command(binary: &Path) -> std::process::Command {
    let mut command = std::process::Command::new(binary);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("RAPIDPHOTO_") || text == "FAILPOINTS" {
            command.env_remove(name);
        }
    }
    command
}

/// Time limit for a start or an exit; a debug build on a busy machine takes one or two seconds.
const PROCESS_TIMEOUT: Duration = Duration::from_mins(1);

impl Server {
    /// Starts a server on a data directory and waits until it is ready. Tests may then use any HTTP client: `ring` is its
    /// default provider of cryptography.
    ///
    /// # Errors
    /// [`ExitedEarly`] with the log if the process exits before it is ready; another error after a minute without output.
    pub async fn start(binary: &Path, data_dir: &Path, options: &ServerOptions) -> anyhow::Result<Self> {
        install_crypto_provider();
        let log = data_dir.with_extension("log");
        let stderr = std::fs::File::options().create(true).append(true).open(&log)?;
        let free_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let [api, storage] = options
            .listen
            .unwrap_or([free_port; 2])
            .map(|address| address.to_string());
        let mut child = Command::from(command(binary))
            .args(["serve", "--listen", &api, "--s3-listen", &storage, "--data-dir"])
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
        let line = timeout(PROCESS_TIMEOUT, lines.next_line())
            .await
            .context("the server is not ready after a minute")??;
        let Some(line) = line else {
            let status = timeout(PROCESS_TIMEOUT, child.wait())
                .await
                .context("the server closed stdout but does not exit")??;
            let log = std::fs::read_to_string(&log)?;
            return Err(ExitedEarly { status, log }.into());
        };
        let addresses = serde_json::from_str(&line)
            .with_context(|| format!("the server printed {line:?} instead of its addresses"))?;
        Ok(Self {
            child,
            addresses,
            log,
        })
    }

    /// Process id, until the process has exited.
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Base URL of the API.
    pub fn api(&self) -> &str {
        &self.addresses.api
    }

    /// Base URL of the storage.
    pub fn s3(&self) -> &str {
        &self.addresses.s3
    }

    /// New client of the API.
    ///
    /// # Errors
    /// If the server printed an invalid URL.
    pub fn client(&self) -> anyhow::Result<Client> {
        Ok(Client::new(self.api())?)
    }

    /// New client of the API that trusts the certificate authorities in `ca`, certificates in PEM.
    ///
    /// # Errors
    /// If the server printed an invalid URL, or `ca` can't be read.
    pub fn client_with_ca(&self, ca: &[u8]) -> anyhow::Result<Client> {
        Ok(Client::with_ca(self.api(), ca)?)
    }

    /// Resident memory of the process in bytes (Linux).
    ///
    /// # Errors
    /// If `/proc` does not show the process.
    pub fn resident_bytes(&self) -> anyhow::Result<u64> {
        let id = self.child.id().context("the server has already exited")?;
        let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib: u64 = line
            .and_then(|line| line.trim().strip_suffix(" kB"))
            .context("the kernel does not tell the resident memory")?
            .trim()
            .parse()?;
        Ok(kib * 1024)
    }

    /// Log output so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits until the process exits by itself.
    ///
    /// # Errors
    /// If it does not exit within a minute.
    pub async fn wait(&mut self) -> anyhow::Result<ExitStatus> {
        Ok(timeout(PROCESS_TIMEOUT, self.child.wait())
            .await
            .context("the server does not exit")??)
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
    /// If it does not exit within a minute.
    pub async fn terminate(&mut self) -> anyhow::Result<ExitStatus> {
        self.signal("TERM").await?;
        self.wait().await
    }

    /// Sends a signal, such as `TERM` or `HUP`.
    ///
    /// # Errors
    /// If it can't be sent.
    pub async fn signal(&self, name: &str) -> anyhow::Result<()> {
        let id = self.child.id().context("the server has already exited")?;
        let sent = Command::new("kill")
            .args([format!("-{name}"), id.to_string()])
            .status()
            .await?;
        anyhow::ensure!(sent.success(), "SIG{name} can't be sent");
        Ok(())
    }
}

/// Installs the TLS implementation that clients in this process use, if there is none yet.
pub fn install_crypto_provider() {
    // Fails if another test has installed it.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
