use std::{io::Write, path::Path};

use crate::{Config, Overrides, Program};

/// Loads and validates the configuration of a program and prints the result as JSON on stdout, without secrets.
pub fn check_config(program: Program, file: Option<&Path>, overrides: &Overrides) -> anyhow::Result<()> {
    let config = Config::load(file, overrides)?;
    config.check_for(program)?;
    writeln!(std::io::stdout().lock(), "{}", config.to_json()?)?;
    Ok(())
}
