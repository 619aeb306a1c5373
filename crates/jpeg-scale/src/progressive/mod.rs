//! Progressive files: all scans are decoded in parallel, a row of MCUs at a time.
//!
//! The whole file is in memory, so each scan can be read at its own position: a row of MCUs is decoded from
//! all scans in their order, transformed, and discarded. Only that row is ever stored, and it stays in the
//! CPU's cache.
//!
//! For each block the coefficients that the scale can use are stored, in zig-zag order, and the set of all
//! coefficients that are not zero, used or not: a refinement scan has a correction bit for each of them.

mod blocks;
mod dc;
mod first;
mod image;
mod lookup;
mod pairs;
mod refine;
mod scan;
mod transform;

pub(crate) use image::{ProgressiveBuffers, ProgressiveImage};
