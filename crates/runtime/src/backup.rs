use std::{
    fs::{self, DirBuilder, File},
    io::{self, Write as _},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use rapidphoto_application::{
    admin::NamedObjects,
    ports::{Clock, DatabasePorts, EventLog as _, StateRows as _},
};
use rapidphoto_domain::values::KeySpace;
use rapidphoto_persistence::SqliteStore;
use rapidphoto_storage_embedded::{ObjectChecks, ObjectFiles};

use crate::{
    Config, Secrets, SystemClock,
    data_dir::check_environment,
    manifest::Manifest,
    secrets::SECRETS_FILE,
    wiring::{self, DATABASE_FILE, OBJECTS_DIR},
};

/// Maximum number of copies of the database. One is enough unless a photo's objects were stored after a pass over the
/// objects and removed before the next one.
const MAX_ROUNDS: usize = 3;

/// Writes a backup of the data directory to a new or empty directory, and prints the result. A server may be running on the
/// data directory. Returns false if objects are damaged or missing; the backup then holds everything else.
///
/// The objects are copied before the database, so that those that are removed meanwhile are kept, and again after it: every
/// object that the database names is in the backup.
pub async fn backup(config: Config, to: &Path) -> anyhow::Result<bool> {
    let data = &config.data.dir;
    ensure!(data.is_dir(), "data directory {} does not exist", data.display());
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store = wiring::read_database(&config, &clock).await?;
    check_environment(&store, &config).await?;
    Secrets::load(data)?.with_context(|| format!("{} is missing", data.join(SECRETS_FILE).display()))?;
    create_empty(to)?;
    let mut manifest = Manifest::new(clock.now(), &config.storage.environment);

    let source = ObjectFiles::new(&data.join(OBJECTS_DIR));
    let target = ObjectFiles::new(&to.join(OBJECTS_DIR));
    let mut backup = config.clone();
    to.clone_into(&mut backup.data.dir);
    let mut damaged = copy_objects(&source, &target, ObjectChecks::Copied).await?;
    let mut missing = Vec::new();
    for _ in 0..MAX_ROUNDS {
        copy_database(&store, &to.join(DATABASE_FILE)).await?;
        damaged.extend(copy_objects(&source, &target, ObjectChecks::Copied).await?);
        let copy = wiring::read_database(&backup, &clock).await?;
        missing = complete(&copy, &config, &source, &target).await?;
        let faults = copy.file_faults().await?;
        ensure!(
            faults.is_empty(),
            "the database is damaged: {}",
            faults.join("; ")
        );
        manifest.streams = copy.stream_count().await?;
        manifest.position = copy.head().await?.position();
        copy.close().await;
        if missing.is_empty() {
            break;
        }
    }
    store.close().await;
    copy_private(&data.join(SECRETS_FILE), &to.join(SECRETS_FILE))?;
    (manifest.objects, manifest.object_bytes) = target.count()?;
    manifest.write(to)?;

    let sound = print_problems(&damaged, &missing)?;
    writeln!(
        io::stdout().lock(),
        "{} streams and {} objects ({} bytes) backed up to {}",
        manifest.streams,
        manifest.objects,
        manifest.object_bytes,
        to.display()
    )?;
    Ok(sound)
}

/// Creates a directory that only its owner can read; an existing one must be empty.
fn create_empty(dir: &Path) -> anyhow::Result<()> {
    let created = DirBuilder::new().recursive(true).mode(0o700).create(dir);
    created.with_context(|| format!("{} can't be created", dir.display()))?;
    ensure_empty(dir)
}

pub(crate) fn ensure_empty(dir: &Path) -> anyhow::Result<()> {
    let mut entries = fs::read_dir(dir).with_context(|| format!("{} can't be read", dir.display()))?;
    ensure!(
        entries.next().is_none(),
        "{} is not empty; choose a new or an empty directory",
        dir.display()
    );
    Ok(())
}

/// Copies the objects that the target lacks. Returns the damaged ones.
pub(crate) async fn copy_objects(
    source: &ObjectFiles,
    target: &ObjectFiles,
    checks: ObjectChecks,
) -> anyhow::Result<Vec<PathBuf>> {
    let (objects, bytes) = source.count()?;
    let (present, present_bytes) = target.count()?;
    let bar = progress_bar(
        &format!("{} objects", objects.saturating_sub(present)),
        bytes.saturating_sub(present_bytes),
    );
    let copying = tokio::task::spawn_blocking({
        let (source, target, bar) = (source.clone(), target.clone(), bar.clone());
        move || source.copy_to(&target, checks, &|bytes| bar.inc(bytes))
    });
    let copied = copying.await?.context("the objects can't be copied")?;
    bar.finish_and_clear();
    Ok(copied.damaged)
}

/// Replaces the copy of the database.
async fn copy_database(store: &SqliteStore, target: &Path) -> anyhow::Result<()> {
    match fs::remove_file(target) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("{} can't be replaced", target.display()));
        }
        Ok(()) | Err(_) => {}
    }
    let bar = progress_bar("database", store.copy_bytes().await?);
    let mut copying = std::pin::pin!(store.copy_to(target));
    loop {
        tokio::select! {
            copied = &mut copying => {
                copied.context("the database can't be copied")?;
                bar.finish_and_clear();
                return Ok(());
            }
            () = tokio::time::sleep(Duration::from_millis(200)) => {
                bar.set_position(fs::metadata(target).map_or(0, |file| file.len()));
            }
        }
    }
}

