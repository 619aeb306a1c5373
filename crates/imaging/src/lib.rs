//! Adapter of [`PhotoInspector`](rapidphoto_application::ports::PhotoInspector): detects the type of uploaded files,
//! reads their dimensions and Exif metadata, decodes them and makes thumbnails.
//!
//! [`inspect_bytes`] inspects one photo on the calling thread. [`ImagingPool`] does so on a bounded number of threads
//! with a bound on memory, [`ProcessPool`] in as many child processes, so that a fault of a decoder ends only its child. Files come from untrusted clients, so no allocation depends on a declared size before it is
//! validated: the container is parsed first, then the photo waits for its share of the memory budget, then it is
//! decoded.
//!
//! Supported are JPEG (baseline, progressive; greyscale, RGB, YCbCr, CMYK, YCCK), PNG, WebP, GIF and the common kinds
//! of TIFF (also with JPEG compression or a palette). Of an animation or of several pages, the first image is read.
//! Other image types are detected and reported as unsupported.
//!
//! Modules import one another in this order only: `error`, `raster`, and the conversions of samples (`canvas`,
//! `colour`, `orientation`, `resize`, `thumbnails`); the buffers of a thread (`scratch`); the interface of decoders
//! (`decoder`); a module for each format; the choice of the format (`formats`); the inspection (`inspect`); its
//! threads (`pool`); and its child processes (`isolated`).

mod budget;
mod canvas;
mod colour;
mod decoder;
mod error;
mod exif;
mod formats;
mod gif;
mod icc;
mod ifd;
mod inspect;
mod isolated;
mod jpeg;
mod lzw;
mod orientation;
mod png;
mod pool;
mod raster;
mod resize;
mod scaled_jpeg;
mod scratch;
mod sniff;
mod thumbnails;
mod tiff;
mod webp;
mod ycbcr;

pub use formats::READABLE_TYPES;
pub use inspect::{inspect_bytes, max_memory_bytes};
pub use isolated::{Patience, ProcessConfig, ProcessPool, Protection, StartError, run_inspection_child};
pub use pool::{ImagingConfig, ImagingPool};
pub use scratch::{Scratch, ScratchError};
pub use sniff::{Sniffed, sniff};
