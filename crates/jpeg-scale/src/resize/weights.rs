//! Weights of source samples for each target sample.

use std::f64::consts::PI;

/// Fractional bits of the samples between the two passes.
pub(crate) const LINE_BITS: u32 = 6;
/// Number of samples and weights that are processed at once.
pub(crate) const CHUNK: usize = 16;

/// Parameters that determine the weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WeightsKey {
    /// Number of source samples.
    length: usize,
    /// Length of the resized region in source samples, as the bits of an `f64`.
    region: u64,
    /// Number of target samples.
    target: usize,
}

impl WeightsKey {
    pub(crate) fn new(length: usize, region: f64, target: usize) -> Self {
        Self {
            length,
            region: region.to_bits(),
            target,
        }
    }
}

/// Weights of one direction.
#[derive(Debug)]
pub(crate) struct Weights {
    pub(crate) key: WeightsKey,
    /// A weight of one is `1 << bits`.
    pub(crate) bits: u32,
    /// Weights stored for each target sample, padded with zeros; a multiple of [`CHUNK`].
    pub(crate) taps: usize,
    /// First source sample and number of source samples for each target sample.
    pub(crate) spans: Vec<(u32, u32)>,
    pub(crate) values: Vec<i16>,
}

/// Maximum of `bits`. More would overflow a 32-bit sum: samples have 8 + [`LINE_BITS`] bits, and the
/// magnitudes of the weights sum to less than 1.6 in each direction.
const MAX_WEIGHT_BITS: u32 = 15;
const LOBES: f64 = 3.0;

impl Weights {
    pub(crate) fn new(key: WeightsKey) -> Self {
        let scale = f64::from_bits(key.region) / key.target as f64;
        let stretch = scale.max(1.0);
        let mut spans = Vec::with_capacity(key.target);
        let mut exact = Vec::new();
        for index in 0..key.target {
            let center = (index as f64 + 0.5) * scale;
            let nearest = |position: f64| (position.round().max(0.0) as usize).min(key.length);
            let first = nearest(center - LOBES * stretch).min(key.length - 1);
            let end = nearest(center + LOBES * stretch).max(first + 1);
            let start = exact.len();
            exact.extend((first..end).map(|position| lanczos((position as f64 + 0.5 - center) / stretch)));
            let sum: f64 = exact[start..].iter().sum();
            for weight in &mut exact[start..] {
                *weight /= sum;
            }
            spans.push((first as u32, (end - first) as u32));
        }
        let largest = exact.iter().fold(0.0, |max: f64, weight| max.max(weight.abs()));
        let fits = |bits: &u32| largest * f64::from(1u32 << bits) < f64::from(i16::MAX);
        let bits = (0..=MAX_WEIGHT_BITS).rev().find(fits).unwrap_or_default();
        let longest = spans
            .iter()
            .map(|&(_, count)| count as usize)
            .max()
            .unwrap_or_default();
        let taps = longest.next_multiple_of(CHUNK);
        let mut values = vec![0; taps * key.target];
        let mut exact = exact.into_iter();
        for (&(_, count), values) in spans.iter().zip(values.chunks_exact_mut(taps)) {
            // Rounded so that the sum is exactly one, with an error below one unit for each weight.
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

    /// First source sample, number of source samples, and their weights for a target sample.
    pub(crate) fn for_sample(&self, index: usize) -> (usize, usize, &[i16]) {
        let (first, count) = self.spans[index];
        let count = count as usize;
        (first as usize, count, &self.values[index * self.taps..][..count])
    }

    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.values) + size_of_val(&*self.spans)
    }
}

/// Right shift that turns a sum of samples with [`LINE_BITS`] and weights into a sample.
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
        for (length, region, target) in [
            (2000, 2000.0, 1024),
            (2251, 2250.375, 1024),
            (1, 1.0, 1),
            (3, 2.5, 7),
            (65_535, 65_535.0, 256),
            (65_535, 0.01, 1),
            (65_535, 65_535.0, 1),
            (100, 100.0, 100),
        ] {
            let weights = Weights::new(WeightsKey::new(length, region, target));
            assert!(weights.taps.is_multiple_of(CHUNK));
            for index in 0..target {
                let (first, count, values) = weights.for_sample(index);
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
        let weights = Weights::new(WeightsKey::new(9, 9.0, 9));
        for index in 0..9 {
            let (first, _, values) = weights.for_sample(index);
            for (position, &value) in (first..).zip(values) {
                assert_eq!(value, if position == index { 1 << weights.bits } else { 0 });
            }
        }
    }
}
