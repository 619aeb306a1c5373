//! Administration of the database of several machines, beside them.

use std::sync::Arc;

use rapidphoto_application::{
    admin::Accounts,
    ports::{Clock, DatabasePorts, Ids},
};

use super::{adapters, clock::DeploymentClock};
use crate::{Config, Program, SystemIds, UserAdministration, users, verify, wiring};

/// Name of these connections in the database.
const PROGRAM: &str = "rapidphoto-admin";

/// Runs a command on accounts and prints the result.
pub async fn administer_cluster_users(config: &Config, command: UserAdministration) -> anyhow::Result<()> {
    config.check_for(Program::Administration)?;
    let _telemetry = users::audit(config)?;
    let store = Arc::new(adapters::open_database(config, PROGRAM, None).await?);
    let clock = Arc::new(DeploymentClock::default());
    clock.compare(&store).await?;
    let clock: Arc<dyn Clock> = clock;
    let ids: Arc<dyn Ids> = Arc::new(SystemIds::new(Arc::clone(&clock)));
    let accounts = Accounts::new(
        &DatabasePorts::of(Arc::clone(&store)),
        clock,
        Arc::clone(&ids),
        Arc::new(wiring::passwords(config, ids)?),
        wiring::settings(config)?.auth,
    );
    let done = users::run(&accounts, command).await;
    store.close().await;
    done
}

/// Compares every state row with the events of its stream, as `rapidphoto admin verify` does. Returns false on a mismatch, and
/// if there are no streams.
pub async fn verify_cluster(config: &Config) -> anyhow::Result<bool> {
    config.check_for(Program::Administration)?;
    let store = Arc::new(adapters::open_database(config, PROGRAM, None).await?);
    let sound = verify::report(
        &DatabasePorts::of(Arc::clone(&store)),
        &config.storage.environment,
    )
    .await;
    store.close().await;
    sound
}
