use chrono::FixedOffset;
use rapidphoto_api_types as api;
use rapidphoto_application::{
    photos::{PhotoWithUrls, ThumbnailWithUrl},
    ports::{PhotoMetadata, TakenAt},
};
use rapidphoto_domain::{
    photo::{Photo, PhotoState, ProcessingResult},
    values::Checksum,
};

use super::{
    reason::{reasons, warnings},
    status::photo_status,
};

/// A photo with its metadata and thumbnails.
pub(crate) fn photo(with_urls: PhotoWithUrls) -> api::Photo {
    let view = with_urls.view;
    let photo = &view.photo;
    let metadata = view.metadata;
    let result = completed(photo);
    let arrived = photo.verified_object().map(|object| object.bytes);
    let checksum = view.hashes.measured.or(view.hashes.declared);
    api::Photo {
        photo_id: photo.id.to_string(),
        job_id: photo.job.to_string(),
        filename: view.filename.to_string(),
        mime_type: result
            .map_or(photo.declared.mime_type, |result| result.mime_type)
            .to_string(),
        bytes: arrived.unwrap_or(photo.declared.bytes),
        checksum: checksum.map(|value| api::DeclaredChecksum {
            algo: Checksum::ALGORITHM.to_owned(),
            value: value.to_string(),
        }),
        width: result.map(|result| result.width),
        height: result.map(|result| result.height),
        taken_at: metadata.taken_at.map(taken_at),
        exif: exif(&metadata),
        camera: metadata.camera.map(|camera| api::Camera {
            make: camera.make,
            model: camera.model,
            lens: camera.lens,
        }),
        location: metadata.location.map(|place| api::Location {
            latitude: place.latitude,
            longitude: place.longitude,
            altitude: place.altitude,
        }),
        perceptual_hash: view.hashes.perceptual.map(|hash| hash.to_string()),
        sharpness: result.and_then(|result| result.sharpness),
        tags: photo.tags.iter().map(ToString::to_string).collect(),
        status: photo_status(photo.status()),
        reasons: reasons(&photo.state),
        warnings: warnings(&photo.state),
        thumbnails: with_urls.thumbnails.into_iter().map(thumbnail).collect(),
        created_at: view.created_at,
        completed_at: result.map(|result| result.completed_at),
    }
}

fn completed(photo: &Photo) -> Option<&ProcessingResult> {
    match &photo.state {
        PhotoState::Completed { result } => Some(result),
        PhotoState::Queued
        | PhotoState::Uploading
        | PhotoState::Verifying
        | PhotoState::Processing { .. }
        | PhotoState::Rejected { .. }
        | PhotoState::Failed { .. }
        | PhotoState::Cancelled => None,
    }
}

fn thumbnail(with_url: ThumbnailWithUrl) -> api::Thumbnail {
    api::Thumbnail {
        edge: with_url.thumbnail.edge.pixels(),
        width: with_url.thumbnail.width,
        height: with_url.thumbnail.height,
        url: with_url.url.url,
        expires_at: with_url.url.expires_at,
    }
}

fn exif(metadata: &PhotoMetadata) -> api::Exif {
    let exposure = metadata.exposure.unwrap_or_default();
    api::Exif {
        exposure_time: exposure.exposure_time,
        f_number: exposure.f_number,
        iso: exposure.iso,
        focal_length: exposure.focal_length,
        orientation: metadata.orientation,
        software: metadata.software.clone(),
    }
}

/// Local time of the camera in RFC 3339, without an offset if the camera recorded none: its time in UTC is unknown
/// then.
fn taken_at(taken: TakenAt) -> String {
    let local = taken.local.format("%Y-%m-%dT%H:%M:%S%.f");
    let offset = taken
        .offset_minutes
        .and_then(|minutes| FixedOffset::east_opt(i32::from(minutes) * 60));
    match offset {
        Some(offset) => format!("{local}{offset}"),
        None => local.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;

    #[test]
    fn local_times_have_an_offset_only_if_the_camera_recorded_one() {
        let local = NaiveDate::from_ymd_opt(2026, 7, 14)
            .unwrap()
            .and_hms_opt(18, 3, 11)
            .unwrap();
        let encoded = |offset_minutes| {
            taken_at(TakenAt {
                local,
                offset_minutes,
            })
        };
        assert_eq!(encoded(None), "2026-07-14T18:03:11");
        assert_eq!(encoded(Some(120)), "2026-07-14T18:03:11+02:00");
        assert_eq!(encoded(Some(-570)), "2026-07-14T18:03:11-09:30");
        assert_eq!(encoded(Some(0)), "2026-07-14T18:03:11+00:00");
        assert_eq!(
            encoded(Some(i16::MAX)),
            "2026-07-14T18:03:11",
            "an impossible offset is dropped"
        );
    }
}
