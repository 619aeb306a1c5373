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
            light: Vec::with_capacity(width * height),
            tints: [tint(), tint()],
            waiting: Vec::new(),
        }
    }

    /// The next row: red, green and blue of each pixel.
    pub(crate) fn push(&mut self, row: &[u8]) {
        self.light
            .extend(row.as_chunks::<3>().0.iter().copied().map(light));
        if self.waiting.is_empty() {
            self.waiting.extend_from_slice(row);
        } else {
            let upper = std::mem::take(&mut self.waiting);
            self.tint(&upper, row);
            self.waiting = upper;
            self.waiting.clear();
        }
    }

    /// The picture. Rows that never came are missing.
    pub(crate) fn finish(mut self) -> Raster {
        if !self.waiting.is_empty() {
            // Where there is no lower row or right neighbour, its twin stands in.
            let last = std::mem::take(&mut self.waiting);
            self.tint(&last, &last);
        }
        let halved = (self.size.0.div_ceil(2), self.size.1.div_ceil(2));
        let [blueness, redness] = self.tints;
        Raster {
            colour: Colour::Ycc,
            planes: vec![
                Plane::whole(self.size, self.light),
                Plane::whole(halved, blueness),
                Plane::whole(halved, redness),
            ],
        }
    }

    /// A row of tints from two rows of pixels.
    fn tint(&mut self, upper: &[u8], lower: &[u8]) {
        let [blueness, redness] = &mut self.tints;
        let mut add = |sums: [i32; 3]| {
            let [blue, red] = tints(sums);
            blueness.push(blue);
            redness.push(red);
        };
        let (uppers, upper_last) = upper.as_chunks::<6>();
        let (lowers, lower_last) = lower.as_chunks::<6>();
        for ([r1, g1, b1, r2, g2, b2], [r3, g3, b3, r4, g4, b4]) in uppers.iter().zip(lowers) {
            let sum = |samples: [&u8; 4]| samples.into_iter().map(|&sample| i32::from(sample)).sum();
            add([
                sum([r1, r2, r3, r4]),
                sum([g1, g2, g3, g4]),
                sum([b1, b2, b3, b4]),
            ]);
        }
        if let ([r1, g1, b1], [r3, g3, b3]) = (upper_last, lower_last) {
            let sum = |above: &u8, below: &u8| 2 * (i32::from(*above) + i32::from(*below));
            add([sum(r1, r3), sum(g1, g3), sum(b1, b3)]);
        }
    }
}

/// 65 536 times .299, .587 and .114; they add up.
const LIGHT: [i32; 3] = [19_595, 38_470, 7_471];
/// 65 536 times .168 736, .331 264 and .5, and .5, .418 688 and .081 312.
const BLUENESS: [i32; 3] = [-11_058, -21_710, 32_768];
const REDNESS: [i32; 3] = [32_768, -27_439, -5_329];

fn light([red, green, blue]: [u8; 3]) -> u8 {
    let sum =
        LIGHT[0] * i32::from(red) + LIGHT[1] * i32::from(green) + LIGHT[2] * i32::from(blue) + (1 << 15);
    u8::try_from(sum >> 16).unwrap_or(u8::MAX)
}

/// The tints of four pixels by the sums of their parts.
fn tints([red, green, blue]: [i32; 3]) -> [u8; 2] {
    [BLUENESS, REDNESS].map(|[r, g, b]| {
        let sum = r * red + g * green + b * blue;
        // A quarter of a 65 536th, rounded; 128 is no tint. The bluest blue is half a step beyond 255.
        u8::try_from((((sum + (1 << 17)) >> 18) + 128).clamp(0, 255)).unwrap_or(u8::MAX)
    })
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
