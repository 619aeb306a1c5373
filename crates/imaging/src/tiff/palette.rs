/// Colour map of a palette image.
#[derive(Debug)]
pub(super) struct Palette(Vec<[u8; 3]>);

impl Palette {
    /// Palette of an image with this many bits a sample, from a `ColorMap`: all red values, then all green, then all
    /// blue, of 16 bits each. `None` if their number is wrong.
    pub(super) fn read(bits: u32, values: impl Iterator<Item = u32>) -> Option<Self> {
        let count = 1_usize.checked_shl(bits).filter(|&count| count <= 256)?;
        let values: Vec<u32> = values.take(3 * count + 1).collect();
        if values.len() != 3 * count {
            return None;
        }
        // Some programs write values of 8 bits. As in libtiff, they are detected by the lack of larger values.
        let shift = if values.iter().any(|&value| value > 255) {
            8
        } else {
            0
        };
        let eight_bits = |value: &u32| u8::try_from(value >> shift).unwrap_or(u8::MAX);
        let (reds, others) = values.split_at(count);
        let (greens, blues) = others.split_at(count);
        let colours = reds.iter().zip(greens).zip(blues);
        Some(Self(
            colours
                .map(|((red, green), blue)| [red, green, blue].map(eight_bits))
                .collect(),
        ))
    }

    /// Colour of an index.
    pub(super) fn colour(&self, index: u8) -> [u8; 3] {
        self.0.get(usize::from(index)).copied().unwrap_or_default()
    }
}
