//! Assembly of a raster from rows of pixels, in any pixel format that decoders produce.

use crate::{
    error::DecodeError,
    raster::{ColourModel, Plane, Raster, THIN_IMAGE_EDGE, deinterleave},
    ycbcr::YCbCrRows,
};

/// Format of interleaved pixels with 8 bits a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PixelFormat {
    Grey,
    GreyAlpha,
    Rgb,
    Rgba,
    /// Colours are already multiplied by alpha.
    RgbaPremultiplied,
    /// 255 is full ink.
    Cmyk,
}

/// Image that receives rows of pixels and stores planes: greyscale, YCbCr with chroma of half the size, or CMYK.
///
/// Transparent pixels are composited over white, because thumbnails are JPEGs without alpha and white is the usual
/// background of pages and viewers.
#[derive(Debug)]
pub(crate) struct Canvas {
    size: (u32, u32),
    format: PixelFormat,
    rows: Rows,
    /// Rows received so far, or [`INVALID`].
    count: usize,
    line: Vec<u8>,
}

/// Row count after a row of a wrong length or after too many rows.
const INVALID: usize = usize::MAX;

#[derive(Debug)]
enum Rows {
    Grey(Vec<u8>),
    YCbCr(YCbCrRows),
    Cmyk(Vec<u8>),
}

impl PixelFormat {
    /// Samples of a pixel.
    pub(crate) const fn samples(self) -> usize {
        match self {
            Self::Grey => 1,
            Self::GreyAlpha => 2,
            Self::Rgb => 3,
            Self::Rgba | Self::RgbaPremultiplied | Self::Cmyk => 4,
        }
    }

    /// Memory in bytes that a [`Canvas`] of this size takes, with its conversion to thumbnails.
    pub(crate) fn canvas_bytes(self, (width, height): (u32, u32)) -> u64 {
        let (width, height) = (u64::from(width), u64::from(height));
        let pixels = width.saturating_mul(height);
        match self {
            Self::Grey | Self::GreyAlpha => pixels,
            Self::Rgb | Self::Rgba | Self::RgbaPremultiplied => {
                // Rows are converted in pairs, so luma has an even number of them.
                let luma = width.saturating_mul(height.next_multiple_of(2));
                let chroma = width
                    .div_ceil(2)
                    .saturating_mul(height.div_ceil(2))
                    .saturating_mul(2);
                // The first row of a pair, a row over white, and a positioned row.
                let row_buffers = width.saturating_mul(10);
                // The chroma of a thin image is upsampled for its thumbnails.
                let upsampled = if width.min(height) < THIN_IMAGE_EDGE.into() {
                    pixels
                } else {
                    0
                };
                luma.saturating_add(chroma)
                    .saturating_add(row_buffers)
                    .saturating_add(upsampled)
            }
            // Interleaved pixels, then planes.
            Self::Cmyk => pixels.saturating_mul(8),
        }
    }
}

impl Canvas {
    pub(crate) fn new(size: (u32, u32), format: PixelFormat) -> Self {
        let pixels = size.0 as usize * size.1 as usize;
        Self {
            size,
            format,
            rows: match format {
                PixelFormat::Grey | PixelFormat::GreyAlpha => Rows::Grey(Vec::with_capacity(pixels)),
                PixelFormat::Rgb | PixelFormat::Rgba | PixelFormat::RgbaPremultiplied => {
                    Rows::YCbCr(YCbCrRows::new(size))
                }
                PixelFormat::Cmyk => Rows::Cmyk(Vec::with_capacity(pixels * 4)),
            },
            count: 0,
            line: Vec::new(),
        }
    }

    /// Adds the next row. A row of a wrong length or beyond the height makes [`Self::finish`] fail.
    pub(crate) fn push(&mut self, row: &[u8]) {
        let width = self.size.0 as usize;
        if row.len() != width * self.format.samples() || self.count == self.size.1 as usize {
            self.count = INVALID;
        }
        if self.count == INVALID {
            return;
        }
        self.count += 1;
        match (&mut self.rows, self.format) {
            (Rows::Grey(luma), PixelFormat::Grey) => luma.extend_from_slice(row),
            (Rows::Grey(luma), _) => {
                luma.extend(
                    row.as_chunks::<2>()
                        .0
                        .iter()
                        .map(|&[grey, alpha]| over_white(grey, alpha)),
                );
            }
            (Rows::YCbCr(rows), PixelFormat::Rgb) => rows.push(row),
            (Rows::YCbCr(rows), PixelFormat::RgbaPremultiplied) => {
                let pixels = row.as_chunks::<4>().0.iter();
                self.line.clear();
                self.line.extend(pixels.flat_map(|&[red, green, blue, alpha]| {
                    [red, green, blue].map(|sample| sample.saturating_add(255 - alpha))
                }));
                rows.push(&self.line);
            }
            (Rows::YCbCr(rows), _) => {
                self.line.resize(width * 3, 0);
                let opaque = self.line.as_chunks_mut::<3>().0;
                for (opaque, &[red, green, blue, alpha]) in opaque.iter_mut().zip(row.as_chunks::<4>().0) {
                    *opaque = [
                        over_white(red, alpha),
                        over_white(green, alpha),
                        over_white(blue, alpha),
                    ];
                }
                rows.push(&self.line);
            }
            (Rows::Cmyk(pixels), _) => pixels.extend_from_slice(row),
        }
    }

