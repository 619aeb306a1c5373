//! What each sample of the source counts for each sample of the target.

use std::f64::consts::PI;

/// Fractional bits of the samples between the two passes.
pub(crate) const LINE_BITS: u32 = 6;
/// Samples, weights and rows are worked on in pieces of this size.
pub(crate) const PIECE: usize = 16;

/// What weights depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    /// Samples of the source.
    length: usize,
    /// How much of them is resized: the bits of the number.
    part: u64,
    /// Samples of the target.
    target: usize,
}

impl Key {
    pub(crate) fn new(length: usize, part: f64, target: usize) -> Self {
        Self {
            length,
            part: part.to_bits(),
            target,
        }
    }
}

/// The weights of one direction.
#[derive(Debug)]
pub(crate) struct Weights {
    pub(crate) key: Key,
    /// A weight of one is `1 << bits`.
    pub(crate) bits: u32,
    /// Weights for each sample of the target, those behind its last sample zero; a multiple of [`PIECE`].
    pub(crate) taps: usize,
    /// For each sample of the target the first of the source's, and how many.
    pub(crate) spans: Vec<(u32, u32)>,
    pub(crate) values: Vec<i16>,
}

/// More would overflow a sum of 32 bits: samples have 8 + [`LINE_BITS`] bits, and the magnitudes of
/// weights add up to less than 1.6 in each direction.
const MOST_BITS: u32 = 15;
const LOBES: f64 = 3.0;

impl Weights {
    pub(crate) fn new(key: Key) -> Self {
        let scale = f64::from_bits(key.part) / key.target as f64;
        let stretch = scale.max(1.0);
        let mut spans = Vec::with_capacity(key.target);
        let mut exact = Vec::new();
        for index in 0..key.target {
            let center = (index as f64 + 0.5) * scale;
            let nearest = |place: f64| (place.round().max(0.0) as usize).min(key.length);
            let first = nearest(center - LOBES * stretch).min(key.length - 1);
            let end = nearest(center + LOBES * stretch).max(first + 1);
            let start = exact.len();
            exact.extend((first..end).map(|place| lanczos((place as f64 + 0.5 - center) / stretch)));
            let sum: f64 = exact[start..].iter().sum();
            for weight in &mut exact[start..] {
                *weight /= sum;
            }
            spans.push((first as u32, (end - first) as u32));
        }
        let largest = exact.iter().fold(0.0, |most: f64, weight| most.max(weight.abs()));
        let fits = |bits: &u32| largest * f64::from(1u32 << bits) < f64::from(i16::MAX);
        let bits = (0..=MOST_BITS).rev().find(fits).unwrap_or_default();
        let longest = spans
            .iter()
            .map(|&(_, count)| count as usize)
            .max()
            .unwrap_or_default();
        let taps = longest.next_multiple_of(PIECE);
        let mut values = vec![0; taps * key.target];
        let mut exact = exact.into_iter();
        for (&(_, count), values) in spans.iter().zip(values.chunks_exact_mut(taps)) {
            // Rounded so that they add up to exactly one, and no weight is off by more than a whole.
            let (mut sum, mut given) = (0.0, 0);
            for (value, weight) in values.iter_mut().zip(exact.by_ref().take(count as usize)) {
                sum += weight * f64::from(1u32 << bits);
                *value = (sum.round() as i32 - given) as i16;
                given += i32::from(*value);
            }
        }
        Self {
            key,
            bits,
            taps,
            spans,
            values,
        }
    }

    /// The first sample of the source, how many there are, and their weights, for a sample of the target.
    pub(crate) fn of(&self, index: usize) -> (usize, usize, &[i16]) {
        let (first, count) = self.spans[index];
        let count = count as usize;
        (first as usize, count, &self.values[index * self.taps..][..count])
    }

    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.values) + size_of_val(&*self.spans)
    }
}

/// The sum of samples with [`LINE_BITS`] and weights as a sample.
pub(crate) const fn shift_of(weights: &Weights) -> u32 {
    weights.bits + LINE_BITS
}

/// `sinc(x)·sinc(x/3)` within three lobes (C. Duchon, "Lanczos Filtering in One and Two Dimensions", 1979).
fn lanczos(x: f64) -> f64 {
    let sinc = |x: f64| if x == 0.0 { 1.0 } else { (PI * x).sin() / (PI * x) };
    if x.abs() < LOBES {
        sinc(x) * sinc(x / LOBES)
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_add_up_to_one() {
        for (length, part, target) in [
            (2000, 2000.0, 1024),
            (2251, 2250.375, 1024),
            (1, 1.0, 1),
            (3, 2.5, 7),
            (65_535, 65_535.0, 256),
            (65_535, 0.01, 1),
            (65_535, 65_535.0, 1),
            (100, 100.0, 100),
        ] {
            let weights = Weights::new(Key::new(length, part, target));
            assert!(weights.taps.is_multiple_of(PIECE));
            for index in 0..target {
                let (first, count, values) = weights.of(index);
                assert!(first + count <= length, "{length} {target}");
                let sum: i32 = values.iter().map(|&value| i32::from(value)).sum();
                assert_eq!(sum, 1 << weights.bits, "{length} {target} {index}");
                let magnitudes: i64 = values.iter().map(|&value| i64::from(value).abs()).sum();
                assert!(
                    magnitudes < (16 << weights.bits) / 10,
                    "{length} {target} {index}"
                );
            }
        }
    }

    #[test]
    fn the_same_size_weighs_each_sample_alone() {
        let weights = Weights::new(Key::new(9, 9.0, 9));
        for index in 0..9 {
            let (first, _, values) = weights.of(index);
            for (place, &value) in (first..).zip(values) {
                assert_eq!(value, if place == index { 1 << weights.bits } else { 0 });
            }
        }
    }
}
