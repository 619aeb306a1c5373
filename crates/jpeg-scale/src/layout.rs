//! The sizes of a picture's planes and of what decoding takes.

use crate::error::Error;
use crate::header::Header;
use crate::limits::Limits;
use crate::planes::Planes;
use crate::scale::Scale;

/// Coefficients of a block that are stored at N/8, by N: as many as come before the last that is wanted, and as fit
/// vectors.
pub(crate) const STORED: [usize; 9] = [0, 1, 8, 16, 32, 64, 64, 64, 64];

/// Bytes that a block takes at N/8, by N.
const BYTES_OF_BLOCK: [usize; 9] = {
    let mut bytes = [0; 9];
    let mut n = 0;
    while n < 9 {
        bytes[n] = STORED[n] * size_of::<i16>() + size_of::<u64>();
        n += 1;
    }
    bytes
};

/// A component at a scale.
pub(crate) struct Component {
    /// Blocks in an MCU's row, rows of blocks in an MCU.
    pub(crate) horizontal: usize,
    pub(crate) vertical: usize,
    /// Blocks in a row and rows of blocks that belong to the picture, without those that fill up the last MCUs.
    pub(crate) across: usize,
    pub(crate) down: usize,
    width: usize,
    height: usize,
    stride: usize,
    rows: usize,
}

/// A picture at a scale.
pub(crate) struct Layout {
    original: (u16, u16),
    scale: Scale,
    progressive: bool,
    /// MCUs in a row, rows of MCUs.
    pub(crate) columns: usize,
    pub(crate) rows: usize,
    pub(crate) components: Vec<Component>,
}

impl Layout {
    pub(crate) fn new(header: &Header, scale: Scale) -> Self {
        let (width, height) = (usize::from(header.width), usize::from(header.height));
        // A grey picture's blocks lie in rows whatever its sampling factors say.
        let factors: Vec<(usize, usize)> = match header.components {
            1 => vec![(1, 1)],
            count => header.sampling[..usize::from(count).min(4)]
                .iter()
                .map(|each| (each.horizontal.into(), each.vertical.into()))
                .collect(),
        };
        let most_h = factors.iter().map(|each| each.0).max().unwrap_or(1).max(1);
        let most_v = factors.iter().map(|each| each.1).max().unwrap_or(1).max(1);
        let columns = width.div_ceil(8 * most_h);
        let rows = height.div_ceil(8 * most_v);
        let n = scale.eighths();
        let components = factors.into_iter().map(|(h, v)| Component {
            horizontal: h,
            vertical: v,
            across: (width * h).div_ceil(8 * most_h),
            down: (height * v).div_ceil(8 * most_v),
            width: (width * h * n).div_ceil(8 * most_h),
            height: (height * v * n).div_ceil(8 * most_v),
            stride: columns * h * n,
            rows: rows * v * n,
        });
        let components = components.collect();
        Self {
            original: (header.width, header.height),
            scale,
            progressive: header.progressive,
            columns,
            rows,
            components,
        }
    }

    /// Blocks in a row of MCUs.
    pub(crate) fn blocks(&self) -> usize {
        let each = |component: &Component| component.horizontal * component.vertical;
        self.columns * self.components.iter().map(each).sum::<usize>()
    }

    /// Bytes of the planes and of the coefficients.
    pub(crate) fn bytes(&self) -> u64 {
        let plane = |component: &Component| component.stride as u64 * component.rows as u64;
        let planes: u64 = self.components.iter().map(plane).sum();
        let coefficients = if self.progressive {
            self.blocks() * BYTES_OF_BLOCK[self.scale.eighths()]
        } else {
            0
        };
        planes + coefficients as u64
    }

    pub(crate) fn check(&self, limits: &Limits) -> Result<(), Error> {
        let (width, height) = self.original;
        let pixels = u64::from(width) * u64::from(height);
        if pixels > limits.pixels || self.bytes() > limits.bytes {
            return Err(Error::Limit { width, height });
        }
        Ok(())
    }

    pub(crate) fn shape(&self, picture: &mut Planes) {
        picture.width = self.scale.apply(usize::from(self.original.0));
        picture.height = self.scale.apply(usize::from(self.original.1));
        picture
            .planes
            .resize_with(self.components.len(), Default::default);
        for (plane, layout) in picture.planes.iter_mut().zip(&self.components) {
            plane.shape(layout.width, layout.height, layout.stride, layout.rows);
        }
    }
}

impl Header {
    /// Bytes that decoding the file at a scale takes: what is compared with [`Limits::bytes`](crate::Limits::bytes).
    ///
    /// These are the planes, and for a progressive file the coefficients of one row of MCUs. What a decoder takes
    /// beyond does not depend on the picture's size: some 150 KiB, and for a progressive file some 30 KiB for each of
    /// its scans, of which there may be 100.
    pub fn bytes(&self, scale: Scale) -> u64 {
        Layout::new(self, scale).bytes()
    }
}
