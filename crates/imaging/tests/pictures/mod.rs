//! Pictures with four coloured corners, as JPEG files of every kind, and a look at what comes out.
#![allow(dead_code, reason = "each test file uses its part")]

#[path = "../../../jpeg-scale/tests/common/cpu_time.rs"]
pub(crate) mod cpu_time;
pub(crate) mod png;
pub(crate) mod tiff;
pub(crate) mod vp8l;
pub(crate) mod webp;

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use rapidphoto_application::ports::{Inspection, InspectionLimits, MadeThumbnail};
use rapidphoto_domain::photo::{Check, Finding, Measure};
use rapidphoto_imaging::{Scratch, inspect_bytes};
use rapidphoto_sample_photos::{Entry, Orientation, Tiff, Value};

pub(crate) type Colour = [u8; 3];

pub(crate) const RED: Colour = [220, 30, 30];
pub(crate) const GREEN: Colour = [30, 190, 40];
pub(crate) const BLUE: Colour = [30, 50, 220];
pub(crate) const WHITE: Colour = [245, 245, 245];

/// The colours of the corners, from the upper left one clockwise.
pub(crate) const CORNERS: [Colour; 4] = [RED, GREEN, BLUE, WHITE];

pub(crate) const LIMITS: InspectionLimits = InspectionLimits {
    max_pixels: 100_000_000,
    min_edge: None,
};

pub(crate) fn inspect(file: &[u8]) -> Inspection {
    inspect_within(file, LIMITS)
}

pub(crate) fn inspect_within(file: &[u8], limits: InspectionLimits) -> Inspection {
    inspect_bytes(file, limits, &mut Scratch::new().unwrap())
}

/// Pixels of a picture of this shown size with a colour in each quarter, as a camera that was turned stores them.
pub(crate) fn quarters(width: u16, height: u16, orientation: Orientation) -> (u16, u16, Vec<u8>) {
    let (stored_width, stored_height) = orientation.swap_size(width, height);
    let mut pixels = Vec::new();
    for y in 0..stored_height {
        for x in 0..stored_width {
            let (x, y) = orientation.displayed_at(x.into(), y.into(), width.into(), height.into());
            let (right, down) = (x * 2 >= width.into(), y * 2 >= height.into());
            pixels.extend_from_slice(match (right, down) {
                (false, false) => &RED,
                (true, false) => &GREEN,
                (true, true) => &BLUE,
                (false, true) => &WHITE,
            });
        }
    }
    (stored_width, stored_height, pixels)
}

/// How a test's file differs from the plainest one.
#[derive(Clone)]
pub(crate) struct Kind {
    pub(crate) orientation: Option<u16>,
    pub(crate) progressive: bool,
    pub(crate) sampling: SamplingFactor,
    pub(crate) colour: ColorType,
    pub(crate) restart: u16,
    pub(crate) profile: Vec<u8>,
    pub(crate) exif: Vec<u8>,
}

impl Default for Kind {
    fn default() -> Self {
        Self {
            orientation: None,
            progressive: false,
            sampling: SamplingFactor::R_4_2_0,
            colour: ColorType::Rgb,
            restart: 0,
            profile: Vec::new(),
            exif: Vec::new(),
        }
    }
}

pub(crate) fn encode(width: u16, height: u16, pixels: &[u8], kind: &Kind) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, 92);
    encoder.set_progressive(kind.progressive);
    encoder.set_sampling_factor(kind.sampling);
    if kind.restart > 0 {
        encoder.set_restart_interval(kind.restart);
    }
    if let Some(orientation) = kind.orientation {
        let exif = Tiff {
            big_endian: true,
            entries: vec![Entry::new(0x0112, Value::Shorts(vec![orientation]))],
        };
        encoder.add_exif_metadata(&exif.bytes()).unwrap();
    }
    if !kind.exif.is_empty() {
        encoder.add_exif_metadata(&kind.exif).unwrap();
    }
    if !kind.profile.is_empty() {
        encoder.add_icc_profile(&kind.profile).unwrap();
    }
    encoder.encode(pixels, width, height, kind.colour).unwrap();
    file
}

/// A picture with four coloured quarters as a file of this kind.
pub(crate) fn picture(width: u16, height: u16, kind: &Kind) -> Vec<u8> {
    let orientation = kind
        .orientation
        .and_then(|number| Orientation::from_exif(u8::try_from(number).ok()?));
    let (width, height, pixels) = quarters(width, height, orientation.unwrap_or(Orientation::UPRIGHT));
    encode(width, height, &pixels, kind)
}

/// A decoded thumbnail.
pub(crate) struct Seen {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) channels: usize,
    pixels: Vec<u8>,
}

