//! `check-deps`: the dependency directions of docs/ARCHITECTURE.md between crates, and no cycles inside a crate.

mod metadata;
mod rules;
mod table;
#[cfg(test)]
mod tests;

use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

use metadata::{Metadata, Package};

use crate::module_cycles;

/// Checks the workspace of the current directory and returns a summary.
///
/// # Errors
/// Lists every broken rule and every cycle, or reports why a check could not run.
pub(crate) fn run() -> anyhow::Result<String> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .stderr(Stdio::inherit())
        .output()
        .context("cargo metadata could not be started")?;
    if !output.status.success() {
        bail!("cargo metadata failed ({})", output.status);
    }
    let metadata =
        Metadata::parse(&output.stdout).context("the output of cargo metadata has an unknown form")?;
    let mut findings: Vec<String> = rules::violations(&metadata, &table::TABLE)
        .iter()
        .map(ToString::to_string)
        .collect();
    findings.extend(module_cycles_of(&metadata)?);
    if findings.is_empty() {
        let edges: usize = metadata.members().map(|member| member.dependencies.len()).sum();
        return Ok(format!(
            "check-deps: {edges} dependencies of {} crates, all allowed; no cycles of modules",
            metadata.members().count()
        ));
    }
    bail!("the architecture does not allow:\n\n{}", findings.join("\n\n"))
}

/// The cycles of modules of every member, as text with paths relative to the workspace.
fn module_cycles_of(metadata: &Metadata) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    for root in metadata.members().flat_map(Package::source_roots) {
        let root = root.strip_prefix(metadata.workspace_root()).unwrap_or(root);
        let directory = root.parent().unwrap_or(root).display();
        let cycles = module_cycles::cycles(metadata.workspace_root(), root)?;
        found.extend(cycles.iter().map(|cycle| format!("  {directory}: {cycle}")));
    }
    Ok(found)
}
