use std::{io::Write, path::Path};

use crate::{Config, Overrides};

/// Reads and judges the configuration, and shows what it comes to.
pub fn check_config(file: Option<&Path>, overrides: &Overrides) -> anyhow::Result<()> {
    let config = Config::load(file, overrides)?;
    writeln!(std::io::stdout().lock(), "{}", config.to_json()?)?;
    Ok(())
}
