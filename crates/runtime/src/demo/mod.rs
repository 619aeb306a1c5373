//! Demo: starts a server, registers a user and uploads photos through the real API and the real storage.

mod photos;
mod progress_bars;
mod table;
mod upload;

use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use anyhow::{Context, anyhow, bail, ensure};
use rapidphoto_client::{Client, Session};

use self::photos::DemoPhoto;
use crate::{
    Config, Running,
    serve::{flush, telemetry},
    start, terminated,
};

/// Options of the demo.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DemoOptions {
    /// Folder of photos, with its subfolders; without it, 20 sample photos are generated.
    pub photos: Option<PathBuf>,
    /// PEM file of further certificate authorities that the client trusts.
    pub ca: Option<PathBuf>,
    /// True to exit after the result table instead of continuing to serve.
    pub exit: bool,
}

/// Log filter of the demo, unless one is configured: keeps the terminal free for the progress bars; warnings and errors are
/// still logged. `outcomes` tells it from a configured `warn`.
pub const DEMO_LOG_FILTER: &str = "warn,outcomes=warn";
/// Log filter in its place after the table of results: one line for each photo that ends.
const FILTER_AFTER_UPLOADS: &str = "warn,outcomes=info";

const EMAIL: &str = "demo@example.org";
const SAMPLE_PHOTOS: usize = 20;

/// Runs the demo on a temporary data directory. With [`DemoOptions::exit`], a photo that does not complete is an error;
/// without it, the server runs until SIGTERM or SIGINT.
pub async fn run(mut config: Config, options: DemoOptions) -> anyhow::Result<()> {
    let quiet = config.log.filter == DEMO_LOG_FILTER;
    let telemetry = telemetry(&config)?;
    // The first poll installs the handlers: from now on, no signal leaves the directory behind.
    let mut terminated = std::pin::pin!(terminated());
    let interrupted = futures::poll!(&mut terminated).is_ready();
    ensure!(!interrupted, "interrupted");
    let dir = tempfile::Builder::new()
        .prefix("rapidphoto-demo-")
        .tempdir()
        .context("a temporary directory for the demo's data can't be created")?;
    config.data.dir = dir.path().join("data");
    config.limits.jobs_per_minute = u32::MAX;
    let photos = tokio::select! {
        photos = find_photos(&options, &config) => photos?,
        () = &mut terminated => bail!("interrupted"),
    };
    let ca = match &options.ca {
        Some(file) => {
            std::fs::read(file).with_context(|| format!("{} (--ca) can't be read", file.display()))?
        }
        None => Vec::new(),
    };
    let data = config.data.dir.clone();
    let metrics = telemetry.metrics();
    let running = start(config, Arc::new(move || metrics.render())).await?;
    // The server is always drained before the directory is deleted.
    let ended = tokio::select! {
        results = upload_photos(&running, &photos, &ca) => results.and_then(|results| results.check(&options)),
        () = &mut terminated => Err(anyhow!("interrupted")),
    };
    let ended = match ended {
        Ok(results) if !options.exit => {
            if quiet {
                telemetry.set_filter(FILTER_AFTER_UPLOADS)?;
            }
            print_line(&results.instructions(&running, &data))?;
            terminated.await;
            Ok(())
        }
        other => other.map(drop),
    };
    running.stop().await;
    flush(telemetry).await;
    ended
}

/// Maximum number of skipped files that are listed.
const MAX_SKIPPED: usize = 20;

/// Photos of the folder, or generated ones.
async fn find_photos(options: &DemoOptions, config: &Config) -> anyhow::Result<Vec<DemoPhoto>> {
    let Some(folder) = options.photos.clone() else {
        print_line(&format!("Generating {SAMPLE_PHOTOS} photos of 2 to 6 MB …"))?;
        return photos::generate(SAMPLE_PHOTOS).await;
    };
    let max_bytes = config.uploads.max_file_bytes;
    let finding = tokio::task::spawn_blocking(move || photos::from_folder(&folder, max_bytes));
    let found = finding.await??;
    for skipped in found.skipped.iter().take(MAX_SKIPPED) {
        print_line(&format!("skipped: {skipped}"))?;
    }
    if let Some(more @ 1..) = found.skipped.len().checked_sub(MAX_SKIPPED) {
        print_line(&format!("skipped: {more} more"))?;
    }
    Ok(found.photos)
}

/// Result of all uploads.
struct Results {
    completed: usize,
    total: usize,
    password: String,
}

impl Results {
    /// Fails if the demo must exit and a photo did not complete.
    fn check(self, options: &DemoOptions) -> anyhow::Result<Self> {
        if options.exit && self.completed < self.total {
            bail!(
                "{} of {} photos did not complete",
                self.total - self.completed,
                self.total
            );
        }
        Ok(self)
    }

    /// Text for the user while the server continues to run.
    fn instructions(&self, running: &Running, dir: &Path) -> String {
        format!(
            "\nThe server is still running. API documentation: {}/docs. User: {EMAIL}, password: {}.\n\
             Data directory: {}. Ctrl-C stops the server and deletes it.",
            running.api_url(),
            self.password,
            dir.display(),
        )
    }
}

async fn upload_photos(running: &Running, photos: &[DemoPhoto], ca: &[u8]) -> anyhow::Result<Results> {
    print_line(&format!(
        "API      {}\nStorage  {}\n",
        running.api_url(),
        running.s3_url()
    ))?;
    let client = Client::with_ca(running.local_api_url(), ca)?;
    let password = running.new_secret();
    client
        .register(EMAIL, &password)
        .await
        .context("the demo user can't be registered")?;
    let session: Session = client.log_in(EMAIL, &password).await?;

    let start = Instant::now();
    let mut results = Vec::with_capacity(photos.len());
    // A large folder is split into several jobs.
    for batch in photos.chunks(running.max_files_per_job()) {
        results.extend(upload::run_job(&session, batch).await?);
    }
    let took = start.elapsed();
    let bytes: u64 = photos.iter().map(DemoPhoto::bytes).sum();
    print_line(&table::render(&results))?;
    let completed = results.iter().filter(|result| result.is_completed()).count();
    print_line(&table::summary(completed, results.len(), bytes, took))?;
    if results.is_empty() {
        bail!("there are no photos to upload");
    }
    Ok(Results {
        completed,
        total: results.len(),
        password,
    })
}

/// Prints a line on stdout.
fn print_line(line: &str) -> std::io::Result<()> {
    writeln!(std::io::stdout().lock(), "{line}")
}
