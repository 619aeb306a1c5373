//! The adapter behind [`PhotoInspector`](rapidphoto_application::ports::PhotoInspector): looks into strangers' bytes and
//! gives findings, dimensions, EXIF and thumbnails.
//!
//! [`inspect_bytes`] is the whole inspection on the calling thread; [`ImagingPool`] runs it on a bounded number of threads
//! with a bound on memory. What a file claims about itself is judged before anything is allocated for it: the header is
//! read first, then a photo waits for its share of memory, then it is decoded.
//!
//! JPEG is read in every kind that occurs (baseline, progressive, grey, RGB, CMYK, YCCK), and so are PNG, WebP, GIF and
//! the common kinds of TIFF (JPEG inside and palettes too); of an animation, or of several pages, the first picture. Other
//! image types are recognised and reported as unsupported. Each type has its module behind `Form`; every picture ends as
//! planes, laid down row by row.

mod budget;
mod canvas;
mod colour;
mod exif;
mod form;
mod gif;
mod icc;
mod inspect;
mod jpeg;
mod lzw;
mod orientation;
mod png;
mod pool;
mod raster;
mod resize;
mod sniff;
mod thumbnails;
mod tiff;
mod webp;
mod ycc;

pub use inspect::{Scratch, ScratchError, inspect_bytes, weight_of};
pub use pool::{ImagingConfig, ImagingPool};
pub use sniff::{Sniffed, sniff};
