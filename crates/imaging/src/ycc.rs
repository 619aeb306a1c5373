//! Light and tints (JFIF 1.02, page 3: the luma and chroma of ITU-R BT.601, in full range), the tints at half the size:
//! all that a thumbnail needs, whatever the picture came as.

use crate::raster::{Colour, Plane, Raster};

/// Takes a picture in red, green and blue row by row, and keeps its light and tints.
#[derive(Debug)]
pub(crate) struct YccRows {
    size: (u32, u32),
    light: Vec<u8>,
    tints: [Vec<u8>; 2],
    /// The upper row of a pair whose lower one has not come yet.
    waiting: Vec<u8>,
}

impl YccRows {
    pub(crate) fn new(size: (u32, u32)) -> Self {
        let (width, height) = (size.0 as usize, size.1 as usize);
        let tint = || Vec::with_capacity(width.div_ceil(2) * height.div_ceil(2));
        Self {
            size,
            // Rows are taken in pairs.
            light: Vec::with_capacity(width * height.next_multiple_of(2)),
            tints: [tint(), tint()],
            waiting: Vec::new(),
        }
    }

    /// The next row: red, green and blue of each pixel.
    pub(crate) fn push(&mut self, row: &[u8]) {
        if self.waiting.is_empty() {
            self.waiting.extend_from_slice(row);
            return;
        }
        let mut upper = std::mem::take(&mut self.waiting);
        self.take_pair(&upper, row);
        upper.clear();
        self.waiting = upper;
    }

    /// The picture. Rows that never came are missing.
    pub(crate) fn finish(mut self) -> Raster {
        if !self.waiting.is_empty() {
            // Where there is no lower row or right neighbour, its twin stands in.
            let last = std::mem::take(&mut self.waiting);
            let light = self.light.len() + last.len() / 3;
            self.take_pair(&last, &last);
            self.light.truncate(light);
        }
        let [blueness, redness] = self.tints;
        Raster {
            colour: Colour::Ycc,
            planes: vec![
                Plane::whole(self.size, self.light),
                Plane::tints(self.size, blueness),
                Plane::tints(self.size, redness),
            ],
        }
    }

    /// Light and tints of two rows of pixels.
    fn take_pair(&mut self, upper: &[u8], lower: &[u8]) {
        let width = upper.len() / 3;
        let (above, below) = added(&mut self.light, 2 * width).split_at_mut(width);
        let (upper, upper_last) = upper.as_chunks::<6>();
        let (lower, lower_last) = lower.as_chunks::<6>();
        let (above, above_last) = above.as_chunks_mut();
        let (below, below_last) = below.as_chunks_mut();
        let [blueness, redness] = &mut self.tints;
        let tints = added(blueness, upper.len())
            .iter_mut()
            .zip(added(redness, upper.len()));
        let light = above.iter_mut().zip(below);
        for (((upper, lower), (above, below)), (blueness, redness)) in
            upper.iter().zip(lower).zip(light).zip(tints)
        {
            let (&[r1, g1, b1, r2, g2, b2], &[r3, g3, b3, r4, g4, b4]) = (upper, lower);
            let [a, b] = [Sum::of(r1, g1, b1), Sum::of(r2, g2, b2)];
            let [c, d] = [Sum::of(r3, g3, b3), Sum::of(r4, g4, b4)];
            *above = [a.light(), b.light()];
            *below = [c.light(), d.light()];
            let sum = a.and(b).and(c).and(d);
            (*blueness, *redness) = (sum.blueness(), sum.redness());
        }
        if let (&[r1, g1, b1], &[r3, g3, b3]) = (upper_last, lower_last)
            && let ([above], [below]) = (above_last, below_last)
        {
            let [a, c] = [Sum::of(r1, g1, b1), Sum::of(r3, g3, b3)];
            (*above, *below) = (a.light(), c.light());
            let sum = a.and(a).and(c).and(c);
            let [blueness, redness] = &mut self.tints;
            blueness.push(sum.blueness());
            redness.push(sum.redness());
        }
    }
}

/// So many new samples at the end.
fn added(samples: &mut Vec<u8>, count: usize) -> &mut [u8] {
    let start = samples.len();
    samples.resize(start + count, 0);
    samples.get_mut(start..).unwrap_or_default()
}

/// Light and both tints of up to four pixels, side by side in one number, so that an addition adds all three: 26 bits of
/// light with a fraction of 16, and 19 bits for each tint with a fraction of 8. Four times the most of any of them fits.
#[derive(Debug, Clone, Copy)]
struct Sum(u64);

const BLUENESS_AT: u32 = 26;
const REDNESS_AT: u32 = 45;

