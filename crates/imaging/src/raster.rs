/// A decoded picture, reduced while it was decoded.
#[derive(Debug)]
pub(crate) struct Raster {
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// How much of width and height holds the picture: the last column and row may be there for a part only.
    pub(crate) covered: (f64, f64),
    pub(crate) pixels: Pixels,
}

/// Pixels, row by row, without gaps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Pixels {
    /// One byte a pixel.
    Grey(Vec<u8>),
    /// Red, green, blue.
    Rgb(Vec<u8>),
    /// Amounts of ink: cyan, magenta, yellow, black.
    Cmyk(Vec<u8>),
}

impl Raster {
    /// A raster that a decoder made of a picture of the size `full` at `eighths` of it; `None` if pixels are missing.
    pub(crate) fn new(size: (u16, u16), full: (u16, u16), eighths: u8, pixels: Pixels) -> Option<Self> {
        let (width, height) = (u32::from(size.0), u32::from(size.1));
        let part = |full: u16, edge: u32| {
            (f64::from(full) * f64::from(eighths) / 8.0)
                .max(1.0)
                .min(f64::from(edge))
        };
        let wanted = width as usize * height as usize * pixels.channels();
        (width > 0 && height > 0 && pixels.bytes().len() >= wanted).then(|| Self {
            width,
            height,
            covered: (part(full.0, width), part(full.1, height)),
            pixels,
        })
    }
}

impl Pixels {
    /// Bytes in a pixel.
    pub(crate) const fn channels(&self) -> usize {
        match self {
            Self::Grey(_) => 1,
            Self::Rgb(_) => 3,
            Self::Cmyk(_) => 4,
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Grey(bytes) | Self::Rgb(bytes) | Self::Cmyk(bytes) => bytes,
        }
    }

    /// Other bytes with the same meaning.
    pub(crate) const fn with(&self, bytes: Vec<u8>) -> Self {
        match self {
            Self::Grey(_) => Self::Grey(bytes),
            Self::Rgb(_) => Self::Rgb(bytes),
            Self::Cmyk(_) => Self::Cmyk(bytes),
        }
    }
}
