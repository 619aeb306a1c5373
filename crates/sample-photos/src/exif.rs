use crate::{
    noise::SeededRng,
    tiff::{Entry, Tiff, Value},
};

/// Camera metadata, written as EXIF.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CameraFacts {
    /// Manufacturer of the camera.
    pub make: &'static str,
    /// Camera model.
    pub model: &'static str,
    /// Lens model.
    pub lens: &'static str,
    /// Local time of the exposure, `YYYY:MM:DD HH:MM:SS`.
    pub taken_at: String,
    /// Offset of the local time from UTC, `±HH:MM`.
    pub offset: &'static str,
    /// Exposure time in seconds, as numerator and denominator.
    pub exposure_time: (u32, u32),
    /// F-number, as numerator and denominator.
    pub f_number: (u32, u32),
    /// ISO sensitivity.
    pub iso: u16,
    /// Focal length in millimetres, as numerator and denominator.
    pub focal_length: (u32, u32),
    /// Place of the exposure.
    pub place: Place,
}

/// A position on Earth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Latitude in millionths of a degree, positive to the north.
    pub latitude: i32,
    /// Longitude in millionths of a degree, positive to the east.
    pub longitude: i32,
    /// Altitude above sea level in centimetres; negative below.
    pub altitude: i32,
}

const CAMERAS: [(&str, &str, &str); 5] = [
    ("Nordlicht", "NL-24 Mark II", "NL 24-70mm F2.8 S"),
    ("Kestrel Imaging", "Kestrel K7", "Kestrel 35mm f/1.8"),
    (
        "Halden",
        "Halden Phone 5",
        "Halden Phone 5 back camera 5.7mm f/1.9",
    ),
    ("Orsa Optik", "Orsa 100", "Orsa Weitwinkel 18mm f/4"),
    ("Tamarin", "T-3 Compact", "T-3 8.8-36.8mm f/1.8-2.8"),
];

const PLACES: [(Place, &str); 5] = [
    (
        Place {
            latitude: 46_558_200,
            longitude: 7_835_900,
            altitude: 180_050,
        },
        "+02:00",
    ),
    (
        Place {
            latitude: 61_234_500,
            longitude: 14_545_100,
            altitude: 16_200,
        },
        "+01:00",
    ),
    (
        Place {
            latitude: -44_005_300,
            longitude: 170_479_800,
            altitude: 71_000,
        },
        "+12:00",
    ),
    (
        Place {
            latitude: 51_417_400,
            longitude: -116_217_700,
            altitude: 173_100,
        },
        "-07:00",
    ),
    (
        Place {
            latitude: 31_559_000,
            longitude: 35_473_200,
            altitude: -43_050,
        },
        "+03:00",
    ),
];

impl CameraFacts {
    /// Plausible metadata for the photo with this seed.
    pub(crate) fn generated(seed: u64) -> Self {
        let mut rng = SeededRng::new(seed ^ 0x00CA_3E7A);
        let (make, model, lens) = rng.one_of(CAMERAS);
        let (place, offset) = rng.one_of(PLACES);
        let taken_at = format!(
            "{:04}:{:02}:{:02} {:02}:{:02}:{:02}",
            2021 + rng.below(4),
            1 + rng.below(12),
            1 + rng.below(28),
            5 + rng.below(16),
            rng.below(60),
            rng.below(60)
        );
        Self {
            make,
            model,
            lens,
            taken_at,
            offset,
            exposure_time: (1, rng.one_of([60, 125, 250, 500, 1000, 2000])),
            f_number: rng.one_of([(18, 10), (28, 10), (4, 1), (56, 10), (8, 1), (11, 1)]),
            iso: rng.one_of([100, 125, 200, 400]),
            focal_length: (rng.one_of([18, 24, 35, 50]), 1),
            place,
        }
    }

    /// EXIF of these facts, as a TIFF file.
    pub fn tiff(&self, orientation: u8, stored_width: u32, stored_height: u32) -> Tiff {
        let text = |value: &str| Value::Text(value.to_owned());
        let exif = vec![
            Entry::new(0x829A, Value::Rationals(vec![self.exposure_time])),
            Entry::new(0x829D, Value::Rationals(vec![self.f_number])),
            Entry::new(0x8827, Value::Shorts(vec![self.iso])),
            Entry::new(0x9000, Value::Undefined(b"0232".to_vec())),
            Entry::new(0x9003, text(&self.taken_at)),
            Entry::new(0x9004, text(&self.taken_at)),
            Entry::new(0x9010, text(self.offset)),
            Entry::new(0x9011, text(self.offset)),
            Entry::new(0x920A, Value::Rationals(vec![self.focal_length])),
            Entry::new(0xA001, Value::Shorts(vec![1])),
            Entry::new(0xA002, Value::Longs(vec![stored_width])),
            Entry::new(0xA003, Value::Longs(vec![stored_height])),
            Entry::new(0xA434, text(self.lens)),
        ];
        Tiff {
            big_endian: false,
            entries: vec![
                Entry::new(0x010F, text(self.make)),
                Entry::new(0x0110, text(self.model)),
                Entry::new(0x0112, Value::Shorts(vec![u16::from(orientation)])),
                Entry::new(0x011A, Value::Rationals(vec![(72, 1)])),
                Entry::new(0x011B, Value::Rationals(vec![(72, 1)])),
                Entry::new(0x0128, Value::Shorts(vec![2])),
                Entry::new(0x0131, text("rapidphoto sample")),
                Entry::new(0x0132, text(&self.taken_at)),
                Entry::new(0x8769, Value::Directory(exif)),
                Entry::new(0x8825, Value::Directory(self.place.entries())),
            ],
        }
    }
}

impl Place {
    /// Entries of the GPS directory.
    fn entries(self) -> Vec<Entry> {
        let side = |value: i32, positive: &str, negative: &str| {
            Value::Text(if value < 0 { negative } else { positive }.to_owned())
        };
        vec![
            Entry::new(0x0000, Value::Bytes(vec![2, 3, 0, 0])),
            Entry::new(0x0001, side(self.latitude, "N", "S")),
            Entry::new(0x0002, degrees(self.latitude)),
            Entry::new(0x0003, side(self.longitude, "E", "W")),
            Entry::new(0x0004, degrees(self.longitude)),
            Entry::new(0x0005, Value::Bytes(vec![u8::from(self.altitude < 0)])),
            Entry::new(
                0x0006,
                Value::Rationals(vec![(self.altitude.unsigned_abs(), 100)]),
            ),
        ]
    }
}

/// EXIF value in degrees, minutes and thousandths of a second.
fn degrees(millionths: i32) -> Value {
    let value = millionths.unsigned_abs();
    let (degrees, rest) = (value / 1_000_000, u64::from(value % 1_000_000) * 60);
    let (minutes, rest) = (rest / 1_000_000, rest % 1_000_000 * 60);
    let part = |number: u64| u32::try_from(number).unwrap_or(0);
    Value::Rationals(vec![
        (degrees, 1),
        (part(minutes), 1),
        (part(rest / 1_000), 1_000),
    ])
}
