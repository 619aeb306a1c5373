use std::{io::Write, sync::Arc};

use rapidphoto_application::{
    admin::VerifyStateRows,
    ports::{Clock, DatabasePorts},
};

use crate::{Config, SystemClock, wiring};

/// Compares every state row with the state computed from its stream's events, and the index of tags and the usage of
/// quotas with the state rows, and prints the result. Returns false on a mismatch, and if there are no streams: then nothing was verified. Changes no file;
/// a server may be running on the data directory.
pub async fn verify(config: Config) -> anyhow::Result<bool> {
    anyhow::ensure!(
        config.data.dir.is_dir(),
        "data directory {} does not exist",
        config.data.dir.display()
    );
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store = wiring::read_database(&config, &clock).await?;
    let verification = VerifyStateRows::new(&DatabasePorts::of(Arc::clone(&store)));
    let report = verification.handle().await?;
    let mut out = std::io::stdout().lock();
    for mismatch in &report.mismatches {
        writeln!(out, "{mismatch}")?;
    }
    writeln!(
        out,
        "{} streams verified, {} mismatches",
        report.streams,
        report.mismatches.len()
    )?;
    if report.streams == 0 {
        // A wrong environment would otherwise look like a clean result.
        writeln!(
            out,
            "the database has no streams of the environment `{}` (storage.environment)",
            config.storage.environment
        )?;
    }
    drop(out);
    store.close().await;
    Ok(report.is_clean() && report.streams > 0)
}
