use std::{io::Write, path::Path};

use crate::{Config, Overrides};

/// Loads and validates the configuration and prints the result as JSON on stdout.
pub fn check_config(file: Option<&Path>, overrides: &Overrides) -> anyhow::Result<()> {
    let config = Config::load(file, overrides)?;
    writeln!(std::io::stdout().lock(), "{}", config.to_json()?)?;
    Ok(())
}
