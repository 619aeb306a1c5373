use crate::{noise::SeededRng, orientation::Orientation, photo::SamplePhoto};

/// Typical image sizes of cameras, 10 to 16 megapixels.
const SIZES: [(u16, u16); 6] = [
    (4032, 3024),
    (4000, 3000),
    (4608, 3456),
    (4240, 2832),
    (3648, 2736),
    (4896, 3264),
];

/// File names and descriptions of a varied set of photos: several sizes, landscape and portrait, all EXIF orientations.
/// The caller encodes them with [`SamplePhoto::jpeg`], for instance in several threads.
pub fn demo_photos(count: usize, seed: u64) -> impl Iterator<Item = (String, SamplePhoto)> {
    let mut rng = SeededRng::new(seed);
    (0..count)
        .zip(Orientation::ALL.into_iter().cycle())
        .map(move |(at, orientation)| {
            let (long, short) = rng.one_of(SIZES);
            // The sensor is always landscape; orientations that swap the axes are portraits.
            let (width, height) = orientation.swap_size(long, short);
            let photo = SamplePhoto {
                quality: 93,
                ..SamplePhoto::new(rng.next(), width, height).turned(orientation)
            };
            (format!("IMG_{:04}.jpg", 4001 + at), photo)
        })
}

/// File names and JPEG files of [`demo_photos`], encoded lazily; 2 to 6 MB per file.
pub fn demo_set(count: usize, seed: u64) -> impl Iterator<Item = (String, Vec<u8>)> {
    demo_photos(count, seed).map(|(name, photo)| (name, photo.jpeg()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_set_has_every_orientation_and_several_sizes() {
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
    fn files_have_2_to_6_megabytes() {
        for (name, file) in demo_set(3, 99) {
            let megabytes = 2_000_000..=6_000_000;
            assert!(megabytes.contains(&file.len()), "{name}: {} bytes", file.len());
        }
    }
}
