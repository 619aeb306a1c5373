//! Samples of large images.

pub(crate) const MIB: u64 = 1 << 20;
/// Width and height of large images.
pub(crate) const EDGES: (u16, u16) = (4000, 3000);
pub(crate) const SIZE: (u32, u32) = (EDGES.0 as u32, EDGES.1 as u32);
pub(crate) const PIXELS: usize = SIZE.0 as usize * SIZE.1 as usize;

/// Samples of an image of [`SIZE`] with noise everywhere.
pub(crate) fn samples(per_pixel: usize) -> Vec<u8> {
    let mut noise = 0x1234_5678_u32;
    let mut samples = Vec::with_capacity(PIXELS * per_pixel);
    for at in (0..SIZE.0 * SIZE.1).map(|at| at / 64) {
        noise ^= noise << 13;
        noise ^= noise >> 17;
        noise ^= noise << 5;
        let [grain, level, ..] = (noise & 0x0707 | at << 8 & 0xF000).to_le_bytes();
        samples.extend((0..per_pixel).map(|sample| match sample {
            0 => grain.wrapping_add(level),
            3 => level | 1,
            _ => level,
        }));
    }
    samples
}
