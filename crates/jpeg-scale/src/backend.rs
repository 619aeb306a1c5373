//! Which instructions of the CPU are used. The only module with unsafe code.

use crate::fdct::{self, Block, Divisors, Pair};
use crate::group::{Group, GroupSamples};
use crate::idct;
use crate::resize::{self, weights::Weights};

/// The instructions that the inner loops are compiled for.
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

/// Work that is compiled once for each backend.
pub(crate) trait Work {
    type Output;

    /// Does it; to be `#[inline(always)]`, as is all that it calls in its inner loops.
    fn run<I: Instructions>(self, instructions: I) -> Self::Output;
}

/// Operations on sets of bits for which some CPUs have an instruction.
pub(crate) trait Instructions: Copy {
    /// Puts the lowest bits of `values`, as many as `set` has, in the places of the bits of `set`.
    fn deposit(self, values: u64, set: u64) -> u64;

    /// The bit of `set` that has `before` bits above it and `behind` below it.
    fn nth(self, set: u64, before: usize, behind: usize) -> u64;
}

#[derive(Clone, Copy)]
struct Portable;

impl Instructions for Portable {
    #[inline(always)]
    fn deposit(self, mut values: u64, mut set: u64) -> u64 {
        let mut result = 0;
        while set != 0 {
            let lowest = set & set.wrapping_neg();
            result |= if values & 1 == 0 { 0 } else { lowest };
            values >>= 1;
            set ^= lowest;
        }
        result
    }

    #[inline(always)]
    fn nth(self, mut set: u64, before: usize, _: usize) -> u64 {
        for _ in 0..before {
            set &= !(1 << 63 >> (set.leading_zeros() & 63));
        }
        1 << 63 >> (set.leading_zeros() & 63)
    }
}

/// Made by [`Backend::run`] alone, where the CPU has the instructions.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
struct Avx2;

#[cfg(target_arch = "x86_64")]
impl Instructions for Avx2 {
    #[inline(always)]
    fn deposit(self, values: u64, set: u64) -> u64 {
        // SAFETY: there is an `Avx2` only where `Kind::Avx2` is, which is made after the CPU was asked for BMI2.
        #[allow(unsafe_code)]
        unsafe {
            deposit_bmi2(values, set)
        }
    }

    #[inline(always)]
    fn nth(self, set: u64, _: usize, behind: usize) -> u64 {
        self.deposit(1 << (behind & 63), set)
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "bmi2")]
#[inline]
fn deposit_bmi2(values: u64, set: u64) -> u64 {
    std::arch::x86_64::_pdep_u64(values, set)
}

impl Backend {
    /// The best that this CPU has, asked at run time.
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

    /// What any CPU of the architecture has.
    pub const fn portable() -> Self {
        Self(Kind::Portable)
    }

    pub(crate) fn run<W: Work>(self, work: W) -> W::Output {
        match self.0 {
            Kind::Portable => work.run(Portable),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `Kind::Avx2` is only made by `detect`, after the CPU was asked for every feature that
            // `run_avx2` enables.
            #[allow(unsafe_code)]
            Kind::Avx2 => unsafe { run_avx2(work) },
        }
    }
}

impl Backend {
    /// The inverse DCT of a group of blocks, whose coefficients are zero then.
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
            // SAFETY: `Kind::Avx2` is only made by `detect`, after the CPU was asked for AVX2.
            #[allow(unsafe_code)]
            Kind::Avx2 => unsafe { idct::avx2::transform::<N>(group, steps, samples) },
        }
    }

    /// The forward DCT of two blocks, quantised.
    #[inline(always)]
    pub(crate) fn transform_forward(self, samples: &Pair, divisors: &Divisors, blocks: &mut [Block; 2]) {
        match self.0 {
            Kind::Portable => fdct::portable::transform(samples, divisors, blocks),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `Kind::Avx2` is only made by `detect`, after the CPU was asked for AVX2.
            #[allow(unsafe_code)]
            Kind::Avx2 => unsafe { fdct::avx2::transform(samples, divisors, blocks) },
        }
    }

    /// A row with fractional bits: the weighted sum of rows.
    pub(crate) fn add_rows(self, rows: &[&[u8]], weights: &[i16], shift: u32, line: &mut [i16]) {
        match self.0 {
            Kind::Portable => resize::portable::add_rows(rows, weights, shift, line),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `Kind::Avx2` is only made by `detect`, after the CPU was asked for AVX2.
            #[allow(unsafe_code)]
            Kind::Avx2 => unsafe { resize::avx2::add_rows(rows, weights, shift, line) },
        }
    }

    /// A row of a resized plane: each sample the weighted sum of some of a line's.
    pub(crate) fn add_samples(self, line: &[i16], weights: &Weights, to: &mut [u8]) {
        match self.0 {
            Kind::Portable => resize::portable::add_samples(line, weights, to),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `Kind::Avx2` is only made by `detect`, after the CPU was asked for AVX2.
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
