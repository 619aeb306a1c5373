//! Both passes on any CPU.

use super::weights::{Weights, shift_of};

/// Vertical pass: the weighted sum of rows, which are at least as long as `line`, with fractional bits.
#[inline(always)]
pub(crate) fn add_rows(rows: &[&[u8]], weights: &[i16], shift: u32, line: &mut [i16]) {
    add_columns(rows, weights, shift, line, 0);
}

/// The columns from `start` on.
#[inline(always)]
pub(crate) fn add_columns(rows: &[&[u8]], weights: &[i16], shift: u32, line: &mut [i16], start: usize) {
    /// Columns whose sums fit into registers.
    const COLUMNS: usize = 16;
    for (chunk, to) in line[start..].chunks_mut(COLUMNS).enumerate() {
        let at = start + chunk * COLUMNS;
        let mut sums = [1i32 << (shift - 1); COLUMNS];
        for (row, &weight) in rows.iter().zip(weights) {
            for (sum, &sample) in sums.iter_mut().zip(&row[at..at + to.len()]) {
                *sum += i32::from(sample) * i32::from(weight);
            }
        }
        for (to, sum) in to.iter_mut().zip(sums) {
            *to = (sum >> shift).clamp(i16::MIN.into(), i16::MAX.into()) as i16;
        }
    }
}

/// Horizontal pass: each sample of the target is a weighted sum of samples of `line`.
#[inline(always)]
pub(crate) fn add_samples(line: &[i16], weights: &Weights, to: &mut [u8]) {
    add_samples_from(line, weights, to, 0);
}

/// The samples from `start` on.
#[inline(always)]
pub(crate) fn add_samples_from(line: &[i16], weights: &Weights, to: &mut [u8], start: usize) {
    let shift = shift_of(weights);
    for (index, to) in to.iter_mut().enumerate().skip(start) {
        let (first, count, values) = weights.for_sample(index);
        let products = line[first..first + count].iter().zip(values);
        let sum: i32 = products
            .map(|(&sample, &weight)| i32::from(sample) * i32::from(weight))
            .sum();
        *to = ((sum + (1 << (shift - 1))) >> shift).clamp(0, 255) as u8;
    }
}
