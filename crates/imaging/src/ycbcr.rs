//! Conversion between RGB and YCbCr (JFIF 1.02, page 3: ITU-R BT.601 in full range), with chroma of half the size,
//! which is all that a thumbnail needs.

use crate::raster::{ColourModel, Plane, Raster};

/// Converts an RGB image row by row, and keeps luma and subsampled chroma.
#[derive(Debug)]
pub(crate) struct YCbCrRows {
    size: (u32, u32),
    luma: Vec<u8>,
    /// Cb and Cr.
    chroma: [Vec<u8>; 2],
    /// Upper row of a pair whose lower row is still missing.
    pending: Vec<u8>,
}

impl YCbCrRows {
    pub(crate) fn new(size: (u32, u32)) -> Self {
        let (width, height) = (size.0 as usize, size.1 as usize);
        let chroma = || Vec::with_capacity(width.div_ceil(2) * height.div_ceil(2));
        Self {
            size,
            // Rows are converted in pairs.
            luma: Vec::with_capacity(width * height.next_multiple_of(2)),
            chroma: [chroma(), chroma()],
            pending: Vec::new(),
        }
    }

    /// Adds the next row of interleaved RGB pixels.
    pub(crate) fn push(&mut self, row: &[u8]) {
        if self.pending.is_empty() {
            self.pending.extend_from_slice(row);
            return;
        }
        let mut upper = std::mem::take(&mut self.pending);
        self.push_pair(&upper, row);
        upper.clear();
        self.pending = upper;
    }

    /// The raster. Its planes are shorter than declared if rows are missing.
    pub(crate) fn finish(mut self) -> Raster {
        if !self.pending.is_empty() {
            // The last row is its own lower row, whose luma is removed again.
            let last = std::mem::take(&mut self.pending);
            let luma = self.luma.len() + last.len() / 3;
            self.push_pair(&last, &last);
            self.luma.truncate(luma);
        }
        let [cb, cr] = self.chroma;
        Raster {
            colour_model: ColourModel::YCbCr,
            planes: vec![
                Plane::new(self.size, self.luma),
                Plane::chroma(self.size, cb),
                Plane::chroma(self.size, cr),
            ],
        }
    }

    fn push_pair(&mut self, upper: &[u8], lower: &[u8]) {
        let width = upper.len() / 3;
        let (above, below) = extend_by(&mut self.luma, 2 * width).split_at_mut(width);
        let (upper, upper_last) = upper.as_chunks::<6>();
        let (lower, lower_last) = lower.as_chunks::<6>();
        let (above, above_last) = above.as_chunks_mut();
        let (below, below_last) = below.as_chunks_mut();
        let [cb, cr] = &mut self.chroma;
        let chroma = extend_by(cb, upper.len())
            .iter_mut()
            .zip(extend_by(cr, upper.len()));
        let luma = above.iter_mut().zip(below);
        for (((upper, lower), (above, below)), (cb, cr)) in upper.iter().zip(lower).zip(luma).zip(chroma) {
            let (&[r1, g1, b1, r2, g2, b2], &[r3, g3, b3, r4, g4, b4]) = (upper, lower);
            let [a, b] = [Sum::of(r1, g1, b1), Sum::of(r2, g2, b2)];
            let [c, d] = [Sum::of(r3, g3, b3), Sum::of(r4, g4, b4)];
            *above = [a.luma(), b.luma()];
            *below = [c.luma(), d.luma()];
            let sum = a.plus(b).plus(c).plus(d);
            (*cb, *cr) = (sum.cb(), sum.cr());
        }
        if let (&[r1, g1, b1], &[r3, g3, b3]) = (upper_last, lower_last)
            && let ([above], [below]) = (above_last, below_last)
        {
            // Of an odd width, the last pixel is its own right neighbour.
            let [a, c] = [Sum::of(r1, g1, b1), Sum::of(r3, g3, b3)];
            (*above, *below) = (a.luma(), c.luma());
            let sum = a.plus(a).plus(c).plus(c);
            let [cb, cr] = &mut self.chroma;
            cb.push(sum.cb());
            cr.push(sum.cr());
        }
    }
}

/// Appends `count` samples and returns them.
fn extend_by(samples: &mut Vec<u8>, count: usize) -> &mut [u8] {
    let start = samples.len();
    samples.resize(start + count, 0);
    samples.get_mut(start..).unwrap_or_default()
}

/// Luma, Cb and Cr of up to four pixels, packed into one integer so that one addition adds all three: 26 bits of luma
/// with a fraction of 16 bits, and 19 bits for each of Cb and Cr with a fraction of 8 bits. Four times the maximum of
/// each fits.
#[derive(Debug, Clone, Copy)]
struct Sum(u64);

const CB_SHIFT: u32 = 26;
const CR_SHIFT: u32 = 45;

/// Contribution of each sample to the sum, by the JFIF coefficients times 65 536: .299, −.168 736 and .5 for red, and
/// so on. The halves for rounding and the chroma offset of 128 are part of red's contribution.
static OF_RED: [u64; 256] = contributions([19_595, -11_058, 32_768], true);
static OF_GREEN: [u64; 256] = contributions([38_470, -21_710, -27_439], false);
static OF_BLUE: [u64; 256] = contributions([7_471, 32_768, -5_329], false);

