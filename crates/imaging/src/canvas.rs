//! Where decoders lay down the rows of a picture, in whatever form they have them.

use crate::{
    form::DecodeError,
    raster::{Colour, Plane, Raster, THIN, planes_of},
    ycc::YccRows,
};

/// How the pixels of a row are made, of 8 bits a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pixels {
    Grey,
    GreyAlpha,
    Rgb,
    Rgba,
    /// With colours that are already multiplied by their alpha.
    RgbaPremultiplied,
    /// As much ink as a sample is large.
    Cmyk,
}

/// A picture that is given row by row and kept as planes: grey, light with tints of half the size, or inks.
///
/// What can be seen through shows white: thumbnails are JPEGs and have no alpha, and white is what pages and viewers put
/// under a picture.
#[derive(Debug)]
pub(crate) struct Canvas {
    size: (u32, u32),
    pixels: Pixels,
    rows: Rows,
    taken: usize,
    line: Vec<u8>,
}

#[derive(Debug)]
enum Rows {
    Grey(Vec<u8>),
    Colours(YccRows),
    Inks(Vec<u8>),
}

impl Pixels {
    /// Samples of a pixel.
    pub(crate) const fn samples(self) -> usize {
        match self {
            Self::Grey => 1,
            Self::GreyAlpha => 2,
            Self::Rgb => 3,
            Self::Rgba | Self::RgbaPremultiplied | Self::Cmyk => 4,
        }
    }

    /// Bytes that a [`Canvas`] of this size takes.
    pub(crate) fn weight(self, (width, height): (u32, u32)) -> u64 {
        let (width, height) = (u64::from(width), u64::from(height));
        let pixels = width.saturating_mul(height);
        match self {
            Self::Grey | Self::GreyAlpha => pixels,
            Self::Rgb | Self::Rgba | Self::RgbaPremultiplied => {
                // Rows are taken in pairs; one waits for the other, one is laid on white, and one is drawn into.
                let light = width.saturating_mul(height.next_multiple_of(2));
                // Later, tints of a thin picture get its own length or height.
                let spread = if width.min(height) < THIN.into() {
                    pixels
                } else {
                    0
                };
                let tints = width
                    .div_ceil(2)
                    .saturating_mul(height.div_ceil(2))
                    .saturating_mul(2);
                light
                    .saturating_add(tints)
                    .saturating_add(width.saturating_mul(10))
                    .saturating_add(spread)
            }
            // Once as pixels, once as planes.
            Self::Cmyk => pixels.saturating_mul(8),
        }
    }
}

impl Canvas {
    pub(crate) fn new(size: (u32, u32), pixels: Pixels) -> Self {
        let count = size.0 as usize * size.1 as usize;
        Self {
            size,
            pixels,
            rows: match pixels {
                Pixels::Grey | Pixels::GreyAlpha => Rows::Grey(Vec::with_capacity(count)),
                Pixels::Rgb | Pixels::Rgba | Pixels::RgbaPremultiplied => Rows::Colours(YccRows::new(size)),
                Pixels::Cmyk => Rows::Inks(Vec::with_capacity(count * 4)),
            },
            taken: 0,
            line: Vec::new(),
        }
    }

    /// The next row; one that is too short, or too many, is an error at the end.
    pub(crate) fn push(&mut self, row: &[u8]) {
        let width = self.size.0 as usize;
        if row.len() != width * self.pixels.samples() || self.taken == self.size.1 as usize {
            self.taken = usize::MAX;
        }
        if self.taken == usize::MAX {
            return;
        }
        self.taken += 1;
        match (&mut self.rows, self.pixels) {
            (Rows::Grey(light), Pixels::Grey) => light.extend_from_slice(row),
            (Rows::Grey(light), _) => {
                light.extend(
                    row.as_chunks::<2>()
                        .0
                        .iter()
                        .map(|&[grey, alpha]| on_white(grey, alpha)),
                );
            }
            (Rows::Colours(rows), Pixels::Rgb) => rows.push(row),
            (Rows::Colours(rows), Pixels::RgbaPremultiplied) => {
                let shown = row.as_chunks::<4>().0.iter();
                self.line.clear();
                self.line.extend(shown.flat_map(|&[red, green, blue, alpha]| {
                    [red, green, blue].map(|colour| colour.saturating_add(255 - alpha))
                }));
                rows.push(&self.line);
            }
            (Rows::Colours(rows), _) => {
                self.line.resize(width * 3, 0);
                let shown = self.line.as_chunks_mut::<3>().0;
                for (shown, &[red, green, blue, alpha]) in shown.iter_mut().zip(row.as_chunks::<4>().0) {
                    *shown = [
                        on_white(red, alpha),
                        on_white(green, alpha),
                        on_white(blue, alpha),
                    ];
                }
                rows.push(&self.line);
            }
            (Rows::Inks(inks), _) => inks.extend_from_slice(row),
        }
    }

