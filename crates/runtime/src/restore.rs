use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::Path,
    sync::Arc,
};

use anyhow::{Context as _, ensure};
use rapidphoto_application::{
    admin::VerifyStateRows,
    ports::{Clock, DatabasePorts, EventLog as _, StateRows as _},
};
use rapidphoto_persistence::DataDirLock;
use rapidphoto_storage_embedded::{ObjectChecks, ObjectFiles};

use crate::{
    Config, SystemClock,
    backup::{copy_objects, copy_private, ensure_empty, missing_objects, print_problems},
    data_dir::{RESTORE_MARKER, check_environment},
    manifest::Manifest,
    secrets::SECRETS_FILE,
    wiring::{self, DATABASE_FILE, OBJECTS_DIR},
};

/// Restores a backup into a new or empty data directory, upgrades the database to this program's schema, verifies everything
/// and prints the result. Returns false if objects are damaged or missing, or if state rows do not match their events; the
/// data directory then holds what the backup holds. If it fails, no server starts on the data directory.
pub async fn restore(mut config: Config, from: &Path) -> anyhow::Result<bool> {
    let manifest = Manifest::read(from)?;
    let dir = config.data.dir.clone();
    if dir.exists() {
        ensure_empty(&dir)?;
    }
    let _lock = DataDirLock::acquire(&dir)?;
    let marker = dir.join(RESTORE_MARKER);
    File::create_new(&marker).with_context(|| format!("{} can't be created", marker.display()))?;

    let target = ObjectFiles::new(&dir.join(OBJECTS_DIR));
    let damaged = copy_objects(
        &ObjectFiles::new(&from.join(OBJECTS_DIR)),
        &target,
        ObjectChecks::All,
    )
    .await?;
    for name in [DATABASE_FILE, SECRETS_FILE] {
        copy_private(&from.join(name), &dir.join(name))?;
    }
    let (objects, object_bytes) = target.count()?;
    ensure!(
        (objects, object_bytes) == (manifest.objects, manifest.object_bytes),
        "the backup has {objects} objects of {object_bytes} bytes, but {} of {} bytes were backed up",
        manifest.objects,
        manifest.object_bytes
    );

    let configured = std::mem::replace(&mut config.storage.environment, manifest.environment.clone());
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store = wiring::open_database(&config, &clock, None).await?;
    let known = check_environment(&store, &config).await;
    known.context("backup.json names a wrong environment")?;
    let faults = store.file_faults().await?;
    ensure!(
        faults.is_empty(),
        "the database is damaged: {}",
        faults.join("; ")
    );
    let (streams, position) = (store.stream_count().await?, store.head().await?.position());
    ensure!(
        (streams, position) == (manifest.streams, manifest.position),
        "the database ends at event {position} of {streams} streams, but event {} of {} streams was backed up",
        manifest.position,
        manifest.streams
    );
    let report = VerifyStateRows::new(&DatabasePorts::of(Arc::clone(&store)))
        .handle()
        .await?;
    let missing = missing_objects(&store, &config, &target, |_| ()).await?;
    store.close().await;
    fs::remove_file(&marker)
        .and_then(|()| File::open(&dir)?.sync_all())
        .with_context(|| format!("{} can't be removed", marker.display()))?;

    let sound = print_problems(&damaged, &missing)?;
    let mut out = io::stdout().lock();
    for mismatch in &report.mismatches {
        writeln!(out, "{mismatch}")?;
    }
    writeln!(
        out,
        "{streams} streams and {objects} objects ({object_bytes} bytes) of {} restored to {}",
        manifest.created_at,
        dir.display()
    )?;
    if configured != manifest.environment {
        writeln!(
            out,
            "set storage.environment to `{}`, that of the backup; it is `{configured}`",
            manifest.environment
        )?;
    }
    Ok(sound && report.is_clean())
}
