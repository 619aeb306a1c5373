use std::cell::RefCell;

use jpeg_encoder::{Encoder, ImageBuffer, JpegColorType, SamplingFactor, rgb_to_ycbcr};

use crate::{CameraFacts, Orientation, palette::Colour, scene::Scene};

/// A photo that does not exist yet: [`SamplePhoto::jpeg`] makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SamplePhoto {
    /// Chooses the landscape, the light and the camera.
    pub seed: u64,
    /// Width in pixels when shown upright; 0 is taken for 1.
    pub width: u16,
    /// Height in pixels when shown upright; 0 is taken for 1.
    pub height: u16,
    /// How the pixels lie in the file.
    pub orientation: Orientation,
    /// JPEG quality, 1 to 100.
    pub quality: u8,
    /// Whether the camera writes EXIF. Without it nothing tells how to turn the picture.
    pub exif: bool,
    /// Whether the file is a progressive JPEG.
    pub progressive: bool,
}

impl SamplePhoto {
    /// An upright photo of this size as a camera writes it.
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

    /// The same photo, taken with the camera turned.
    pub const fn turned(mut self, orientation: Orientation) -> Self {
        self.orientation = orientation;
        self
    }

    /// What the camera writes beside the pixels.
    pub fn camera(&self) -> CameraFacts {
        CameraFacts::made_up(self.seed)
    }

    /// The photo as a JPEG file.
    #[expect(
        clippy::missing_panics_doc,
        clippy::expect_used,
        reason = "nothing can fail: the picture has pixels, EXIF is a few hundred bytes, and a vector takes every byte"
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
                .expect("EXIF fits into its segment");
        }
        let pixels = StoredPixels {
            scene: Scene::new(self.seed, u32::from(width), u32::from(height)),
            orientation: self.orientation,
            shown: (u32::from(width), u32::from(height)),
            stored: (stored_width, stored_height),
            drawn: RefCell::default(),
        };
        encoder
            .encode_image(pixels)
            .expect("a picture with pixels can be written into a vector");
        file
    }
}

/// A scene as the camera's sensor saw it: turned. As behind a sensor's colour filter, four pixels share a colour; each
/// has its own grain.
struct StoredPixels {
    scene: Scene,
    orientation: Orientation,
    shown: (u32, u32),
    stored: (u16, u16),
    /// Which pair of rows was drawn last, and its colours: the next row mostly has the same.
    drawn: RefCell<(Option<u16>, Vec<Colour>)>,
}

impl StoredPixels {
    fn draw(&self, pair: u16, colours: &mut Vec<Colour>) {
        colours.clear();
        colours.extend((0..self.stored.0).step_by(2).map(|column| {
            let (column, row) = (u32::from(column), u32::from(pair) * 2);
            let (x, y) = self.orientation.shown_at(column, row, self.shown.0, self.shown.1);
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
        let (drawn, colours) = &mut *self.drawn.borrow_mut();
        if *drawn != Some(row / 2) {
            self.draw(row / 2, colours);
            *drawn = Some(row / 2);
        }
        for (column, &colour) in (0..self.stored.0).zip(colours.iter().flat_map(|colour| [colour; 2])) {
            let [r, g, b] = self.scene.grained(colour, u32::from(column), u32::from(row));
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
    fn a_turned_photo_is_stored_with_its_axes_swapped() {
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
    fn the_sky_is_above() {
        let scene = Scene::new(11, 300, 200);
        let brightness = |y: u32| -> i32 { (0..300).flat_map(|x| scene.colour(x, y)).sum() };
        assert!(brightness(10) > brightness(195));
    }
}
