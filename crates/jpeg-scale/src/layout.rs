//! Sizes of an image's planes, and the memory that decoding needs.

use crate::error::Error;
use crate::header::Header;
use crate::limits::Limits;
use crate::planes::Planes;
use crate::scale::Scale;

/// Stored coefficients of a block at N/8, indexed by N: the zig-zag prefix up to the last one that the scale
/// needs, rounded up to a power of two for vectors.
pub(crate) const STORED_COEFFICIENTS: [usize; 9] = [0, 1, 8, 16, 32, 64, 64, 64, 64];

/// Bytes of a stored block at N/8, indexed by N: its coefficients and the set of non-zero ones.
const BLOCK_BYTES: [usize; 9] = {
    let mut bytes = [0; 9];
    let mut n = 0;
    while n < 9 {
        bytes[n] = STORED_COEFFICIENTS[n] * size_of::<i16>() + size_of::<u64>();
        n += 1;
    }
    bytes
};

/// A component at a scale.
pub(crate) struct ComponentLayout {
    /// Sampling factors: blocks across and down an MCU.
    pub(crate) horizontal: usize,
    pub(crate) vertical: usize,
    /// Blocks across and down the component, without those that only complete the last MCUs.
    pub(crate) blocks_wide: usize,
    pub(crate) blocks_high: usize,
    width: usize,
    height: usize,
    stride: usize,
    rows: usize,
}

/// An image at a scale.
pub(crate) struct Layout {
    original: (u16, u16),
    scale: Scale,
    progressive: bool,
    /// MCUs across and down the image.
    pub(crate) mcu_columns: usize,
    pub(crate) mcu_rows: usize,
    pub(crate) components: Vec<ComponentLayout>,
}

impl Layout {
    pub(crate) fn new(header: &Header, scale: Scale) -> Self {
        let (width, height) = (usize::from(header.width), usize::from(header.height));
        // The blocks of a single component are in raster order, regardless of its sampling factors (ITU-T
        // T.81, A.2.2).
        let factors: Vec<(usize, usize)> = match header.components {
            1 => vec![(1, 1)],
            count => header.sampling[..usize::from(count).min(4)]
                .iter()
                .map(|each| (each.horizontal.into(), each.vertical.into()))
                .collect(),
        };
        let max_h = factors.iter().map(|each| each.0).max().unwrap_or(1).max(1);
        let max_v = factors.iter().map(|each| each.1).max().unwrap_or(1).max(1);
        let mcu_columns = width.div_ceil(8 * max_h);
        let mcu_rows = height.div_ceil(8 * max_v);
        let n = scale.eighths();
        let components = factors.into_iter().map(|(h, v)| ComponentLayout {
            horizontal: h,
            vertical: v,
            blocks_wide: (width * h).div_ceil(8 * max_h),
            blocks_high: (height * v).div_ceil(8 * max_v),
            width: (width * h * n).div_ceil(8 * max_h),
            height: (height * v * n).div_ceil(8 * max_v),
            stride: mcu_columns * h * n,
            rows: mcu_rows * v * n,
        });
        let components = components.collect();
        Self {
            original: (header.width, header.height),
            scale,
            progressive: header.progressive,
            mcu_columns,
            mcu_rows,
            components,
        }
    }

    /// Blocks in a row of MCUs.
    pub(crate) fn blocks_per_mcu_row(&self) -> usize {
        let each = |component: &ComponentLayout| component.horizontal * component.vertical;
        self.mcu_columns * self.components.iter().map(each).sum::<usize>()
    }

    /// Bytes of the planes and of the stored coefficients.
    pub(crate) fn bytes(&self) -> u64 {
        let plane = |component: &ComponentLayout| component.stride as u64 * component.rows as u64;
        let planes: u64 = self.components.iter().map(plane).sum();
        let coefficients = if self.progressive {
            self.blocks_per_mcu_row() * BLOCK_BYTES[self.scale.eighths()]
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

    pub(crate) fn shape(&self, image: &mut Planes) {
        image.width = self.scale.apply(usize::from(self.original.0));
        image.height = self.scale.apply(usize::from(self.original.1));
        image.planes.resize_with(self.components.len(), Default::default);
        for (plane, layout) in image.planes.iter_mut().zip(&self.components) {
            plane.shape(layout.width, layout.height, layout.stride, layout.rows);
        }
    }
}

impl Header {
    /// Bytes that decoding the file at a scale allocates, which are compared with
    /// [`Limits::bytes`](crate::Limits::bytes).
    ///
    /// These are the planes and, for a progressive file, the coefficients of one row of MCUs. The decoder's
    /// other memory does not depend on the size of the image: some 150 KiB, and for a progressive file some
    /// 30 KiB for each of its scans, of which there are at most 100.
    pub fn bytes(&self, scale: Scale) -> u64 {
        Layout::new(self, scale).bytes()
    }
}
