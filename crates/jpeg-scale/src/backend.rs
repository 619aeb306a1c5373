//! Dispatch on the CPU's instruction set. The only module with unsafe code.

use crate::fdct::{self, BlockPair, Divisors, QuantizedBlock};
use crate::group::{Group, GroupSamples};
use crate::idct;
use crate::resize::{self, weights::Weights};

/// Instruction set that the inner loops are compiled for.
///
/// All give the same bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backend(Kind);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
}

/// A computation that is compiled once for each backend.
pub(crate) trait Work {
    type Output;

    /// Runs the computation. Has to be `#[inline(always)]`, as has every function called in its inner loops,
    /// so that the loops are compiled with the backend's instructions.
    fn run<I: Instructions>(self, instructions: I) -> Self::Output;
}

/// Operations on bit sets for which some CPUs have an instruction.
pub(crate) trait Instructions: Copy {
    /// Scatters the low bits of `values` to the positions of the ones of `mask` (BMI2's `pdep`).
    fn deposit_bits(self, values: u64, mask: u64) -> u64;

    /// The one bit of `mask` that has `above` ones above it and `below` ones below it.
    fn nth_set_bit(self, mask: u64, above: usize, below: usize) -> u64;
}

#[derive(Clone, Copy)]
struct Portable;

impl Instructions for Portable {
    #[inline(always)]
    fn deposit_bits(self, mut values: u64, mut mask: u64) -> u64 {
        let mut result = 0;
        while mask != 0 {
            let lowest = mask & mask.wrapping_neg();
            result |= if values & 1 == 0 { 0 } else { lowest };
            values >>= 1;
            mask ^= lowest;
        }
        result
    }

    #[inline(always)]
    fn nth_set_bit(self, mut mask: u64, above: usize, _: usize) -> u64 {
        for _ in 0..above {
            mask &= !(1 << 63 >> (mask.leading_zeros() & 63));
        }
        1 << 63 >> (mask.leading_zeros() & 63)
    }
}

/// BMI2 operations. Constructed only by [`Backend::run`], on CPUs that have them.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
struct Avx2;

#[cfg(target_arch = "x86_64")]
impl Instructions for Avx2 {
    #[inline(always)]
    fn deposit_bits(self, values: u64, mask: u64) -> u64 {
        // SAFETY: an `Avx2` exists only where `Kind::Avx2` does, which is constructed after checking the CPU
        // for BMI2.
        #[allow(unsafe_code)]
        unsafe {
            deposit_bmi2(values, mask)
        }
    }

    #[inline(always)]
    fn nth_set_bit(self, mask: u64, _: usize, below: usize) -> u64 {
        self.deposit_bits(1 << (below & 63), mask)
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "bmi2")]
#[inline]
fn deposit_bmi2(values: u64, mask: u64) -> u64 {
    std::arch::x86_64::_pdep_u64(values, mask)
}

impl Backend {
    /// The fastest backend that this CPU supports, detected at run time.
    pub fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        if std::is_x86_feature_detected!("avx2")
            && std::is_x86_feature_detected!("bmi1")
            && std::is_x86_feature_detected!("bmi2")
            && std::is_x86_feature_detected!("lzcnt")
            && std::is_x86_feature_detected!("movbe")
            && std::is_x86_feature_detected!("popcnt")
        {
            return Self(Kind::Avx2);
        }
        Self::portable()
    }

    /// The backend that every CPU of the architecture supports.
    pub const fn portable() -> Self {
        Self(Kind::Portable)
    }

    pub(crate) fn run<W: Work>(self, work: W) -> W::Output {
        match self.0 {
            Kind::Portable => work.run(Portable),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `Kind::Avx2` is constructed only by `detect`, after checking the CPU for every feature
            // that `run_avx2` enables.
            #[allow(unsafe_code)]
            Kind::Avx2 => unsafe { run_avx2(work) },
        }
    }
}

impl Backend {
    /// Inverse DCT of a group of blocks; sets its coefficients to zero.
    #[inline(always)]
    pub(crate) fn transform<const N: usize>(
        self,
        group: &mut Group,
        steps: &[i16; 64],
        samples: &mut GroupSamples,
    ) {
        match self.0 {
            Kind::Portable => idct::portable::transform::<N>(group, steps, samples),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `Kind::Avx2` is constructed only by `detect`, after checking the CPU for AVX2.
            #[allow(unsafe_code)]
            Kind::Avx2 => unsafe { idct::avx2::transform::<N>(group, steps, samples) },
        }
    }

    /// Forward DCT and quantization of two blocks.
    #[inline(always)]
    pub(crate) fn transform_forward(
        self,
        samples: &BlockPair,
        divisors: &Divisors,
        blocks: &mut [QuantizedBlock; 2],
    ) {
        match self.0 {
            Kind::Portable => fdct::portable::transform(samples, divisors, blocks),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `Kind::Avx2` is constructed only by `detect`, after checking the CPU for AVX2.
            #[allow(unsafe_code)]
            Kind::Avx2 => unsafe { fdct::avx2::transform(samples, divisors, blocks) },
        }
    }

    /// Vertical pass of the resizer: the weighted sum of rows, with fractional bits.
    pub(crate) fn add_rows(self, rows: &[&[u8]], weights: &[i16], shift: u32, line: &mut [i16]) {
        match self.0 {
            Kind::Portable => resize::portable::add_rows(rows, weights, shift, line),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `Kind::Avx2` is constructed only by `detect`, after checking the CPU for AVX2.
            #[allow(unsafe_code)]
            Kind::Avx2 => unsafe { resize::avx2::add_rows(rows, weights, shift, line) },
        }
    }

    /// Horizontal pass of the resizer: each sample of the target is a weighted sum of samples of `line`.
    pub(crate) fn add_samples(self, line: &[i16], weights: &Weights, to: &mut [u8]) {
        match self.0 {
            Kind::Portable => resize::portable::add_samples(line, weights, to),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `Kind::Avx2` is constructed only by `detect`, after checking the CPU for AVX2.
            #[allow(unsafe_code)]
            Kind::Avx2 => unsafe { resize::avx2::add_samples(line, weights, to) },
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,movbe,popcnt")]
#[inline(never)]
fn run_avx2<W: Work>(work: W) -> W::Output {
    work.run(Avx2)
}
