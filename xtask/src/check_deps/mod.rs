//! `check-deps`: holds the workspace to the dependency directions of docs/ARCHITECTURE.md.

mod metadata;
mod rules;
mod table;
#[cfg(test)]
mod tests;

use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

use metadata::Metadata;

/// Checks the workspace of the current directory and says what was checked.
///
/// # Errors
/// Lists every broken rule, or says why cargo could not be asked.
pub(crate) fn run() -> anyhow::Result<String> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .stderr(Stdio::inherit())
        .output()
        .context("cargo metadata could not be started")?;
    if !output.status.success() {
        bail!("cargo metadata failed ({})", output.status);
    }
    let metadata = Metadata::parse(&output.stdout).context("cargo metadata is not what it used to be")?;
    let violations = rules::violations(&metadata, &table::TABLE);
    if violations.is_empty() {
        let edges: usize = metadata.members().map(|member| member.dependencies.len()).sum();
        return Ok(format!(
            "check-deps: {edges} dependencies of {} crates, all allowed",
            metadata.members().count()
        ));
    }
    let listed: Vec<String> = violations.iter().map(ToString::to_string).collect();
    bail!("the architecture does not allow:\n\n{}", listed.join("\n\n"))
}
