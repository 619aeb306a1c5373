//! All supported image formats from declaration to thumbnails, and unsupported ones.

use bytes::Bytes;
use rapidphoto_client::types::{FileRequest, PhotoStatus};

use crate::fixtures::{DataDir, codes, declare, finished_job, photo, statuses};

const PNG: &[u8] = include_bytes!("files/rotated.png");
const WEBP: &[u8] = include_bytes!("files/photo.webp");
const GIF: &[u8] = include_bytes!("files/animated.gif");
const TIFF: &[u8] = include_bytes!("files/scan.tif");

fn file(name: &str, mime_type: &str, bytes: &[u8]) -> FileRequest {
    FileRequest {
        filename: name.to_owned(),
        mime_type: mime_type.to_owned(),
        bytes: bytes.len() as u64,
        upload_id: None,
        checksum: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_supported_format_is_completed_with_thumbnails() {
    let data_dir = DataDir::new();
    let running = data_dir.start().await;
    let session = &running.session;
    let formats = [
        ("rotated.png", "image/png", PNG, (1280, 960)),
        ("photo.webp", "image/webp", WEBP, (1280, 960)),
        ("animated.gif", "image/gif", GIF, (1280, 960)),
        ("scan.tif", "image/tiff", TIFF, (640, 480)),
    ];
    let files = formats.map(|(name, mime_type, bytes, _)| file(name, mime_type, bytes));
    let (job_id, items) = declare(session, &files).await;
    for (item, (.., bytes, _)) in items.iter().zip(formats) {
        session.put(item, Bytes::from_static(bytes)).await.unwrap();
    }
    let job = finished_job(session, &job_id).await;
    assert_eq!(statuses(&job), [PhotoStatus::Completed; 4], "{job:?}");

    for (item, (name, mime_type, _, (width, height))) in items.iter().zip(formats) {
        let photo = session.photo(&item.photo_id).await.unwrap();
        assert_eq!(
            (photo.width, photo.height),
            (Some(width), Some(height)),
            "{name}: size after applying the orientation"
        );
        assert_eq!(photo.mime_type, mime_type);
        let longer = width.min(1024);
        let sizes: Vec<_> = photo
            .thumbnails
            .iter()
            .map(|thumbnail| (thumbnail.width, thumbnail.height))
            .collect();
        assert_eq!(sizes, [(256, 192), (longer, longer / 4 * 3)], "{name}");
        for thumbnail in &photo.thumbnails {
            let fetched = reqwest::get(&thumbnail.url).await.unwrap();
            assert_eq!(fetched.headers()["content-type"], "image/jpeg");
            assert!(fetched.bytes().await.unwrap().starts_with(&[0xff, 0xd8, 0xff]));
        }
        // The original keeps its media type and is served as an attachment.
        let download = session.download_url(&item.photo_id, "original").await.unwrap();
        let fetched = reqwest::get(&download.url).await.unwrap();
        assert_eq!(fetched.headers()["content-type"], mime_type);
        assert_eq!(fetched.headers()["x-content-type-options"], "nosniff");
        let disposition = fetched.headers()["content-disposition"].to_str().unwrap();
        assert!(disposition.starts_with("attachment"), "{disposition}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_undeclared_or_unsupported_formats_are_rejected() {
    let data_dir = DataDir::new();
    let running = data_dir.start().await;
    let session = &running.session;
    let heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic";
    // A type that can't be processed is refused before its upload.
    let refused = session
        .create_job(&[file("photo.heic", "image/heic", heic)], None)
        .await
        .unwrap_err();
    assert!(format!("{refused:?}").contains("unsupported_type"), "{refused:?}");
    let files = [
        file("photo.webp", "image/webp", PNG),
        file("photo.png", "image/png", &PNG[..PNG.len() / 2]),
    ];
    let (job_id, items) = declare(session, &files).await;
    for (item, bytes) in items.iter().zip([PNG, &PNG[..PNG.len() / 2]]) {
        session.put(item, Bytes::from_static(bytes)).await.unwrap();
    }
    let job = finished_job(session, &job_id).await;
    assert_eq!(statuses(&job), [PhotoStatus::Rejected; 2], "{job:?}");
    assert_eq!(codes(&job.photos[0]), ["type_mismatch"]);
    assert_eq!(codes(&job.photos[1]), ["corrupt"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_photo_that_is_also_an_html_page_is_served_as_an_image() {
    const PAGE: &[u8] = b"<!DOCTYPE html><script>alert(document.domain)</script>";
    let data_dir = DataDir::new();
    let running = data_dir.start().await;
    let session = &running.session;
    let jpeg = photo(7);
    let length = u16::try_from(PAGE.len() + 2).unwrap().to_be_bytes();
    let comment = [&[0xFF, 0xFE], &length[..], PAGE].concat();
    // One page in a comment after the start marker, another after the end marker.
    let polyglot = [&jpeg[..2], &comment, &jpeg[2..], PAGE].concat();
    let files = [
        file("page.html.jpg", "image/jpeg", &polyglot),
        file("page.jpg", "image/jpeg", PAGE),
    ];
    let (job_id, items) = declare(session, &files).await;
    session
        .put(&items[0], Bytes::from(polyglot.clone()))
        .await
        .unwrap();
    session.put(&items[1], Bytes::from_static(PAGE)).await.unwrap();
    let job = finished_job(session, &job_id).await;
    assert_eq!(
        statuses(&job),
        [PhotoStatus::Completed, PhotoStatus::Rejected],
        "{job:?}"
    );

    let download = session
        .download_url(&items[0].photo_id, "original")
        .await
        .unwrap();
    let fetched = reqwest::get(&download.url).await.unwrap();
    let header = |name: &str| fetched.headers()[name].to_str().unwrap();
    assert_eq!(header("content-type"), "image/jpeg");
    assert_eq!(header("x-content-type-options"), "nosniff");
    let disposition = header("content-disposition");
    assert!(disposition.starts_with("attachment"), "{disposition}");
    assert_eq!(fetched.bytes().await.unwrap(), polyglot);

    let photo = session.photo(&items[0].photo_id).await.unwrap();
    assert_eq!(photo.thumbnails.len(), 2);
    for thumbnail in &photo.thumbnails {
        let fetched = reqwest::get(&thumbnail.url).await.unwrap();
        assert_eq!(fetched.headers()["content-type"], "image/jpeg");
        assert_eq!(fetched.headers()["x-content-type-options"], "nosniff");
        let bytes = fetched.bytes().await.unwrap();
        assert!(!bytes.windows(6).any(|window| window == b"script"));
    }
}
