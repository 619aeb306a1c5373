//! Huffman codes, and the look-up tables that decode sequential scans.

mod code;
mod entry;
mod tables;

pub(crate) use code::{Code, extend};
pub(crate) use entry::{AcLookup, DC_BITS, END_OF_BLOCK, Entry, LOOKUP_BITS};
pub(crate) use tables::Tables;