/// Removes objects from the backup that neither the source nor the copied database has. Returns a description of each object
/// that the database needs and that is missing.
async fn complete(
    database: &Arc<SqliteStore>,
    config: &Config,
    source: &ObjectFiles,
    target: &ObjectFiles,
) -> anyhow::Result<Vec<String>> {
    let mut removed = target.without_counterpart(source)?;
    let missing = missing_objects(database, config, target, |path| {
        removed.remove(&path);
    })
    .await?;
    for path in removed {
        target.remove(&path)?;
    }
    Ok(missing)
}

/// Descriptions of the objects that a database needs and that are missing; `named` receives the path of each object that the
/// database names.
pub(crate) async fn missing_objects(
    database: &Arc<SqliteStore>,
    config: &Config,
    objects: &ObjectFiles,
    mut named: impl FnMut(PathBuf),
) -> anyhow::Result<Vec<String>> {
    let keys = KeySpace::new(&config.storage.environment)?;
    let mut missing = Vec::new();
    let all = NamedObjects::new(&DatabasePorts::of(Arc::clone(database)), keys);
    all.handle(|object| {
        if object.required && !objects.contains(&object.bucket, &object.key) {
            missing.push(format!("{} of photo {}", object.key, object.photo));
        }
        named(ObjectFiles::path_of(&object.bucket, &object.key));
    })
    .await?;
    Ok(missing)
}

/// Copies a file that only its owner may read.
pub(crate) fn copy_private(from: &Path, to: &Path) -> anyhow::Result<()> {
    let copy = || -> io::Result<()> {
        let mut options = File::options();
        std::os::unix::fs::OpenOptionsExt::mode(options.write(true).create_new(true), 0o600);
        let mut target = options.open(to)?;
        io::copy(&mut File::open(from)?, &mut target)?;
        target.sync_all()
    };
    copy().with_context(|| format!("{} can't be copied to {}", from.display(), to.display()))
}

/// Prints damaged and missing objects. Returns true if there are none.
pub(crate) fn print_problems(damaged: &[PathBuf], missing: &[String]) -> io::Result<bool> {
    let mut out = io::stdout().lock();
    for path in damaged {
        writeln!(out, "damaged: {}", path.display())?;
    }
    for object in missing {
        writeln!(out, "missing: {object}")?;
    }
    Ok(damaged.is_empty() && missing.is_empty())
}

/// Progress in bytes, on stderr if that is a terminal.
fn progress_bar(name: &str, bytes: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix:20} {bar:30} {bytes} of {total_bytes}, {eta}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(bytes)
        .with_style(style)
        .with_prefix(name.to_owned())
}