/// What each sample adds to the sum; 65 536 times .299, −.168 736 and .5 for red, and so on. Halves for rounding, and the
/// 128 that is no tint, come with red.
static OF_RED: [u64; 256] = parts([19_595, -11_058, 32_768], true);
static OF_GREEN: [u64; 256] = parts([38_470, -21_710, -27_439], false);
static OF_BLUE: [u64; 256] = parts([7_471, 32_768, -5_329], false);

#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "evaluated by the compiler, which would refuse"
)]
const fn parts([light, blueness, redness]: [i64; 3], rounds: bool) -> [u64; 256] {
    let mut parts = [0; 256];
    let mut sample = 0;
    while sample < 256 {
        let (half, no_tint) = if rounds {
            (1 << 15, (128 << 8) + (1 << 7))
        } else {
            (0, 0)
        };
        let blueness = ((blueness * sample + (1 << 7)) >> 8) + no_tint;
        let redness = ((redness * sample + (1 << 7)) >> 8) + no_tint;
        let part = (light * sample + half)
            .wrapping_add(blueness << BLUENESS_AT)
            .wrapping_add(redness << REDNESS_AT);
        parts[sample as usize] = part as u64;
        sample += 1;
    }
    parts
}

impl Sum {
    fn of(red: u8, green: u8, blue: u8) -> Self {
        let part =
            |parts: &[u64; 256], sample: u8| parts.get(usize::from(sample)).copied().unwrap_or_default();
        // Parts may be negative, sums never are.
        let red_and_green = part(&OF_RED, red).wrapping_add(part(&OF_GREEN, green));
        Self(red_and_green.wrapping_add(part(&OF_BLUE, blue)))
    }

    fn and(self, other: Self) -> Self {
        Self(self.0.wrapping_add(other.0))
    }

    /// The light of a single pixel.
    fn light(self) -> u8 {
        let [_, _, light, ..] = self.0.to_le_bytes();
        light
    }

    /// The mean of four pixels. The bluest blue is half a step beyond 255.
    fn blueness(self) -> u8 {
        ((self.0 >> (BLUENESS_AT + 10)) & 0x1FF).min(255) as u8
    }

    /// The mean of four pixels.
    fn redness(self) -> u8 {
        (self.0 >> (REDNESS_AT + 10)).min(255) as u8
    }
}

/// The red, green and blue of a row of pixels by their light and the tints of every two (JFIF 1.02, page 3).
pub(crate) fn to_rgb(light: &[u8], blueness: &[u8], redness: &[u8], rgb: &mut Vec<u8>) {
    rgb.clear();
    for ((pair, &cb), &cr) in light.chunks(2).zip(blueness).zip(redness) {
        let (cb, cr) = (i32::from(cb) - 128, i32::from(cr) - 128);
        let (red, green, blue) = (91_881 * cr, -22_554 * cb - 46_802 * cr, 116_130 * cb);
        for &y in pair {
            let y = (i32::from(y) << 16) + (1 << 15);
            rgb.extend([red, green, blue].map(|part| {
                let sample = ((y + part) >> 16).clamp(0, 255);
                u8::try_from(sample).unwrap_or_default()
            }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(size: (u32, u32), rows: &[&[u8]]) -> Vec<Vec<u8>> {
        let mut taken = YccRows::new(size);
        for row in rows {
            taken.push(row);
        }
        let raster = taken.finish();
        let expected = [size, (size.0.div_ceil(2), size.1.div_ceil(2))];
        for (plane, size) in raster.planes.iter().zip([expected[0], expected[1], expected[1]]) {
            assert_eq!((plane.width, plane.height), size);
            assert_eq!(plane.samples.len(), (size.0 * size.1) as usize);
        }
        raster.planes.into_iter().map(|plane| plane.samples).collect()
    }

    #[test]
    fn primaries_have_the_light_and_tints_of_jfif() {
        let cases = [
            ([0, 0, 0], [0, 128, 128]),
            ([255, 255, 255], [255, 128, 128]),
            ([255, 0, 0], [76, 85, 255]),
            ([0, 255, 0], [150, 44, 21]),
            ([0, 0, 255], [29, 255, 107]),
        ];
        for (rgb, ycc) in cases {
            let planes = rows((1, 1), &[&rgb]);
            assert_eq!(planes.concat(), ycc, "{rgb:?}");
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
    fn every_colour_is_rounded_to_the_nearest() {
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
                    let taken = rows((1, 1), &[&[red, green, blue]]).concat();
                    for (taken, exact) in taken.into_iter().zip(exact) {
                        let error = (f64::from(taken) - exact).abs();
                        assert!(error < 0.52, "{red} {green} {blue}: {taken} for {exact}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_tint_is_the_mean_of_its_four_pixels() {
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
    fn light_and_half_the_tints_become_colours_again() {
        let mut rgb = vec![9; 3];
        to_rgb(&[0, 255, 76], &[128, 85], &[128, 255], &mut rgb);
        assert_eq!(rgb, [0, 0, 0, 255, 255, 255, 254, 0, 0]);
    }
}