    /// The rows of a picture that covers a part of the canvas, which is white everywhere else; `draw` lays one of them
    /// down, from its beginning to the canvas's edge. Rows beyond the canvas are left out.
    pub(crate) fn push_within<'a>(
        &mut self,
        at: (u32, u32),
        rows: impl Iterator<Item = &'a [u8]>,
        draw: impl Fn(&[u8], &mut [u8]),
    ) {
        let samples = self.pixels.samples();
        let (width, height) = (self.size.0 as usize * samples, self.size.1 as usize);
        let (left, above) = (at.0 as usize * samples, at.1 as usize);
        let mut line = vec![u8::MAX; width];
        for _ in 0..height.min(above) {
            self.push(&line);
        }
        for row in rows.take(height.saturating_sub(above)) {
            if let Some(places) = line.get_mut(left..) {
                draw(row, places);
            }
            self.push(&line);
        }
        line.fill(u8::MAX);
        while self.taken < height {
            self.push(&line);
        }
    }

    /// The picture, if all its rows came.
    pub(crate) fn finish(self) -> Result<Raster, DecodeError> {
        if self.taken != self.size.1 as usize {
            return Err(DecodeError::damaged(
                "there are fewer rows than announced, or others",
            ));
        }
        let whole = |samples| Plane::whole(self.size, samples);
        Ok(match self.rows {
            Rows::Grey(light) => Raster {
                colour: Colour::Grey,
                planes: vec![whole(light)],
            },
            Rows::Colours(rows) => rows.finish(),
            Rows::Inks(inks) => Raster {
                colour: Colour::Cmyk,
                planes: planes_of(Colour::Cmyk, inks).into_iter().map(whole).collect(),
            },
        })
    }
}

/// A colour of which this part of 255 covers white.
fn on_white(colour: u8, alpha: u8) -> u8 {
    let sum = u16::from(colour) * u16::from(alpha) + 255 * u16::from(255 - alpha) + 128;
    // A division by 255, exact for every sum that can be.
    ((sum + (sum >> 8)) >> 8) as u8
}

/// The nearest of 256 steps to one of 65 536.
pub(crate) fn eight_bits(sample: u16) -> u8 {
    ((u32::from(sample) * 255 + 32_895) >> 16).min(255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_colour_on_white_is_rounded() {
        for colour in 0..=255_u8 {
            for alpha in 0..=255_u8 {
                let exact = (f64::from(colour) * f64::from(alpha) + 255.0 * f64::from(255 - alpha)) / 255.0;
                assert!(
                    (f64::from(on_white(colour, alpha)) - exact).abs() <= 0.5,
                    "{colour} {alpha}"
                );
            }
        }
    }

    #[test]
    fn sixteen_bits_are_rounded_to_eight() {
        for sample in 0..=u16::MAX {
            let exact = f64::from(sample) / 257.0;
            assert!((f64::from(eight_bits(sample)) - exact).abs() <= 0.5, "{sample}");
        }
    }

    #[test]
    fn a_picture_of_other_rows_than_announced_is_none() {
        for rows in [
            vec![],
            vec![&[1, 2][..]],
            vec![&[1][..], &[1, 2]],
            vec![&[1, 2][..]; 3],
        ] {
            let mut canvas = Canvas::new((2, 2), Pixels::Grey);
            for row in &rows {
                canvas.push(row);
            }
            assert!(canvas.finish().is_err(), "{rows:?}");
        }
        let mut canvas = Canvas::new((2, 2), Pixels::GreyAlpha);
        canvas.push(&[7, 255, 9, 0]);
        canvas.push(&[0, 128, 255, 3]);
        let picture = canvas.finish().unwrap();
        assert_eq!(picture.planes, [Plane::whole((2, 2), vec![7, 255, 127, 255])]);
    }
}
