//! The demonstration: a server, a user and some photos, all in one go, through the real API and the real storage.

mod photos;
mod show;
mod table;
mod upload;

use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use anyhow::{Context, anyhow, bail};
use rapidphoto_client::{Client, Session};

use self::photos::DemoPhoto;
use crate::{
    Config, Running,
    config::LogSection,
    serve::{flush, telemetry},
    start, terminated,
};

/// What to show.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DemoOptions {
    /// A folder of photos; without it, twenty are made up.
    pub photos: Option<PathBuf>,
    /// Whether to end after the table, instead of serving on.
    pub exit: bool,
}

const EMAIL: &str = "demo@example.org";
const MADE_UP: usize = 20;

/// Shows everything on a fresh data directory. With [`DemoOptions::exit`], it is an error if a photo does not complete;
/// without it, this serves on until SIGTERM or SIGINT.
pub async fn run(mut config: Config, options: DemoOptions) -> anyhow::Result<()> {
    // The screen is for the photos; what goes wrong is still told.
    if config.log == LogSection::default() {
        "warn".clone_into(&mut config.log.filter);
    }
    let telemetry = telemetry(&config)?;
    let dir = tempfile::Builder::new()
        .prefix("rapidphoto-demo-")
        .tempdir()
        .context("no place for the demo's data")?;
    config.data.dir = dir.path().join("data");
    config.limits.jobs_per_minute = u32::MAX;
    let mut terminated = std::pin::pin!(terminated());
    let photos = if let Some(folder) = &options.photos {
        photos::from_folder(folder, &config)?
    } else {
        say(&format!("Making {MADE_UP} photos of 2 to 6 MB …"))?;
        photos::made_up(MADE_UP).await?
    };
    let data = config.data.dir.clone();
    let metrics = telemetry.metrics();
    let running = start(config, Arc::new(move || metrics.render())).await?;
    // Whatever happens, the server is stopped in order before the directory goes.
    let ended = tokio::select! {
        shown = show(&running, &photos) => shown.and_then(|shown| shown.judge(&options)),
        () = &mut terminated => Err(anyhow!("interrupted")),
    };
    let ended = match ended {
        Ok(shown) if !options.exit => {
            say(&shown.goodbye(&running, &data))?;
            terminated.await;
            Ok(())
        }
        other => other.map(drop),
    };
    running.stop().await;
    flush(telemetry).await;
    ended
}

/// What was shown.
struct Shown {
    completed: usize,
    total: usize,
    password: String,
}

impl Shown {
    fn judge(self, options: &DemoOptions) -> anyhow::Result<Self> {
        if options.exit && self.completed < self.total {
            bail!(
                "{} of {} photos did not complete",
                self.total - self.completed,
                self.total
            );
        }
        Ok(self)
    }

    fn goodbye(&self, running: &Running, dir: &Path) -> String {
        format!(
            "\nStill serving. Look around at {}/docs, log in as {EMAIL} with the password {}.\n\
             The data is in {} and goes when you press Ctrl-C.",
            running.api_url(),
            self.password,
            dir.display(),
        )
    }
}

async fn show(running: &Running, photos: &[DemoPhoto]) -> anyhow::Result<Shown> {
    say(&format!(
        "API      {}\nStorage  {}\n",
        running.api_url(),
        running.s3_url()
    ))?;
    let client = Client::new(running.local_api_url())?;
    let password = running.new_secret();
    client
        .register(EMAIL, &password)
        .await
        .context("the demo's user can't be registered")?;
    let session: Session = client.log_in(EMAIL, &password).await?;

    let began = Instant::now();
    let mut results = Vec::with_capacity(photos.len());
    // A job has its limit; a large folder takes several.
    for batch in photos.chunks(running.max_files_per_job()) {
        results.extend(upload::run_job(&session, batch).await?);
    }
    let took = began.elapsed();
    let bytes: u64 = photos.iter().map(DemoPhoto::bytes).sum();
    say(&table::render(&results))?;
    let completed = results.iter().filter(|result| result.is_completed()).count();
    say(&table::summary(completed, results.len(), bytes, took))?;
    if results.is_empty() {
        bail!("there was no photo to show");
    }
    Ok(Shown {
        completed,
        total: results.len(),
        password,
    })
}

/// Says a line to the person in front of the terminal.
fn say(line: &str) -> std::io::Result<()> {
    writeln!(std::io::stdout().lock(), "{line}")
}
