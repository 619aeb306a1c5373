//! Time of a deployment.

use std::{
    convert::Infallible,
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use metrics::gauge;
use rapidphoto_application::ports::{Clock, Unavailable};
use rapidphoto_persistence::PgStore;

use crate::SystemClock;

/// The database's time, on which all processes of a deployment agree although the clocks of their machines differ: tokens of one
/// replica are valid at another, and URLs are signed for the present. It is the system's clock plus a correction.
#[derive(Debug, Default)]
pub(super) struct DeploymentClock {
    correction_ms: AtomicI64,
}

/// Difference that is corrected, and longest duration of a measurement that counts. Smaller ones are left to NTP.
const TOLERANCE: TimeDelta = TimeDelta::seconds(1);
/// Interval of measurements.
const INTERVAL: Duration = Duration::from_secs(30);

impl DeploymentClock {
    /// Compares the clocks, and corrects this one if they differ by a second or more: metric `clock_skew_seconds`.
    pub(super) async fn compare(&self, database: &PgStore) -> Result<(), Unavailable> {
        let before = SystemClock.now();
        let time = database.time().await?;
        let took = SystemClock.now() - before;
        if took > TOLERANCE {
            return Ok(());
        }
        let ahead = before + took / 2 - time;
        #[expect(
            clippy::cast_precision_loss,
            reason = "milliseconds of a plausible clock are exact"
        )]
        gauge!("clock_skew_seconds").set(ahead.num_milliseconds() as f64 / 1000.0);
        let corrected = TimeDelta::milliseconds(self.correction_ms.load(Ordering::Relaxed));
        if (ahead + corrected).abs() > TOLERANCE {
            self.correction_ms
                .store(-ahead.num_milliseconds(), Ordering::Relaxed);
            tracing::warn!(
                ahead_ms = ahead.num_milliseconds(),
                "the clock of this machine differs from that of the database, whose time is used"
            );
        }
        Ok(())
    }

    /// Compares the clocks every 30 s until the future is dropped.
    pub(super) async fn follow(&self, database: &PgStore) -> Infallible {
        loop {
            tokio::time::sleep(INTERVAL).await;
            if let Err(error) = self.compare(database).await {
                tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "the clock can't be compared with that of the database"
                );
            }
        }
    }
}

impl Clock for DeploymentClock {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + TimeDelta::milliseconds(self.correction_ms.load(Ordering::Relaxed))
    }
}
