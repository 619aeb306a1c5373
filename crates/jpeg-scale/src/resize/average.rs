//! Means of neighbouring samples, for planes that are very much larger than their target.

use crate::planes::{Plane, Samples};

/// So many samples of the source for one of the target's are left to Lanczos; it takes six times as many weights.
const ENOUGH: f64 = 16.0;

/// How many samples remain of so many for so many of the target: all, unless there are more than twice enough.
pub(crate) fn enough(part: f64, target: usize) -> usize {
    let all = part.ceil() as usize;
    if part < 2.0 * ENOUGH * target as f64 {
        all
    } else {
        ENOUGH as usize * target
    }
}

/// The upper left part of a plane, whose edges may be within samples, as a plane of this many means. They are of
/// rectangles that are alike but for one column and row.
pub(crate) fn averaged(source: Samples<'_>, part: (f64, f64), (width, height): (usize, usize)) -> Plane {
    let (columns, rows) = (part.0.ceil() as usize, part.1.ceil() as usize);
    let edge = |index: usize, of: usize, count: usize| (index as u128 * of as u128 / count as u128) as usize;
    let mut data = Vec::with_capacity(width * height);
    let mut sums = vec![0_u64; width];
    for y in 0..height {
        let (top, bottom) = (edge(y, rows, height), edge(y + 1, rows, height));
        sums.fill(0);
        for line in source.data.chunks_exact(source.stride).take(bottom).skip(top) {
            let mut left = 0;
            for (x, sum) in sums.iter_mut().enumerate() {
                let right = edge(x + 1, columns, width);
                *sum += line[left..right]
                    .iter()
                    .map(|&sample| u64::from(sample))
                    .sum::<u64>();
                left = right;
            }
        }
        let mut left = 0;
        for (x, sum) in sums.iter().enumerate() {
            let right = edge(x + 1, columns, width);
            let count = ((right - left) * (bottom - top)) as u64;
            data.push(((sum + count / 2) / count) as u8);
            left = right;
        }
    }
    Plane {
        width,
        height,
        stride: width,
        data,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_photos_are_left_to_lanczos() {
        assert_eq!(enough(1999.5, 1024), 2000);
        assert_eq!(enough(8191.9, 256), 8192);
        assert_eq!(enough(8192.0, 256), 4096);
        assert_eq!(enough(100_000_000.0, 1), 16);
    }

    #[test]
    fn means_are_of_rectangles_that_are_alike() {
        let source = Plane {
            width: 6,
            height: 3,
            stride: 7,
            data: vec![
                10, 20, 1, 3, 200, 99, 0, //
                30, 40, 2, 2, 100, 99, 0, //
                7, 8, 255, 254, 9, 99, 0,
            ],
        };
        let plane = averaged(source.samples(), (4.5, 2.5), (2, 3));
        assert_eq!((plane.width, plane.height, plane.stride), (2, 3, 2));
        assert_eq!(plane.data, [15, 68, 35, 35, 8, 173]);
        let whole = averaged(source.samples(), (5.0, 3.0), (5, 3));
        assert_eq!(whole.data[..5], source.data[..5]);
    }
}