#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "evaluated at compile time, where an error stops the build"
)]
const fn contributions([luma, cb, cr]: [i64; 3], has_offsets: bool) -> [u64; 256] {
    let mut contributions = [0; 256];
    let mut sample = 0;
    while sample < 256 {
        let (luma_offset, chroma_offset) = if has_offsets {
            (1 << 15, (128 << 8) + (1 << 7))
        } else {
            (0, 0)
        };
        let cb = ((cb * sample + (1 << 7)) >> 8) + chroma_offset;
        let cr = ((cr * sample + (1 << 7)) >> 8) + chroma_offset;
        let contribution = (luma * sample + luma_offset)
            .wrapping_add(cb << CB_SHIFT)
            .wrapping_add(cr << CR_SHIFT);
        contributions[sample as usize] = contribution as u64;
        sample += 1;
    }
    contributions
}

impl Sum {
    fn of(red: u8, green: u8, blue: u8) -> Self {
        let contribution =
            |table: &[u64; 256], sample: u8| table.get(usize::from(sample)).copied().unwrap_or_default();
        // A contribution may be negative; a sum never is.
        let red_and_green = contribution(&OF_RED, red).wrapping_add(contribution(&OF_GREEN, green));
        Self(red_and_green.wrapping_add(contribution(&OF_BLUE, blue)))
    }

    fn plus(self, other: Self) -> Self {
        Self(self.0.wrapping_add(other.0))
    }

    /// Luma of a single pixel.
    fn luma(self) -> u8 {
        let [_, _, luma, ..] = self.0.to_le_bytes();
        luma
    }

    /// Mean Cb of four pixels. Pure blue is half a step above 255.
    fn cb(self) -> u8 {
        ((self.0 >> (CB_SHIFT + 10)) & 0x1FF).min(255) as u8
    }

    /// Mean Cr of four pixels.
    fn cr(self) -> u8 {
        (self.0 >> (CR_SHIFT + 10)).min(255) as u8
    }
}

/// Converts a row to RGB; each chroma sample belongs to two pixels (JFIF 1.02, page 3).
pub(crate) fn to_rgb(luma: &[u8], cb: &[u8], cr: &[u8], rgb: &mut Vec<u8>) {
    rgb.clear();
    for ((pair, &cb), &cr) in luma.chunks(2).zip(cb).zip(cr) {
        let (cb, cr) = (i32::from(cb) - 128, i32::from(cr) - 128);
        let (red, green, blue) = (91_881 * cr, -22_554 * cb - 46_802 * cr, 116_130 * cb);
        for &y in pair {
            let y = (i32::from(y) << 16) + (1 << 15);
            rgb.extend([red, green, blue].map(|chroma| {
                let sample = ((y + chroma) >> 16).clamp(0, 255);
                u8::try_from(sample).unwrap_or_default()
            }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(size: (u32, u32), rows: &[&[u8]]) -> Vec<Vec<u8>> {
        let mut converter = YCbCrRows::new(size);
        for row in rows {
            converter.push(row);
        }
        let raster = converter.finish();
        let expected = [size, (size.0.div_ceil(2), size.1.div_ceil(2))];
        for (plane, size) in raster.planes.iter().zip([expected[0], expected[1], expected[1]]) {
            assert_eq!((plane.width, plane.height), size);
            assert_eq!(plane.samples.len(), (size.0 * size.1) as usize);
        }
        raster.planes.into_iter().map(|plane| plane.samples).collect()
    }

    #[test]
    fn primaries_have_the_luma_and_chroma_of_jfif() {
        let cases = [
            ([0, 0, 0], [0, 128, 128]),
            ([255, 255, 255], [255, 128, 128]),
            ([255, 0, 0], [76, 85, 255]),
            ([0, 255, 0], [150, 44, 21]),
            ([0, 0, 255], [29, 255, 107]),
        ];
        for (rgb, ycbcr) in cases {
            let planes = rows((1, 1), &[&rgb]);
            assert_eq!(planes.concat(), ycbcr, "{rgb:?}");
            let mut back = Vec::new();
            to_rgb(&planes[0], &planes[1], &planes[2], &mut back);
            assert!(
                back.iter()
                    .zip(rgb)
                    .all(|(back, sample)| back.abs_diff(sample) <= 1),
                "{back:?}"
            );
        }
    }

    #[test]
    fn every_colour_is_rounded_to_the_nearest_sample() {
        let steps = || (0..=255_u8).step_by(15).chain([1, 127, 128, 254]);
        for red in steps() {
            for green in steps() {
                for blue in steps() {
                    let [r, g, b] = [red, green, blue].map(f64::from);
                    let exact = [
                        0.299 * r + 0.587 * g + 0.114 * b,
                        -0.168_736 * r - 0.331_264 * g + 0.5 * b + 128.0,
                        0.5 * r - 0.418_688 * g - 0.081_312 * b + 128.0,
                    ];
                    let converted = rows((1, 1), &[&[red, green, blue]]).concat();
                    for (converted, exact) in converted.into_iter().zip(exact) {
                        let error = (f64::from(converted) - exact).abs();
                        assert!(error < 0.52, "{red} {green} {blue}: {converted} for {exact}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_chroma_sample_is_the_mean_of_its_four_pixels() {
        let (red, black) = ([255, 0, 0], [0; 3]);
        let planes = rows(
            (3, 3),
            &[
                &[red, red, black].concat(),
                &[black; 3].concat(),
                &[red; 3].concat(),
            ],
        );
        assert_eq!(planes[0], [76, 76, 0, 0, 0, 0, 76, 76, 76]);
        assert_eq!(planes[1], [106, 128, 85, 85]);
        assert_eq!(planes[2], [192, 128, 255, 255]);
    }

    #[test]
    fn luma_and_subsampled_chroma_convert_to_rgb() {
        let mut rgb = vec![9; 3];
        to_rgb(&[0, 255, 76], &[128, 85], &[128, 255], &mut rgb);
        assert_eq!(rgb, [0, 0, 0, 255, 255, 255, 254, 0, 0]);
    }
}
