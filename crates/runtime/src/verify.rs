use std::{io::Write, sync::Arc};

use rapidphoto_application::{
    admin::VerifyStateRows,
    ports::{Clock, DatabasePorts},
};
use rapidphoto_persistence::DataDirLock;

use crate::{Config, SystemClock, wiring};

/// Checks that every state row equals the fold of its stream's events, says so, and tells whether it was so; a record that
/// holds nothing proves nothing. The data directory must not be served meanwhile.
pub async fn verify(config: Config) -> anyhow::Result<bool> {
    anyhow::ensure!(
        config.data.dir.is_dir(),
        "there is no data directory {}",
        config.data.dir.display()
    );
    let _lock = DataDirLock::acquire(&config.data.dir)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store = wiring::record(&config, &clock).await?;
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
        // Of another deployment's record everything would be right, too.
        writeln!(
            out,
            "the record holds nothing of the environment `{}`",
            config.storage.environment
        )?;
    }
    drop(out);
    store.close().await;
    Ok(report.is_clean() && report.streams > 0)
}
