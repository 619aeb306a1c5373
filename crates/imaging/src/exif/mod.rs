//! Exif metadata (Exif 2.32, 4.6).
//!
//! Metadata comes from untrusted clients: values that are out of range, too long or unprintable are left out, tags
//! other than those below are never read, and invalid metadata is never a finding.

mod text;

use rapidphoto_application::ports::{Camera, Exposure, Location, PhotoMetadata, TakenAt};

use crate::ifd::{Directory, IfdReader, Value};
use text::{date_time, offset, printable};

const MAKE: u16 = 0x010F;
const MODEL: u16 = 0x0110;
const ORIENTATION: u16 = 0x0112;
const SOFTWARE: u16 = 0x0131;
const EXIF_IFD: u16 = 0x8769;
const GPS_INFO_IFD: u16 = 0x8825;

const EXPOSURE_TIME: u16 = 0x829A;
const F_NUMBER: u16 = 0x829D;
const PHOTOGRAPHIC_SENSITIVITY: u16 = 0x8827;
const DATE_TIME_ORIGINAL: u16 = 0x9003;
const DATE_TIME_DIGITIZED: u16 = 0x9004;
const OFFSET_TIME_ORIGINAL: u16 = 0x9011;
const OFFSET_TIME_DIGITIZED: u16 = 0x9012;
const FOCAL_LENGTH: u16 = 0x920A;
const LENS_MODEL: u16 = 0xA434;

const GPS_LATITUDE_REF: u16 = 1;
const GPS_LATITUDE: u16 = 2;
const GPS_LONGITUDE_REF: u16 = 3;
const GPS_LONGITUDE: u16 = 4;
const GPS_ALTITUDE_REF: u16 = 5;
const GPS_ALTITUDE: u16 = 6;

/// Reads the metadata in the TIFF structure of an Exif segment.
pub(crate) fn read(bytes: &[u8]) -> PhotoMetadata {
    let Some(tiff) = IfdReader::open(bytes) else {
        return PhotoMetadata::default();
    };
    let Some(main) = tiff.first() else {
        return PhotoMetadata::default();
    };
    let sub_ifd = |tag| tiff.directory(main.get(tag)?.integer()?);
    let exif = sub_ifd(EXIF_IFD);
    PhotoMetadata {
        taken_at: exif.and_then(taken_at),
        camera: camera(main, exif),
        location: sub_ifd(GPS_INFO_IFD).and_then(location),
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
    let date_time_of = |time: u16, zone: u16| {
        Some(TakenAt {
            local: date_time(exif.get(time)?.text()?)?,
            offset_minutes: exif.get(zone).and_then(|value| offset(value.text()?)),
        })
    };
    date_time_of(DATE_TIME_ORIGINAL, OFFSET_TIME_ORIGINAL)
        .or_else(|| date_time_of(DATE_TIME_DIGITIZED, OFFSET_TIME_DIGITIZED))
}

fn camera(main: Directory<'_>, exif: Option<Directory<'_>>) -> Option<Camera> {
    let camera = Camera {
        make: text(main, MAKE),
        model: text(main, MODEL),
        lens: exif.and_then(|exif| text(exif, LENS_MODEL)),
    };
    (camera != Camera::default()).then_some(camera)
}

fn exposure(exif: Directory<'_>) -> Option<Exposure> {
    let quantity = |tag: u16, max: f64| {
        let value = exif.get(tag)?.rational(0)?;
        (value > 0.0 && value <= max).then_some(value)
    };
    let exposure = Exposure {
        exposure_time: quantity(EXPOSURE_TIME, 1_000_000.0),
        f_number: quantity(F_NUMBER, 1_000.0),
        iso: exif
            .get(PHOTOGRAPHIC_SENSITIVITY)
            .and_then(Value::integer)
            .filter(|iso| (1..=10_000_000).contains(iso)),
        focal_length: quantity(FOCAL_LENGTH, 100_000.0),
    };
    (exposure != Exposure::default()).then_some(exposure)
}

fn location(gps: Directory<'_>) -> Option<Location> {
    let altitude = || {
        let height = gps.get(GPS_ALTITUDE)?.rational(0)?;
        let is_below_sea_level = gps.get(GPS_ALTITUDE_REF).and_then(Value::integer) == Some(1);
        let altitude = if is_below_sea_level { -height } else { height };
        (-20_000.0..=100_000.0).contains(&altitude).then_some(altitude)
    };
    Some(Location {
        latitude: coordinate(gps, GPS_LATITUDE, GPS_LATITUDE_REF, [b'N', b'S'], 90.0)?,
        longitude: coordinate(gps, GPS_LONGITUDE, GPS_LONGITUDE_REF, [b'E', b'W'], 180.0)?,
        altitude: altitude(),
    })
}

/// Latitude or longitude in degrees; its reference tag gives the sign.
fn coordinate(
    gps: Directory<'_>,
    tag: u16,
    reference: u16,
    [positive, negative]: [u8; 2],
    max: f64,
) -> Option<f64> {
    let value = gps.get(tag)?;
    let degrees = value.rational(0)?
        + value.rational(1).unwrap_or(0.0) / 60.0
        + value.rational(2).unwrap_or(0.0) / 3600.0;
    let reference = gps.get(reference)?.text()?.first()?.to_ascii_uppercase();
    let signed = match reference {
        reference if reference == positive => degrees,
        reference if reference == negative => -degrees,
        _ => return None,
    };
    (degrees >= 0.0 && degrees <= max).then_some(signed)
}
