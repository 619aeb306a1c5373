use std::io::Write as _;

use super::adapters;
use crate::{Config, Program};

/// Name of these connections in the database.
const PROGRAM: &str = "rapidphoto-migrate";

/// Brings the schema of the database to that of this program, and prints the migrations. Several at once are harmless: one
/// migrates, the others wait.
pub async fn migrate(config: &Config) -> anyhow::Result<()> {
    config.check_for(Program::Administration)?;
    let applied = rapidphoto_persistence::migrate(&adapters::database(config, PROGRAM, None)?).await?;
    if applied.is_empty() {
        writeln!(std::io::stderr(), "the database has the schema of this program")?;
    }
    for migration in applied {
        writeln!(std::io::stderr(), "migrated the database: {migration}")?;
    }
    Ok(())
}

/// Makes the log of a database readable that was restored from a dump. No program may use the database.
pub async fn rebase_log(config: &Config) -> anyhow::Result<()> {
    config.check_for(Program::Administration)?;
    rapidphoto_persistence::rebase_log(&adapters::database(config, PROGRAM, None)?).await?;
    Ok(())
}
