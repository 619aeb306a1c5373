//! Huffman tables as a file defines them, and the tables that the decoder looks codes up in.

mod code;
mod entry;
mod tables;

pub(crate) use code::{Code, extend};
pub(crate) use entry::{DC_BITS, END_OF_BLOCK, Entry, LOOKUP_BITS, Lookup};
pub(crate) use tables::Tables;
