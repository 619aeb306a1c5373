//! Inspection in child processes: the same results as on threads, and faults that end only their child.
#![cfg(target_os = "linux")]

#[cfg(test)]
mod drill;
#[cfg(test)]
mod formats;
#[cfg(test)]
mod killed;
#[cfg(test)]
mod memory;
#[cfg(test)]
mod outage;
#[cfg(test)]
mod sandbox;
#[cfg(test)]
mod support;