    /// Adds the rows of an image that covers a part of the canvas; the rest is white. `draw` copies a row into the
    /// pixels from the image's left edge to the canvas's right edge. Rows below the canvas are left out.
    pub(crate) fn push_at<'a>(
        &mut self,
        position: (u32, u32),
        rows: impl Iterator<Item = &'a [u8]>,
        draw: impl Fn(&[u8], &mut [u8]),
    ) {
        let samples = self.format.samples();
        let (width, height) = (self.size.0 as usize * samples, self.size.1 as usize);
        let (left, top) = (position.0 as usize * samples, position.1 as usize);
        let mut line = vec![u8::MAX; width];
        for _ in 0..height.min(top) {
            self.push(&line);
        }
        for row in rows.take(height.saturating_sub(top)) {
            if let Some(target) = line.get_mut(left..) {
                draw(row, target);
            }
            self.push(&line);
        }
        line.fill(u8::MAX);
        while self.count < height {
            self.push(&line);
        }
    }

    /// The raster, if all rows were added.
    pub(crate) fn finish(self) -> Result<Raster, DecodeError> {
        if self.count != self.size.1 as usize {
            return Err(DecodeError::damaged(
                "the number or length of the rows differs from the declared size",
            ));
        }
        let plane = |samples| Plane::new(self.size, samples);
        Ok(match self.rows {
            Rows::Grey(luma) => Raster {
                colour_model: ColourModel::Grey,
                planes: vec![plane(luma)],
            },
            Rows::YCbCr(rows) => rows.finish(),
            Rows::Cmyk(pixels) => Raster {
                colour_model: ColourModel::Cmyk,
                planes: deinterleave(ColourModel::Cmyk, pixels)
                    .into_iter()
                    .map(plane)
                    .collect(),
            },
        })
    }
}

/// Composites a sample over white.
fn over_white(sample: u8, alpha: u8) -> u8 {
    let sum = u16::from(sample) * u16::from(alpha) + 255 * u16::from(255 - alpha) + 128;
    // Division by 255, exact for every possible sum.
    ((sum + (sum >> 8)) >> 8) as u8
}

/// Rounds a sample of 16 bits to 8 bits.
pub(crate) fn to_eight_bits(sample: u16) -> u8 {
    ((u32::from(sample) * 255 + 32_895) >> 16).min(255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compositing_over_white_rounds_to_the_nearest() {
        for sample in 0..=255_u8 {
            for alpha in 0..=255_u8 {
                let exact = (f64::from(sample) * f64::from(alpha) + 255.0 * f64::from(255 - alpha)) / 255.0;
                assert!(
                    (f64::from(over_white(sample, alpha)) - exact).abs() <= 0.5,
                    "{sample} {alpha}"
                );
            }
        }
    }

    #[test]
    fn samples_of_16_bits_are_rounded_to_the_nearest_of_8_bits() {
        for sample in 0..=u16::MAX {
            let exact = f64::from(sample) / 257.0;
            assert!(
                (f64::from(to_eight_bits(sample)) - exact).abs() <= 0.5,
                "{sample}"
            );
        }
    }

    #[test]
    fn rows_of_a_wrong_number_or_length_are_an_error() {
        for rows in [
            vec![],
            vec![&[1, 2][..]],
            vec![&[1][..], &[1, 2]],
            vec![&[1, 2][..]; 3],
        ] {
            let mut canvas = Canvas::new((2, 2), PixelFormat::Grey);
            for row in &rows {
                canvas.push(row);
            }
            assert!(canvas.finish().is_err(), "{rows:?}");
        }
        let mut canvas = Canvas::new((2, 2), PixelFormat::GreyAlpha);
        canvas.push(&[7, 255, 9, 0]);
        canvas.push(&[0, 128, 255, 3]);
        let image = canvas.finish().unwrap();
        assert_eq!(image.planes, [Plane::new((2, 2), vec![7, 255, 127, 255])]);
    }
}
