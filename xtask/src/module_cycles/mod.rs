//! Second half of `check-deps`: no crate has a cycle of modules.
//!
//! The nodes of a crate's graph are its source files. A file depends on another file if a path in it (in a `use`, in
//! code or in a macro call) names something that the other file *defines*:
//!
//! - A path through a re-export is a dependency on the file that defines the item, so that using a facade is no
//!   dependency on everything behind it. An item of another crate counts as defined where it is imported.
//! - Importing a module is a dependency only once something in that module is named. A glob import is a dependency on
//!   the module that it names.
//! - `mod x;` and `pub use x::Item` compose a module from its children and are no dependencies. A child may therefore
//!   use what its parent's file defines, unless the code of the parent uses what the child defines: that is a cycle.
//! - Code under `#[cfg(test)]` is ignored: a unit test may use the whole crate.

mod graph;
mod names;
mod parse;
mod paths;
#[cfg(test)]
mod tests;

use std::io;
use std::path::Path;

pub(crate) use graph::Cycle;

/// Cycles among the modules of one crate; `root` is its `lib.rs` or `main.rs`, relative to `workspace`.
///
/// # Errors
/// Reports a file that cannot be read or parsed.
pub(crate) fn cycles(workspace: &Path, root: &Path) -> anyhow::Result<Vec<Cycle>> {
    cycles_in(root, &|path| std::fs::read_to_string(workspace.join(path)))
}

/// [`cycles`], with a replaceable file system.
fn cycles_in(root: &Path, read: &dyn Fn(&Path) -> io::Result<String>) -> anyhow::Result<Vec<Cycle>> {
    let modules = parse::modules(root, read)?;
    Ok(graph::cycles(&modules, &names::dependencies(&modules)))
}
