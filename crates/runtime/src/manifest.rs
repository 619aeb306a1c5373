//! File that completes a backup.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::Path,
};

use anyhow::{Context as _, ensure};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Name of the file. It is written last: without it, a backup is not complete.
const FILE: &str = "backup.json";

/// Version of the layout of backups.
const FORMAT: u32 = 1;

/// Content of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    format: u32,
    /// Version of the program that made the backup.
    program: String,
    /// Time at which the backup began.
    pub(crate) created_at: DateTime<Utc>,
    /// Namespace of the data (`storage.environment`).
    pub(crate) environment: String,
    /// Number of streams of the namespace.
    pub(crate) streams: u64,
    /// Position of the log's last event.
    pub(crate) position: u64,
    /// Number of objects.
    pub(crate) objects: u64,
    /// Bytes of the objects' files.
    pub(crate) object_bytes: u64,
}

impl Manifest {
    /// Manifest without counts.
    pub(crate) fn new(created_at: DateTime<Utc>, environment: &str) -> Self {
        Self {
            format: FORMAT,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            created_at,
            environment: environment.to_owned(),
            streams: 0,
            position: 0,
            objects: 0,
            object_bytes: 0,
        }
    }

    /// Completes the backup in a directory.
    pub(crate) fn write(&self, dir: &Path) -> anyhow::Result<()> {
        let write = || -> io::Result<()> {
            let new = dir.join("backup.json.new");
            let mut file = File::create(&new)?;
            file.write_all(&serde_json::to_vec_pretty(self)?)?;
            file.sync_all()?;
            fs::rename(&new, dir.join(FILE))?;
            File::open(dir)?.sync_all()
        };
        write().with_context(|| format!("{} can't be written", dir.join(FILE).display()))
    }

    /// Reads the manifest of a complete backup.
    pub(crate) fn read(dir: &Path) -> anyhow::Result<Self> {
        let path = dir.join(FILE);
        let text = fs::read(&path).with_context(|| {
            format!(
                "{} can't be read: this is no backup, or one that was interrupted",
                path.display()
            )
        })?;
        let manifest: Self =
            serde_json::from_slice(&text).with_context(|| format!("{} is malformed", path.display()))?;
        ensure!(
            manifest.format == FORMAT,
            "the backup has format {}, but this program reads {FORMAT} only; use the version {} of the program",
            manifest.format,
            manifest.program
        );
        Ok(manifest)
    }
}