pub(crate) fn see(thumbnail: &MadeThumbnail) -> Seen {
    let mut decoder = jpeg_decoder::Decoder::new(&thumbnail.jpeg[..]);
    let pixels = decoder.decode().unwrap();
    let info = decoder.info().unwrap();
    let seen = Seen {
        width: info.width.into(),
        height: info.height.into(),
        channels: info.pixel_format.pixel_bytes(),
        pixels,
    };
    assert_eq!(
        (seen.width, seen.height),
        (thumbnail.width as usize, thumbnail.height as usize)
    );
    assert_eq!(
        decoder.exif_data(),
        None,
        "thumbnails say nothing of their origin"
    );
    assert_eq!(decoder.icc_profile(), None);
    seen
}

impl Seen {
    pub(crate) fn at(&self, x: usize, y: usize) -> &[u8] {
        let start = (y * self.width + x) * self.channels;
        &self.pixels[start..start + self.channels]
    }

    /// The colours near the corners, from the upper left one clockwise.
    pub(crate) fn corners(&self) -> [Colour; 4] {
        let (left, right) = (self.width / 8, self.width - 1 - self.width / 8);
        let (up, down) = (self.height / 8, self.height - 1 - self.height / 8);
        [(left, up), (right, up), (right, down), (left, down)].map(|(x, y)| self.at(x, y).try_into().unwrap())
    }
}

pub(crate) fn near(seen: Colour, wanted: Colour) -> bool {
    seen.iter()
        .zip(wanted)
        .all(|(seen, wanted)| seen.abs_diff(wanted) <= 6)
}

pub(crate) fn assert_quarters(inspection: &Inspection, what: &str) {
    assert_eq!(inspection.findings, [], "{what}");
    assert_eq!(inspection.thumbnails.len(), 2, "{what}");
    for thumbnail in &inspection.thumbnails {
        let corners = see(thumbnail).corners();
        assert!(
            corners
                .into_iter()
                .zip(CORNERS)
                .all(|(seen, wanted)| near(seen, wanted)),
            "{what}, {:?}: {corners:?}",
            thumbnail.edge
        );
    }
}

/// The names of the checks that said no.
pub(crate) fn codes(inspection: &Inspection) -> Vec<&'static str> {
    inspection
        .findings
        .iter()
        .map(|finding| finding.check.code())
        .collect()
}

/// The colour of a pixel in a picture of four quarters.
pub(crate) fn quarter(x: u32, y: u32, (width, height): (u32, u32)) -> Colour {
    match (x * 2 >= width, y * 2 >= height) {
        (false, false) => RED,
        (true, false) => GREEN,
        (true, true) => BLUE,
        (false, true) => WHITE,
    }
}

/// A finding that the file is damaged in this way.
pub(crate) fn corrupt(how: &str) -> Finding {
    Finding {
        measured: Some(Measure::Name(how.to_owned())),
        ..Finding::bare(Check::Corrupt)
    }
}

/// A finding that files of this kind are not read.
pub(crate) fn unsupported(what: &str) -> Finding {
    let readable = "image/jpeg, image/png, image/webp, image/gif, image/tiff";
    Finding::measured(Check::UnsupportedFormat, what.to_owned(), readable.to_owned())
}

/// EXIF of a camera that was turned and of nothing else.
pub(crate) fn exif(orientation: u16) -> Vec<u8> {
    let make = Value::Text("Nordlicht".to_owned());
    Tiff {
        big_endian: false,
        entries: vec![
            Entry::new(0x010F, make),
            Entry::new(0x0112, Value::Shorts(vec![orientation])),
        ],
    }
    .bytes()
}

/// Holds that a file gives a finding and no thumbnail.
pub(crate) fn assert_refused(file: &[u8], code: &str, what: &str) {
    let inspection = inspect(file);
    assert!(
        codes(&inspection).contains(&code),
        "{what}: {:?}",
        inspection.findings
    );
    assert!(inspection.thumbnails.is_empty(), "{what}");
}

/// A red as Display P3 has it.
pub(crate) const RED_OF_P3: Colour = [200, 60, 60];

/// The same red in sRGB, by the primaries and the transfer curve of both.
pub(crate) fn assert_red_of_srgb(inspection: &Inspection) {
    assert_eq!(inspection.findings, []);
    assert_eq!(inspection.thumbnails.len(), 2);
    for thumbnail in &inspection.thumbnails {
        let colour = see(thumbnail).corners()[0];
        assert!(near(colour, [217, 42, 52]), "{colour:?}");
    }
}

/// Whichever bit is wrong, there are either thumbnails or a reason why not.
pub(crate) fn assert_flips_are_borne(file: &[u8], places: std::ops::Range<usize>) {
    let mut flipped = file.to_vec();
    for at in places {
        for bit in 0..8 {
            flipped[at] ^= 1 << bit;
            let Inspection {
                thumbnails, findings, ..
            } = inspect(&flipped);
            assert_eq!(
                thumbnails.is_empty(),
                !findings.is_empty(),
                "byte {at}: {findings:?}"
            );
            flipped[at] ^= 1 << bit;
        }
    }
}
