//! Erasure: after a photo is deleted, no file of the data directory has its data.

use std::{fs, path::Path, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use rapidphoto_client::types::{DeclaredChecksum, PhotoStatus};
use rapidphoto_sample_photos::SamplePhoto;
use sha2::{Digest as _, Sha256};

use crate::fixtures::{DataDir, declare, files_below, finished_job, jpeg, statuses};

const FILENAME: &str = "Birthday of Ottilie Wunderlich.jpg";

/// Data of the photo, with a name for messages.
type Needles = Vec<(&'static str, Vec<u8>)>;

/// Needles that occur in a file below a directory, each with the file.
fn found_below(directory: &Path, needles: &Needles) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            found.extend(found_below(&path, needles));
            continue;
        }
        // A file of the write-ahead log, or an upload, can end meanwhile.
        let Ok(content) = fs::read(&path) else { continue };
        for (name, needle) in needles {
            if content.windows(needle.len()).any(|window| window == needle) {
                found.push((*name, path.display().to_string()));
            }
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_photo_leaves_no_data_in_any_file() {
    let data_dir = DataDir::new();
    let options = DataDir::options().with("RAPIDPHOTO_LOG__FILTER", "rapidphoto=trace,info");
    let mut running = data_dir.start_with(&options).await;
    let session = &running.session;
    // A neighbour without EXIF, which stays.
    let other = SamplePhoto {
        exif: false,
        ..SamplePhoto::new(1, 320, 240)
    };
    let other = Bytes::from(other.jpeg());
    let (other_job, items) = declare(session, &[jpeg(&other)]).await;
    session.put(&items[0], other).await.unwrap();
    finished_job(session, &other_job).await;

    let sample = SamplePhoto::new(7, 1600, 1200);
    let bytes = Bytes::from(sample.jpeg());
    let sha256 = Sha256::digest(&bytes);
    let mut file = jpeg(&bytes);
    file.filename = FILENAME.to_owned();
    file.checksum = Some(DeclaredChecksum {
        algo: "sha256".to_owned(),
        value: hex::encode(sha256),
    });
    let (job, items) = declare(session, &[file]).await;
    session.put(&items[0], bytes.clone()).await.unwrap();
    assert_eq!(
        statuses(&finished_job(session, &job).await),
        [PhotoStatus::Completed]
    );
    let photo = session.photo(&items[0].photo_id).await.unwrap();
    let download = session
        .download_url(&items[0].photo_id, "original")
        .await
        .unwrap();
    let original = reqwest::get(&download.url).await.unwrap();
    let e_tag = original.headers()["etag"].to_str().unwrap().trim_matches('"');
    let (camera, place) = (sample.camera(), photo.location.unwrap());
    let mut needles: Needles = vec![
        ("filename", FILENAME.into()),
        ("make", camera.make.into()),
        ("model", camera.model.into()),
        ("lens", camera.lens.into()),
        ("exposure in EXIF", camera.taken_at.into()),
        ("exposure", photo.taken_at.unwrap()[..19].into()),
        ("latitude", place.latitude.to_string().into()),
        ("longitude", place.longitude.to_string().into()),
        ("SHA-256 in hex", hex::encode(sha256).into()),
        ("SHA-256 in base64", STANDARD.encode(sha256).into()),
        ("content hash of the entity tag", e_tag.into()),
        ("pixels", bytes[bytes.len() / 2..][..64].into()),
    ];
    let before = found_below(&data_dir.path(), &needles);
    for (name, _) in &needles {
        assert!(
            before.iter().any(|(found, _)| found == name),
            "{name}: {before:?}"
        );
    }
    needles.push(("SHA-256", sha256.to_vec()));
    needles.extend(photo.perceptual_hash.map(|hash| ("perceptual hash", hash.into())));

    let objects = data_dir.path().join("objects/buckets");
    let all = files_below(&objects);
    session.delete_photo(&items[0].photo_id).await.unwrap();
    let cleaned = async {
        while files_below(&objects) != all / 2 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), cleaned)
        .await
        .expect("the objects of the photo were not removed within 60 s");
    let status = running.server.terminate().await.unwrap();
    assert!(status.success());

    let after = found_below(&data_dir.path(), &needles);
    assert_eq!(after, [], "still there after the deletion");
    let log = running.server.log();
    for (name, needle) in &needles {
        let found = log
            .as_bytes()
            .windows(needle.len())
            .any(|window| window == needle);
        assert!(!found, "{name} is in the log: {log}");
    }
    data_dir.assert_verified();
}
