//! Thumbnails are upright.

use rapidphoto_domain::values::{MimeType, ThumbnailEdge};
use rapidphoto_sample_photos::{Orientation, SamplePhoto};

use crate::fixtures::{
    png::{Png, chunk},
    tiff::{TiffImage, short},
    *,
};

#[test]
fn thumbnails_of_all_orientations_are_upright() {
    for orientation in 1..=8 {
        let options = JpegOptions {
            orientation: Some(orientation),
            ..JpegOptions::default()
        };
        let inspection = inspect(&quarters_jpeg(1500, 1100, &options));
        assert_quarters(&inspection, &format!("orientation {orientation}"));
        assert_eq!((inspection.width, inspection.height), (1500, 1100));
        assert_eq!(inspection.mime_type, Some(MimeType::Jpeg));
        assert_eq!(inspection.metadata.orientation.map(u16::from), Some(orientation));
        let sizes: Vec<_> = inspection
            .thumbnails
            .iter()
            .map(|thumbnail| (thumbnail.width, thumbnail.height))
            .collect();
        assert_eq!(sizes, [(256, 188), (1024, 751)]);
    }
}

#[test]
fn invalid_orientations_in_jpeg_are_ignored() {
    for orientation in [0, 9, 255, 256, 262, 65_535] {
        let options = JpegOptions {
            orientation: Some(orientation),
            ..JpegOptions::default()
        };
        let (width, height, pixels) = stored_quarters(300, 200, Orientation::UPRIGHT);
        let inspection = inspect(&encode_jpeg(width, height, &pixels, &options));
        assert_quarters(&inspection, &format!("orientation {orientation}"));
        assert_eq!(inspection.metadata.orientation, None);
    }
}

#[test]
fn invalid_orientations_in_png_webp_and_tiff_are_ignored() {
    const ORIENTATION: u16 = 0x0112;
    const SIZE: (u32, u32) = (128, 96);
    let samples = |x, y| quarter_colour(x, y, SIZE).map(u16::from).to_vec();
    let (header, image) = webp::header_and_image(SIZE);
    for number in [0, 9, 255, 256 + 6, 65_535] {
        let exif = exif(number);
        let png = Png {
            before: vec![chunk(*b"eXIf", &exif)],
            ..Png::new(SIZE, 8, 2)
        };
        let tiff = TiffImage {
            entries: vec![short(ORIENTATION, number)],
            ..TiffImage::new(SIZE, 8, 3, 2)
        };
        let files = [
            ("PNG", png.file(samples)),
            (
                "WebP",
                webp::file(&[(*b"VP8X", &header), (*b"VP8 ", &image), (*b"EXIF", &exif)]),
            ),
            ("TIFF", tiff.file(samples)),
        ];
        for (case, file) in files {
            let inspection = inspect(&file);
            assert_quarters(&inspection, &format!("{case}, {number}"));
            assert_eq!((inspection.width, inspection.height), SIZE, "{case}, {number}");
            assert_eq!(inspection.metadata.orientation, None, "{case}, {number}");
        }
    }
}

#[test]
fn the_sky_of_a_sample_photo_is_at_the_top() {
    for orientation in Orientation::ALL {
        let photo = SamplePhoto::new(11, 2000, 1500).turned(orientation);
        let inspection = inspect(&photo.jpeg());
        assert_eq!((inspection.width, inspection.height), (2000, 1500));
        let large = inspection
            .thumbnails
            .iter()
            .find(|thumbnail| thumbnail.edge == ThumbnailEdge::Large)
            .unwrap();
        let decoded = decode(large);
        let brightness = |y: usize| -> u32 {
            (0..decoded.width)
                .flat_map(|x| decoded.at(x, y))
                .map(|&sample| u32::from(sample))
                .sum()
        };
        assert!(
            brightness(20) > brightness(decoded.height - 20),
            "{orientation:?}"
        );
    }
}
