//! Progressive files: all scans side by side, a row of MCUs at a time.
//!
//! The whole file is at hand, so each scan can be read from its own place: a row of MCUs is taken through all scans in
//! their order, transformed, and forgotten. Nothing but that row is ever stored, and it stays in the CPU's cache.
//!
//! Of a block there are the coefficients that the scale can want, in the file's order, and a set of those that are not
//! zero, wanted or not: a scan that refines has a bit for each of them.

mod blocks;
mod dc;
mod first;
mod image;
mod lookup;
mod pairs;
mod refine;
mod scan;
mod transform;

pub(crate) use image::{Memory, Progressive};
