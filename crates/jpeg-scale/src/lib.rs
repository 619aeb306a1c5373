//! A memory-safe JPEG decoder that decodes directly to 1/8, 1/4, 3/8, 1/2 or full size, in Y, Cb, Cr planes; a resizer
//! and an encoder of such planes.
//!
//! ```
//! use jpeg_scale::{Decoder, Encoder, Limits, Plane, Planes, Scale};
//!
//! let grey = Plane { width: 640, height: 480, stride: 640, data: vec![90; 640 * 480] };
//! let image = Planes { width: 640, height: 480, planes: vec![grey] };
//! let file = Encoder::new(80).encode(&image)?;
//!
//! assert_eq!(jpeg_scale::read_header(&file)?.width, 640);
//! let decoded = Decoder::new().decode(&file, Scale::Eighth, &Limits::default())?;
//! assert_eq!(decoded.damage, None);
//! assert_eq!((decoded.planes.width, decoded.planes.height), (80, 60));
//! assert_eq!(decoded.planes.planes[0].row(59)[79], 90);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Baseline and progressive files are decoded; other kinds of JPEG are recognised ([`Unsupported`]) and left to another
//! decoder. Damaged data give an image with holes and a [`Damage`]. Hostile files take no more memory than [`Limits`]
//! allows and a bounded time, and never cause a panic.
//!
//! # Modules
//!
//! [`Decoder`] (`decoder`) reads the headers (`parser`, from the marker segments of `segments`; `frame`, `header`), lays
//! out the planes (`layout`) and runs the scans (`sequence`) on a [`Backend`]. A scan (`scan`) decodes 16 MCUs (`block`,
//! with the look-up tables of `huffman`, the bits of `window` and the restart intervals of `stream`) into groups of 16
//! interleaved blocks (`group`), transforms these (`idct`, on the vectors of `vector`) and copies the samples into the
//! planes. In a progressive file (`script`, `progressive`) a row of MCUs is decoded from all scans before it is
//! transformed. [`Encoder`] does the reverse with `fdct`. [`Resizer`] (`resizer`, with the kernels of `resize`) reduces
//! and enlarges planes of any size.
//!
//! No two modules depend on each other: shared items live in modules of their own, and a `mod.rs` only re-exports and
//! composes.

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

/// Compiles the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
