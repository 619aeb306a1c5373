//! Demo: registers a user and uploads photos through the real API and the real storage, of a server that it starts or of one that
//! runs already.

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
use rapidphoto_application::ports::Ids as _;
use rapidphoto_client::{Client, Session};

use self::photos::DemoPhoto;
use crate::{
    Config, Running, SystemClock, SystemIds,
    serve::{flush, telemetry},
    start, terminated,
};

/// Options of the demo.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DemoOptions {
    /// Folder of photos, with its subfolders; without it, 20 sample photos are generated.
    pub photos: Option<PathBuf>,
    /// Base URL of the API of a running server to use instead of starting one.
    pub server: Option<String>,
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
/// without it, the server runs until SIGTERM or SIGINT. With [`DemoOptions::server`], the demo is a client only, and ends with
/// the table.
pub async fn run(mut config: Config, options: DemoOptions) -> anyhow::Result<()> {
    let quiet = config.log.filter == DEMO_LOG_FILTER;
    let telemetry = telemetry("rapidphoto", &config)?;
    // The first poll installs the handlers: from now on, no signal leaves the directory behind.
    let mut terminated = std::pin::pin!(terminated());
    let interrupted = futures::poll!(&mut terminated).is_ready();
    ensure!(!interrupted, "interrupted");
    if let Some(server) = &options.server {
        let ended = tokio::select! {
            ended = use_server(server, &options, &config) => ended,
            () = &mut terminated => Err(anyhow!("interrupted")),
        };
        flush(telemetry).await;
        return ended;
    }
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
    let ca = authorities(&options)?;
    let data = config.data.dir.clone();
    let metrics = telemetry.metrics();
    let running = start(config, Arc::new(move || metrics.render())).await?;
    // The server is always drained before the directory is deleted.
    let ended = tokio::select! {
        results = upload_photos(&running, &photos, &ca) => results.and_then(|results| results.check(options.exit)),
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

/// Uploads photos to a server that runs already, as a new user.
async fn use_server(url: &str, options: &DemoOptions, config: &Config) -> anyhow::Result<()> {
    let client = Client::with_ca(url, &authorities(options)?)?;
    let photos = find_photos(options, config).await?;
    let ids = SystemIds::new(Arc::new(SystemClock));
    let account = Account {
        // Another one each time: the last one's password is known to nobody.
        email: format!("demo-{:032x}@example.org", ids.ulid()),
        password: hex::encode(ids.secret()),
    };
    let results = upload_as(&client, account, &photos, config.uploads.max_files).await?;
    results.check(true).map(drop)
}

/// Certificates of the authorities that the client trusts, in PEM.
fn authorities(options: &DemoOptions) -> anyhow::Result<Vec<u8>> {
    match &options.ca {
        Some(file) => std::fs::read(file).with_context(|| format!("{} (--ca) can't be read", file.display())),
        None => Ok(Vec::new()),
    }
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

/// User of the demo.
struct Account {
    email: String,
    password: String,
}

/// Result of all uploads.
struct Results {
    completed: usize,
    total: usize,
    account: Account,
}

impl Results {
    /// Fails if the demo ends now and a photo did not complete.
    fn check(self, ends: bool) -> anyhow::Result<Self> {
        if ends && self.completed < self.total {
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
            "\nThe server is still running. API documentation: {}/docs. User: {}, password: {}.\n\
             Data directory: {}. Ctrl-C stops the server and deletes it.",
            running.api_url(),
            self.account.email,
            self.account.password,
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
    let account = Account {
        email: EMAIL.to_owned(),
        password: running.new_secret(),
    };
    upload_as(&client, account, photos, running.max_files_per_job()).await
}

/// Registers the user, uploads photos and prints the results.
async fn upload_as(
    client: &Client,
    account: Account,
    photos: &[DemoPhoto],
    max_files_per_job: usize,
) -> anyhow::Result<Results> {
    client
        .register(&account.email, &account.password)
        .await
        .context("the demo user can't be registered")?;
    let session: Session = client.log_in(&account.email, &account.password).await?;

    let start = Instant::now();
    let mut results = Vec::with_capacity(photos.len());
    // A large folder is split into several jobs.
    for batch in photos.chunks(max_files_per_job) {
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
        account,
    })
}

/// Prints a line on stdout.
fn print_line(line: &str) -> std::io::Result<()> {
    writeln!(std::io::stdout().lock(), "{line}")
}
