use crate::{Config, Program};

use super::adapters;

/// Brings the schema of the database to that of this program. Several at once are harmless: one migrates, the others wait.
pub async fn migrate(config: &Config) -> anyhow::Result<()> {
    config.check_for(Program::Administration)?;
    let database = adapters::database(config, "rapidphoto-migrate", None)?;
    let applied = rapidphoto_persistence::migrate(&database).await?;
    if applied.is_empty() {
        tracing::info!("the database has the schema of this program");
    } else {
        tracing::info!(migrations = applied.join(", "), "migrated the database");
    }
    Ok(())
}
