//! Every type of picture that is read, from its promise to its thumbnails; and those that are not.

use bytes::Bytes;
use rapidphoto_client::types::{FileRequest, PhotoStatus};

use crate::bench::{Bench, codes, ended, photo, promise, statuses};

const PNG: &[u8] = include_bytes!("files/turned.png");
const WEBP: &[u8] = include_bytes!("files/photo.webp");
const GIF: &[u8] = include_bytes!("files/moving.gif");
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
async fn every_readable_type_is_completed_with_thumbnails() {
    let bench = Bench::new();
    let running = bench.start().await;
    let session = &running.session;
    let kinds = [
        ("turned.png", "image/png", PNG, (1280, 960)),
        ("photo.webp", "image/webp", WEBP, (1280, 960)),
        ("moving.gif", "image/gif", GIF, (1280, 960)),
        ("scan.tif", "image/tiff", TIFF, (640, 480)),
    ];
    let files = kinds.map(|(name, mime_type, bytes, _)| file(name, mime_type, bytes));
    let (job_id, items) = promise(session, &files).await;
    for (item, (.., bytes, _)) in items.iter().zip(kinds) {
        session.put(item, Bytes::from_static(bytes)).await.unwrap();
    }
    let job = ended(session, &job_id).await;
    assert_eq!(statuses(&job), [PhotoStatus::Completed; 4], "{job:?}");

    for (item, (name, mime_type, _, (width, height))) in items.iter().zip(kinds) {
        let shown = session.photo(&item.photo_id).await.unwrap();
        assert_eq!(
            (shown.width, shown.height),
            (Some(width), Some(height)),
            "{name}, as it is shown upright"
        );
        assert_eq!(shown.mime_type, mime_type);
        let longer = width.min(1024);
        let sizes: Vec<_> = shown
            .thumbnails
            .iter()
            .map(|made| (made.width, made.height))
            .collect();
        assert_eq!(sizes, [(256, 192), (longer, longer / 4 * 3)], "{name}");
        for thumbnail in &shown.thumbnails {
            let fetched = reqwest::get(&thumbnail.url).await.unwrap();
            assert_eq!(fetched.headers()["content-type"], "image/jpeg");
            assert!(fetched.bytes().await.unwrap().starts_with(&[0xff, 0xd8, 0xff]));
        }
        // The original is given back as what it is, and only to be kept.
        let download = session.download_url(&item.photo_id, "original").await.unwrap();
        let fetched = reqwest::get(&download.url).await.unwrap();
        assert_eq!(fetched.headers()["content-type"], mime_type);
        assert_eq!(fetched.headers()["x-content-type-options"], "nosniff");
        let disposition = fetched.headers()["content-disposition"].to_str().unwrap();
        assert!(disposition.starts_with("attachment"), "{disposition}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_type_that_is_not_the_promised_one_or_not_read_is_rejected() {
    let bench = Bench::new();
    let running = bench.start().await;
    let session = &running.session;
    let heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic";
    let files = [
        file("photo.webp", "image/webp", PNG),
        file("photo.png", "image/png", &PNG[..PNG.len() / 2]),
        file("photo.heic", "image/heic", heic),
    ];
    let (job_id, items) = promise(session, &files).await;
    for (item, bytes) in items.iter().zip([PNG, &PNG[..PNG.len() / 2], heic]) {
        session.put(item, Bytes::from_static(bytes)).await.unwrap();
    }
    let job = ended(session, &job_id).await;
    assert_eq!(statuses(&job), [PhotoStatus::Rejected; 3], "{job:?}");
    assert_eq!(codes(&job.photos[0]), ["type_mismatch"]);
    assert_eq!(codes(&job.photos[1]), ["corrupt"]);
    assert_eq!(codes(&job.photos[2]), ["unsupported_format"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_photo_that_is_a_page_as_well_is_never_given_back_as_one() {
    const PAGE: &[u8] = b"<!DOCTYPE html><script>alert(document.domain)</script>";
    let bench = Bench::new();
    let running = bench.start().await;
    let session = &running.session;
    let whole = photo(7);
    let length = u16::try_from(PAGE.len() + 2).unwrap().to_be_bytes();
    let comment = [&[0xFF, 0xFE], &length[..], PAGE].concat();
    // A page in a comment at its beginning, and another behind its end.
    let polyglot = [&whole[..2], &comment, &whole[2..], PAGE].concat();
    let files = [
        file("page.html.jpg", "image/jpeg", &polyglot),
        file("page.jpg", "image/jpeg", PAGE),
    ];
    let (job_id, items) = promise(session, &files).await;
    session
        .put(&items[0], Bytes::from(polyglot.clone()))
        .await
        .unwrap();
    session.put(&items[1], Bytes::from_static(PAGE)).await.unwrap();
    let job = ended(session, &job_id).await;
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

    let shown = session.photo(&items[0].photo_id).await.unwrap();
    assert_eq!(shown.thumbnails.len(), 2);
    for thumbnail in &shown.thumbnails {
        let fetched = reqwest::get(&thumbnail.url).await.unwrap();
        assert_eq!(fetched.headers()["content-type"], "image/jpeg");
        assert_eq!(fetched.headers()["x-content-type-options"], "nosniff");
        let bytes = fetched.bytes().await.unwrap();
        assert!(!bytes.windows(6).any(|part| part == b"script"));
    }
}
