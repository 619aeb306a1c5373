//! Inspection in child processes of the same program, which hold no secrets and can reach nothing but their pipes.
//!
//! Modules import one another in this order only: the frames of the pipes (`wire`); the restrictions of a child
//! (`sandbox`); the child's side (`child`); the parent's side of one child (`process`); the task that keeps one child
//! running (`keeper`); and all of them (`pool`).

mod child;
#[cfg(feature = "failpoints")]
mod drill;
mod keeper;
mod pool;
mod process;
mod sandbox;
mod wire;

pub use child::run_inspection_child;
pub use keeper::StartError;
pub use pool::{ProcessConfig, ProcessPool};
pub use process::Patience;
pub use wire::Protection;
