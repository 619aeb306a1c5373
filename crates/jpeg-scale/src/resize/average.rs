//! Averages of adjacent samples, for planes that are much larger than their target.

use crate::planes::{Plane, Samples};

/// Samples that remain for each target sample after averaging; Lanczos3 takes six times as many weights.
const AVERAGED_RATIO: f64 = 16.0;

/// Length of a region after averaging: its own, unless it has more than twice `AVERAGED_RATIO` samples for
/// each target sample.
pub(crate) fn reduced_length(region: f64, target: usize) -> usize {
    let all = region.ceil() as usize;
    if region < 2.0 * AVERAGED_RATIO * target as f64 {
        all
    } else {
        AVERAGED_RATIO as usize * target
    }
}

/// Reduces the upper left region of a plane, whose edges may be fractional, to a plane of `width` × `height`
/// averages. The averaged boxes differ in size by at most one column and one row.
pub(crate) fn box_average(source: Samples<'_>, region: (f64, f64), (width, height): (usize, usize)) -> Plane {
    let (columns, rows) = (region.0.ceil() as usize, region.1.ceil() as usize);
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
        assert_eq!(reduced_length(1999.5, 1024), 2000);
        assert_eq!(reduced_length(8191.9, 256), 8192);
        assert_eq!(reduced_length(8192.0, 256), 4096);
        assert_eq!(reduced_length(100_000_000.0, 1), 16);
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
        let plane = box_average(source.samples(), (4.5, 2.5), (2, 3));
        assert_eq!((plane.width, plane.height, plane.stride), (2, 3, 2));
        assert_eq!(plane.data, [15, 68, 35, 35, 8, 173]);
        let whole = box_average(source.samples(), (5.0, 3.0), (5, 3));
        assert_eq!(whole.data[..5], source.data[..5]);
    }
}
