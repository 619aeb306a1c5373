//! The demonstration: a server, a user and some photos, all in one go, through the real API and the real storage.

mod photos;
mod show;
mod table;
mod upload;

use std::{io::Write, path::PathBuf, time::Instant};

use anyhow::{Context, bail};
use rapidphoto_client::{Client, Session};

use crate::{Config, Running, demo::photos::DemoPhoto};

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
/// without it, this serves until `shutdown` is done.
pub async fn run(
    mut config: Config,
    options: DemoOptions,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    let dir = tempfile::Builder::new().prefix("rapidphoto-demo-").tempdir().context("no place for the demo's data")?;
    dir.path().join("data").clone_into(&mut config.data.dir);
    let photos = match &options.photos {
        Some(folder) => photos::from_folder(folder, &config)?,
        None => {
            say(&format!("Making {MADE_UP} photos of 2 to 6 MB …"))?;
            photos::made_up(MADE_UP).await?
        }
    };
    config.limits.jobs_per_minute = u32::MAX;
    let running = crate::start(config).await?;
    // Whatever happens, the server is stopped in order before the directory goes.
    let shown = tokio::select! {
        shown = show(&running, &photos) => shown,
        () = crate::terminated() => Err(anyhow::anyhow!("interrupted")),
    };
    let served = match shown {
        Ok(shown) if !options.exit => {
            say(&shown.goodbye(&running, &dir.path().join("data")))?;
            shutdown.await;
            Ok(())
        }
        Ok(shown) if shown.completed == shown.total => Ok(()),
        Ok(shown) => Err(anyhow::anyhow!("{} of {} photos did not complete", shown.total - shown.completed, shown.total)),
        Err(error) => Err(error),
    };
    running.stop().await?;
    served
}

/// What was shown.
struct Shown {
    completed: usize,
    total: usize,
    password: String,
}

impl Shown {
    fn goodbye(&self, running: &Running, dir: &std::path::Path) -> String {
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
    say(&format!("API      {}\nStorage  {}\n", running.api_url(), running.s3_url()))?;
    let client = Client::new(running.local_api_url())?;
    let password = running.new_secret();
    client.register(EMAIL, &password).await.context("the demo's user can't be registered")?;
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
    Ok(Shown { completed, total: results.len(), password })
}

/// Says a line to the person in front of the terminal.
fn say(line: &str) -> std::io::Result<()> {
    writeln!(std::io::stdout().lock(), "{line}")
}
