use std::cell::RefCell;

use jpeg_encoder::{Encoder, ImageBuffer, JpegColorType, SamplingFactor, rgb_to_ycbcr};

use crate::{exif::CameraFacts, orientation::Orientation, palette::Colour, scene::Scene};

/// Description of a photo; [`SamplePhoto::jpeg`] encodes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SamplePhoto {
    /// Seed of the landscape, the palette and the camera metadata.
    pub seed: u64,
    /// Width of the upright image in pixels; 0 is treated as 1.
    pub width: u16,
    /// Height of the upright image in pixels; 0 is treated as 1.
    pub height: u16,
    /// Orientation of the stored pixels.
    pub orientation: Orientation,
    /// JPEG quality, 1 to 100.
    pub quality: u8,
    /// True if the file has EXIF metadata, which includes the orientation.
    pub exif: bool,
    /// True for a progressive JPEG, false for a baseline one.
    pub progressive: bool,
}

impl SamplePhoto {
    /// Upright baseline photo of this size, with EXIF and quality 90.
    pub const fn new(seed: u64, width: u16, height: u16) -> Self {
        Self {
            seed,
            width,
            height,
            orientation: Orientation::UPRIGHT,
            quality: 90,
            exif: true,
            progressive: false,
        }
    }

    /// The same photo with its pixels stored in this orientation.
    pub const fn turned(mut self, orientation: Orientation) -> Self {
        self.orientation = orientation;
        self
    }

    /// Camera metadata of the photo.
    pub fn camera(&self) -> CameraFacts {
        CameraFacts::generated(self.seed)
    }

    /// The photo as a JPEG file.
    #[expect(
        clippy::missing_panics_doc,
        clippy::expect_used,
        reason = "never fails: the image has pixels, EXIF has a few hundred bytes, and writing to a vector succeeds"
    )]
    pub fn jpeg(&self) -> Vec<u8> {
        let (width, height) = (self.width.max(1), self.height.max(1));
        let (stored_width, stored_height) = self.orientation.swap_size(width, height);
        let mut file = Vec::with_capacity(usize::from(width) * usize::from(height) / 2);
        let mut encoder = Encoder::new(&mut file, self.quality.clamp(1, 100));
        encoder.set_sampling_factor(SamplingFactor::R_4_2_0);
        encoder.set_progressive(self.progressive);
        if self.exif {
            let exif = self.camera().tiff(
                self.orientation.exif(),
                u32::from(stored_width),
                u32::from(stored_height),
            );
            encoder
                .add_exif_metadata(&exif.bytes())
                .expect("EXIF fits into its APP1 segment");
        }
        let pixels = StoredPixels {
            scene: Scene::new(self.seed, u32::from(width), u32::from(height)),
            orientation: self.orientation,
            upright: (u32::from(width), u32::from(height)),
            stored: (stored_width, stored_height),
            rendered: RefCell::default(),
        };
        encoder
            .encode_image(pixels)
            .expect("an image with pixels can be encoded into a vector");
        file
    }
}

/// A scene in the orientation of the stored pixels. As with a sensor's colour filter, blocks of 2 × 2 pixels share a
/// colour; each pixel has its own grain.
struct StoredPixels {
    scene: Scene,
    orientation: Orientation,
    upright: (u32, u32),
    stored: (u16, u16),
    /// Pair of rows rendered last, and its colours, which both rows share.
    rendered: RefCell<(Option<u16>, Vec<Colour>)>,
}

impl StoredPixels {
    fn render(&self, pair: u16, colours: &mut Vec<Colour>) {
        colours.clear();
        colours.extend((0..self.stored.0).step_by(2).map(|column| {
            let (column, row) = (u32::from(column), u32::from(pair) * 2);
            let (x, y) = self
                .orientation
                .displayed_at(column, row, self.upright.0, self.upright.1);
            self.scene.colour(x, y)
        }));
    }
}

impl ImageBuffer for StoredPixels {
    fn get_jpeg_color_type(&self) -> JpegColorType {
        JpegColorType::Ycbcr
    }

    fn width(&self) -> u16 {
        self.stored.0
    }

    fn height(&self) -> u16 {
        self.stored.1
    }

    fn fill_buffers(&self, row: u16, buffers: &mut [Vec<u8>; 4]) {
        let [luma, blue, red, _] = buffers;
        let (rendered, colours) = &mut *self.rendered.borrow_mut();
        if *rendered != Some(row / 2) {
            self.render(row / 2, colours);
            *rendered = Some(row / 2);
        }
        for (column, &colour) in (0..self.stored.0).zip(colours.iter().flat_map(|colour| [colour; 2])) {
            let [r, g, b] = self.scene.with_grain(colour, u32::from(column), u32::from(row));
            let (y, cb, cr) = rgb_to_ycbcr(r, g, b);
            luma.push(y);
            blue.push(cb);
            red.push(cr);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_description_gives_the_same_bytes() {
        let photo = SamplePhoto::new(7, 160, 120);
        assert_eq!(photo.jpeg(), photo.jpeg());
        assert_ne!(photo.jpeg(), SamplePhoto::new(8, 160, 120).jpeg());
    }

    #[test]
    fn a_rotated_photo_is_stored_with_swapped_axes() {
        let photo = SamplePhoto::new(7, 160, 120).turned(Orientation::ALL[5]);
        let file = photo.jpeg();
        let frame = file
            .windows(4)
            .position(|bytes| bytes == [0xFF, 0xC0, 0, 17])
            .unwrap();
        assert_eq!(file[frame + 5..frame + 9], [0, 160, 0, 120], "height, width");
    }

    #[test]
    fn the_smallest_photo_has_one_pixel() {
        for orientation in Orientation::ALL {
            let file = SamplePhoto::new(1, 0, 0).turned(orientation).jpeg();
            assert!(file.starts_with(&[0xFF, 0xD8]) && file.ends_with(&[0xFF, 0xD9]));
        }
    }

    #[test]
    fn the_sky_is_brighter_than_the_ground() {
        let scene = Scene::new(11, 300, 200);
        let brightness = |y: u32| -> i32 { (0..300).flat_map(|x| scene.colour(x, y)).sum() };
        assert!(brightness(10) > brightness(195));
    }
}
