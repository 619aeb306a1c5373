//! A memory-safe JPEG decoder that goes straight from the file to 1/8, 1/4, 3/8, 1/2 or full size, in Y, Cb, Cr planes;
//! a resizer and an encoder of such planes.
//!
//! ```
//! use jpeg_scale::{Decoder, Encoder, Limits, Plane, Planes, Scale};
//!
//! let grey = Plane { width: 640, height: 480, stride: 640, data: vec![90; 640 * 480] };
//! let picture = Planes { width: 640, height: 480, planes: vec![grey] };
//! let file = Encoder::new(80).encode(&picture)?;
//!
//! assert_eq!(jpeg_scale::read_header(&file)?.width, 640);
//! let decoded = Decoder::new().decode(&file, Scale::Eighth, &Limits::default())?;
//! assert_eq!(decoded.damage, None);
//! assert_eq!((decoded.planes.width, decoded.planes.height), (80, 60));
//! assert_eq!(decoded.planes.planes[0].row(59)[79], 90);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Baseline and progressive files are read; other kinds of JPEG are recognised ([`Unsupported`]) and left to another
//! decoder. Damaged data give a picture with holes and a [`Damage`]. Hostile files cost no more memory than [`Limits`]
//! allows, a bounded time, and never panic.
//!
//! # Inside
//!
//! [`Decoder`] reads the markers (`segments`, `header`), lays out the planes (`layout`) and runs the scans (`sequence`)
//! on a [`Backend`]. A scan (`scan`) decodes 16 MCUs (`block`, with the look-up tables of `huffman`, the bits of `window`
//! and the restart intervals of `stream`) into groups of 16 interleaved blocks, transforms these (`idct`, on the vectors
//! of `vector`) and copies the samples into the planes. In a progressive file (`script`, `progressive`) it is a row of
//! MCUs that goes through all scans first. [`Encoder`] does the reverse with `fdct`. [`Resizer`] works between them, on planes of any size.

mod backend;
mod block;
mod cosine;
mod decoder;
mod encoder;
mod error;
mod fdct;
mod frame;
mod group;
mod header;
mod huffman;
mod idct;
mod layout;
mod limits;
mod parser;
mod planes;
mod progressive;
mod resize;
mod resizer;
mod scale;
mod scan;
mod script;
mod segments;
mod sequence;
mod stream;
mod vector;
mod window;
mod zigzag;

pub use backend::Backend;
pub use decoder::{Decoded, Decoder};
pub use encoder::{EncodeError, Encoder};
pub use error::{Corrupt, Damage, Error, Unsupported};
pub use header::{Header, Sampling};
pub use limits::Limits;
pub use parser::read_header;
pub use planes::{Plane, Planes, Samples};
pub use resizer::{ResizeError, Resizer};
pub use scale::Scale;

/// Compiles what the README shows.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
