use crate::{Orientation, SamplePhoto, noise::Dice};

/// Sizes of cameras' pictures, 8 to 16 megapixels.
const SIZES: [(u16, u16); 6] = [
    (4032, 3024),
    (4000, 3000),
    (4608, 3456),
    (4240, 2832),
    (3648, 2736),
    (4896, 3264),
];

/// Names and descriptions of photos as a person's camera would hold them: of different sizes, some upright in portrait,
/// turned in every way. Making them is left to the caller, who may do so in several threads.
pub fn demo_photos(count: usize, seed: u64) -> impl Iterator<Item = (String, SamplePhoto)> {
    let mut dice = Dice::new(seed);
    (0..count)
        .zip(Orientation::ALL.into_iter().cycle())
        .map(move |(at, orientation)| {
            let (long, short) = dice.one_of(SIZES);
            // A phone that is held upright takes portraits: its sensor lies, its pictures stand.
            let (width, height) = orientation.swap_size(long, short);
            let photo = SamplePhoto {
                quality: 93,
                ..SamplePhoto::new(dice.next(), width, height).turned(orientation)
            };
            (format!("IMG_{:04}.jpg", 4001 + at), photo)
        })
}

/// Names and files of [`demo_photos`], each made when it is asked for; 2 to 6 MB a file.
pub fn demo_set(count: usize, seed: u64) -> impl Iterator<Item = (String, Vec<u8>)> {
    demo_photos(count, seed).map(|(name, photo)| (name, photo.jpeg()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_set_shows_every_orientation_and_several_sizes() {
        let photos: Vec<_> = demo_photos(20, 1).collect();
        let names: BTreeSet<_> = photos.iter().map(|(name, _)| name.clone()).collect();
        let orientations: BTreeSet<_> = photos.iter().map(|(_, photo)| photo.orientation.exif()).collect();
        let sizes: BTreeSet<_> = photos
            .iter()
            .map(|(_, photo)| (photo.width, photo.height))
            .collect();
        assert_eq!((names.len(), orientations.len()), (20, 8));
        assert!(sizes.len() >= 6);
    }

    #[test]
    fn photos_are_as_large_as_a_cameras() {
        for (name, file) in demo_set(3, 99) {
            let megabytes = 2_000_000..=6_000_000;
            assert!(megabytes.contains(&file.len()), "{name}: {} bytes", file.len());
        }
    }
}
