//! Deterministic pseudo-random numbers and textures from a seed.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "noise is computed by truncating numbers"
)]

/// Pseudo-random number generator with a seed (`SplitMix64`, Steele, Lea and Flood 2014).
#[derive(Debug, Clone)]
pub(crate) struct SeededRng(u64);

impl SeededRng {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Uniform number in 0 to 1, excluding 1.
    pub(crate) fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1_u32 << 24) as f32
    }

    /// Uniform number between two bounds.
    pub(crate) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// Uniform number in 0 to `count`, excluding `count`.
    pub(crate) const fn below(&mut self, count: u64) -> u64 {
        self.next() % count
    }

    /// Uniform choice of one element.
    #[expect(clippy::indexing_slicing, reason = "the index is below the array's length")]
    pub(crate) const fn one_of<T: Copy, const N: usize>(&mut self, choices: [T; N]) -> T {
        choices[self.below(N as u64) as usize]
    }
}

/// Pseudo-random number in 0 to 1 for a lattice point.
fn lattice(seed: u32, x: i32, y: i32) -> f32 {
    (hash(
        seed,
        (x as u32).wrapping_mul(0x27D4_EB2F),
        (y as u32).wrapping_mul(0x1656_67B1),
    ) >> 8) as f32
        / (1_u32 << 24) as f32
}

/// Hashes coordinates to 32 bits; fast enough for every pixel.
pub(crate) const fn hash(seed: u32, x: u32, y: u32) -> u32 {
    let mut h = seed ^ x.wrapping_mul(0x9E37_79B1) ^ y.wrapping_mul(0x85EB_CA77);
    h = (h ^ (h >> 15)).wrapping_mul(0x2C1B_3C6D);
    h = (h ^ (h >> 12)).wrapping_mul(0x297A_2D39);
    h ^ (h >> 15)
}

/// Smoothstep interpolation.
fn smooth(t: f32) -> f32 {
    t * t * (3.0 - 2.0 * t)
}

/// Smooth noise along a line, about −1 to 1, summed over `octaves`.
pub(crate) fn line(seed: u32, x: f32, octaves: u32) -> f32 {
    let (mut sum, mut weight, mut total, mut at) = (0.0, 1.0, 0.0, x);
    for octave in 0..octaves {
        let cell = at.floor();
        let t = smooth(at - cell);
        let octave_seed = seed.wrapping_add(octave.wrapping_mul(7919));
        let (a, b) = (
            lattice(octave_seed, cell as i32, 0),
            lattice(octave_seed, cell as i32 + 1, 0),
        );
        sum += weight * (a + (b - a) * t);
        total += weight;
        weight *= 0.5;
        at = at * 2.03 + 17.3;
    }
    sum / total * 2.0 - 1.0
}

/// Smooth noise on a plane, 0 to 1, summed over `octaves`; repeats every `period` (a power of two) in both directions.
pub(crate) fn plane(seed: u32, x: f32, y: f32, octaves: u32, period: i32) -> f32 {
    let (mut sum, mut weight, mut total, mut scale, mut period) = (0.0, 1.0, 0.0, 1.0, period);
    for octave in 0..octaves {
        let (cell_x, cell_y) = ((x * scale).floor(), (y * scale).floor());
        let (tx, ty) = (smooth(x * scale - cell_x), smooth(y * scale - cell_y));
        let octave_seed = seed.wrapping_add(octave.wrapping_mul(104_729));
        let at = |dx: i32, dy: i32| {
            lattice(
                octave_seed,
                (cell_x as i32 + dx) & (period - 1),
                (cell_y as i32 + dy) & (period - 1),
            )
        };
        let top = at(0, 0) + (at(1, 0) - at(0, 0)) * tx;
        let bottom = at(0, 1) + (at(1, 1) - at(0, 1)) * tx;
        sum += weight * (top + (bottom - top) * ty);
        total += weight;
        weight *= 0.55;
        scale *= 2.0;
        period *= 2;
    }
    sum / total
}

/// Square noise texture that repeats seamlessly.
#[derive(Debug)]
pub(crate) struct Tile(Vec<i16>);

impl Tile {
    /// Edge of the square in pixels.
    const EDGE: usize = 512;

    pub(crate) fn new(seed: u32) -> Self {
        let values = (0..Self::EDGE * Self::EDGE).map(|at| {
            let (x, y) = ((at % Self::EDGE) as f32 / 32.0, (at / Self::EDGE) as f32 / 32.0);
            ((plane(seed, x, y, 5, 16) - 0.5) * 256.0) as i16
        });
        Self(values.collect())
    }

    /// Value at a texture coordinate, about −100 to 100.
    pub(crate) fn at(&self, x: u32, y: u32) -> i32 {
        let at = (y as usize % Self::EDGE) * Self::EDGE + x as usize % Self::EDGE;
        self.0.get(at).copied().map_or(0, i32::from)
    }
}
