use rapidphoto_api_types as api;
use rapidphoto_application::uploads::JobItem;

use super::photo_status;

/// Photo of one file, with instructions for its upload.
pub(crate) fn job_item(item: JobItem) -> api::JobItem {
    let (presigned_url, headers, expires_at) = item.upload.map_or_else(Default::default, |upload| {
        (
            Some(upload.url),
            upload.headers.into_iter().collect(),
            Some(upload.expires_at),
        )
    });
    api::JobItem {
        photo_id: item.photo.to_string(),
        job_id: item.job.to_string(),
        upload_id: item.upload_id.to_string(),
        status: photo_status(item.status),
        method: "PUT".to_owned(),
        presigned_url,
        headers,
        expires_at,
        multipart: item.parts.map(|parts| api::MultipartItem {
            part_size: parts.part_size().get(),
            part_count: parts.count().into(),
        }),
        duplicate_of: item.duplicate_of.map(|photo| photo.to_string()),
    }
}
