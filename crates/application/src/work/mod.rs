//! The work that photos need, and who does it.

mod arrival;
mod clean;
mod download;
mod failure;
mod health;
mod look;
mod orders;
mod pause;
mod performer;
mod process;
mod runner;
mod settle;
mod signs_of_life;

pub use orders::orders_after;
pub use runner::WorkRunner;
pub use signs_of_life::SignsOfLife;
