//! A memory-safe baseline JPEG decoder that goes straight to 1/8, 1/4, 3/8, 1/2 or full size in Y, Cb, Cr planes.

mod backend;
mod block;
mod cosine;
mod decoder;
mod encoder;
mod error;
mod fdct;
mod header;
mod huffman;
mod idct;
mod planes;
mod scan;
mod vector;
mod window;

pub use backend::Backend;
pub use decoder::{Decoded, Decoder, Limits, Scale};
pub use encoder::{EncodeError, Encoder};
pub use error::{Corrupt, Damage, Error, Unsupported};
pub use header::{Header, Sampling, read_header};
pub use planes::{Plane, Planes};
