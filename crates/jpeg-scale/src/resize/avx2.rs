//! Both passes in AVX2 registers.

use std::arch::x86_64::{
    __m256i, _mm_cvtsi32_si128, _mm_packs_epi32, _mm_packus_epi16, _mm256_add_epi32, _mm256_castsi256_si128,
    _mm256_extracti128_si256, _mm256_hadd_epi32, _mm256_madd_epi16, _mm256_packs_epi32,
    _mm256_permute2x128_si256, _mm256_set1_epi32, _mm256_sra_epi32, _mm256_unpackhi_epi8,
    _mm256_unpacklo_epi8,
};

use super::portable;
use super::weights::{CHUNK, Weights, shift_of};

type V = __m256i;
const ZERO: V = bytemuck::must_cast([0i16; 16]);
/// Columns that are summed at once.
const COLUMNS: usize = 64;
/// Target samples that are summed at once.
const SAMPLES: usize = 8;

/// Vertical pass: the weighted sum of rows, which are at least as long as `line`, with fractional bits.
#[target_feature(enable = "avx2")]
#[inline]
pub(crate) fn add_rows(rows: &[&[u8]], weights: &[i16], shift: u32, line: &mut [i16]) {
    let whole = line.len() / COLUMNS * COLUMNS;
    for (chunk, to) in line.as_chunks_mut::<COLUMNS>().0.iter_mut().enumerate() {
        *to = columns(rows, weights, shift, chunk * COLUMNS);
    }
    portable::add_columns(rows, weights, shift, line, whole);
}

/// Sums of `COLUMNS` columns.
#[target_feature(enable = "avx2")]
#[inline]
fn columns(rows: &[&[u8]], weights: &[i16], shift: u32, at: usize) -> [i16; COLUMNS] {
    let mut sums = [[_mm256_set1_epi32(1 << (shift - 1)); 4]; 2];
    let (row_pairs, last_row) = rows.as_chunks::<2>();
    let (weight_pairs, last_weight) = weights.as_chunks::<2>();
    for ([upper, lower], &weights) in row_pairs.iter().zip(weight_pairs) {
        add_two(&mut sums, load(upper, at), load(lower, at), weights);
    }
    if let ([row], [weight]) = (last_row, last_weight) {
        add_two(&mut sums, load(row, at), [ZERO; 2], [*weight, 0]);
    }
    bytemuck::must_cast([rounded(sums[0], shift), rounded(sums[1], shift)])
}

/// Sums of 32 columns, rounded to samples of the line.
#[target_feature(enable = "avx2")]
#[inline]
fn rounded(mut sums: [V; 4], shift: u32) -> [V; 2] {
    let shift = _mm_cvtsi32_si128(shift as i32);
    for sum in &mut sums {
        *sum = _mm256_sra_epi32(*sum, shift);
    }
    let [a, b, c, d] = sums;
    // Each register contains columns 0 to 7 and 16 to 23, or 8 to 15 and 24 to 31.
    let (left, right) = (_mm256_packs_epi32(a, b), _mm256_packs_epi32(c, d));
    [
        _mm256_permute2x128_si256::<0x20>(left, right),
        _mm256_permute2x128_si256::<0x31>(left, right),
    ]
}

/// Adds the samples of two rows, each times its weight.
#[target_feature(enable = "avx2")]
#[inline]
fn add_two(sums: &mut [[V; 4]; 2], upper: [V; 2], lower: [V; 2], weights: [i16; 2]) {
    let both = _mm256_set1_epi32(bytemuck::must_cast(weights));
    for (sums, (upper, lower)) in sums.iter_mut().zip(upper.into_iter().zip(lower)) {
        let (left, right) = (
            _mm256_unpacklo_epi8(upper, lower),
            _mm256_unpackhi_epi8(upper, lower),
        );
        let pairs = [
            _mm256_unpacklo_epi8(left, ZERO),
            _mm256_unpackhi_epi8(left, ZERO),
            _mm256_unpacklo_epi8(right, ZERO),
            _mm256_unpackhi_epi8(right, ZERO),
        ];
        for (sum, pairs) in sums.iter_mut().zip(pairs) {
            *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(pairs, both));
        }
    }
}

#[target_feature(enable = "avx2")]
#[inline]
fn load(row: &[u8], at: usize) -> [V; 2] {
    let samples = row[at..at + COLUMNS].first_chunk::<COLUMNS>();
    bytemuck::must_cast(*samples.unwrap_or(&[0; COLUMNS]))
}

/// Horizontal pass: each sample of the target is a weighted sum of samples of `line`.
#[target_feature(enable = "avx2")]
#[inline]
pub(crate) fn add_samples(line: &[i16], weights: &Weights, to: &mut [u8]) {
    let done = match weights.taps / CHUNK {
        1 => eight_at_a_time::<1>(line, weights, to),
        2 => eight_at_a_time::<2>(line, weights, to),
        3 => eight_at_a_time::<3>(line, weights, to),
        // For large reductions nearly all of the time is spent in the vertical pass.
        _ => 0,
    };
    portable::add_samples_from(line, weights, to, done);
}

/// Computes the samples in groups of eight, with `CHUNKS` chunks of weights each, and returns their number.
#[target_feature(enable = "avx2")]
#[inline]
fn eight_at_a_time<const CHUNKS: usize>(line: &[i16], weights: &Weights, to: &mut [u8]) -> usize {
    let shift = shift_of(weights);
    let half = _mm256_set1_epi32(1 << (shift - 1));
    let shift = _mm_cvtsi32_si128(shift as i32);
    let chunks = weights.values.as_chunks::<CHUNK>().0.as_chunks::<CHUNKS>().0;
    let groups = chunks.as_chunks::<SAMPLES>().0.iter();
    let spans = weights.spans.as_chunks::<SAMPLES>().0;
    for ((to, spans), values) in to.as_chunks_mut::<SAMPLES>().0.iter_mut().zip(spans).zip(groups) {
        let sum = |index: usize| dot(line, spans[index].0 as usize, &values[index]);
        let four_sums = |index: usize| {
            let left = _mm256_hadd_epi32(sum(index), sum(index + 1));
            _mm256_hadd_epi32(left, _mm256_hadd_epi32(sum(index + 2), sum(index + 3)))
        };
        let (left, right) = (four_sums(0), four_sums(4));
        let low = _mm256_permute2x128_si256::<0x20>(left, right);
        let high = _mm256_permute2x128_si256::<0x31>(left, right);
        let sums = _mm256_sra_epi32(_mm256_add_epi32(_mm256_add_epi32(low, high), half), shift);
        let words = _mm_packs_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256::<1>(sums));
        let [bytes, _]: [[u8; SAMPLES]; 2] = bytemuck::must_cast(_mm_packus_epi16(words, words));
        *to = bytes;
    }
    to.len() / SAMPLES * SAMPLES
}

/// Products of samples and weights; every eighth pair of products is summed.
#[target_feature(enable = "avx2")]
#[inline]
fn dot<const CHUNKS: usize>(line: &[i16], first: usize, values: &[[i16; CHUNK]; CHUNKS]) -> V {
    let mut sum = ZERO;
    for (chunk, values) in values.iter().enumerate() {
        let at = first + chunk * CHUNK;
        let samples = line[at..at + CHUNK].first_chunk::<CHUNK>();
        let samples = bytemuck::must_cast(*samples.unwrap_or(&[0; CHUNK]));
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(samples, bytemuck::must_cast(*values)));
    }
    sum
}
