//! EXIF, as far as it is known and sane (EXIF 2.32, 4.6).
//!
//! It is a stranger's text: a value that is out of range, endless or unprintable is left out, unknown tags are never
//! looked at, and nothing in it can fail a photo.

mod text;
pub(crate) mod tiff;

use rapidphoto_application::ports::{Camera, Exposure, Location, PhotoMetadata, TakenAt};

use text::{date_time, offset, printable};
use tiff::{Directory, Tiff};

const MAKE: u16 = 0x010F;
const MODEL: u16 = 0x0110;
const ORIENTATION: u16 = 0x0112;
const SOFTWARE: u16 = 0x0131;
const EXIF_DIRECTORY: u16 = 0x8769;
const GPS_DIRECTORY: u16 = 0x8825;

const EXPOSURE_TIME: u16 = 0x829A;
const F_NUMBER: u16 = 0x829D;
const ISO: u16 = 0x8827;
const TAKEN: u16 = 0x9003;
const DIGITIZED: u16 = 0x9004;
const TAKEN_OFFSET: u16 = 0x9011;
const DIGITIZED_OFFSET: u16 = 0x9012;
const FOCAL_LENGTH: u16 = 0x920A;
const LENS: u16 = 0xA434;

const LATITUDE_SIDE: u16 = 1;
const LATITUDE: u16 = 2;
const LONGITUDE_SIDE: u16 = 3;
const LONGITUDE: u16 = 4;
const ALTITUDE_SIDE: u16 = 5;
const ALTITUDE: u16 = 6;

/// What the TIFF file of an EXIF segment says.
pub(crate) fn read(bytes: &[u8]) -> PhotoMetadata {
    let Some(tiff) = Tiff::open(bytes) else {
        return PhotoMetadata::default();
    };
    let Some(main) = tiff.first() else {
        return PhotoMetadata::default();
    };
    let under = |tag| tiff.directory(main.get(tag)?.integer()?);
    let exif = under(EXIF_DIRECTORY);
    PhotoMetadata {
        taken_at: exif.and_then(taken_at),
        camera: camera(main, exif),
        location: under(GPS_DIRECTORY).and_then(location),
        exposure: exif.and_then(exposure),
        orientation: main
            .get(ORIENTATION)
            .and_then(|value| u8::try_from(value.integer()?).ok())
            .filter(|number| (1..=8).contains(number)),
        software: text(main, SOFTWARE),
    }
}

fn text(directory: Directory<'_>, tag: u16) -> Option<String> {
    printable(directory.get(tag)?.text()?)
}

fn taken_at(exif: Directory<'_>) -> Option<TakenAt> {
    let moment = |time: u16, zone: u16| {
        Some(TakenAt {
            local: date_time(exif.get(time)?.text()?)?,
            offset_minutes: exif.get(zone).and_then(|value| offset(value.text()?)),
        })
    };
    moment(TAKEN, TAKEN_OFFSET).or_else(|| moment(DIGITIZED, DIGITIZED_OFFSET))
}

fn camera(main: Directory<'_>, exif: Option<Directory<'_>>) -> Option<Camera> {
    let camera = Camera {
        make: text(main, MAKE),
        model: text(main, MODEL),
        lens: exif.and_then(|exif| text(exif, LENS)),
    };
    (camera != Camera::default()).then_some(camera)
}

fn exposure(exif: Directory<'_>) -> Option<Exposure> {
    let quantity = |tag: u16, most: f64| {
        let value = exif.get(tag)?.fraction(0)?;
        (value > 0.0 && value <= most).then_some(value)
    };
    let exposure = Exposure {
        exposure_time: quantity(EXPOSURE_TIME, 1_000_000.0),
        f_number: quantity(F_NUMBER, 1_000.0),
        iso: exif
            .get(ISO)
            .and_then(tiff::Value::integer)
            .filter(|iso| (1..=10_000_000).contains(iso)),
        focal_length: quantity(FOCAL_LENGTH, 100_000.0),
    };
    (exposure != Exposure::default()).then_some(exposure)
}

fn location(gps: Directory<'_>) -> Option<Location> {
    let altitude = || {
        let height = gps.get(ALTITUDE)?.fraction(0)?;
        let below = gps.get(ALTITUDE_SIDE).and_then(tiff::Value::integer) == Some(1);
        let altitude = if below { -height } else { height };
        (-20_000.0..=100_000.0).contains(&altitude).then_some(altitude)
    };
    Some(Location {
        latitude: angle(gps, LATITUDE, LATITUDE_SIDE, [b'N', b'S'], 90.0)?,
        longitude: angle(gps, LONGITUDE, LONGITUDE_SIDE, [b'E', b'W'], 180.0)?,
        altitude: altitude(),
    })
}

/// Degrees, minutes and seconds on one of two sides.
fn angle(gps: Directory<'_>, tag: u16, side: u16, [positive, negative]: [u8; 2], most: f64) -> Option<f64> {
    let value = gps.get(tag)?;
    let degrees = value.fraction(0)?
        + value.fraction(1).unwrap_or(0.0) / 60.0
        + value.fraction(2).unwrap_or(0.0) / 3600.0;
    let side = gps.get(side)?.text()?.first()?.to_ascii_uppercase();
    let signed = match side {
        side if side == positive => degrees,
        side if side == negative => -degrees,
        _ => return None,
    };
    (degrees >= 0.0 && degrees <= most).then_some(signed)
}
