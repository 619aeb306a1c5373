//! Presigned downloads: displayed in place or saved as a file, until they expire.

use std::time::Duration;

use rapidphoto_application::ports::ReadGrant;
use rapidphoto_domain::values::{Filename, MimeType};

use super::{
    ObjectHarness,
    fixtures::{body, key, reading},
};

/// A client reads the object with the signed media type, whatever type it was stored with.
pub async fn a_client_reads_an_object<H: ObjectHarness>(harness: H) {
    let (key, body) = (key(1), body(200_000));
    harness
        .store()
        .put(&key, body.clone(), "text/html")
        .await
        .unwrap();
    let grant = ReadGrant {
        mime_type: MimeType::Webp,
        ..reading(&key)
    };
    let presigned = harness.presigner().get(&grant).await.unwrap();
    assert_eq!(presigned.headers, [], "a download link can't carry headers");
    for _ in 0..2 {
        let answer = harness.get(&presigned.url).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.header("content-type"), Some("image/webp"));
        let disposition = answer.header("content-disposition").unwrap_or("inline");
        assert!(disposition.starts_with("inline"), "{disposition}");
        assert!(answer.body == body);
    }
}

/// An object is offered as a file with its name, in any script.
pub async fn an_object_is_offered_with_its_filename<H: ObjectHarness>(harness: H) {
    let key = key(1);
    harness.store().put(&key, body(10), "image/jpeg").await.unwrap();
    for (name, encoded) in [
        ("IMG_1234.jpg", "IMG_1234.jpg"),
        (
            "Zürich – 猫.jpg",
            "filename*=UTF-8''Z%C3%BCrich%20%E2%80%93%20%E7%8C%AB.jpg",
        ),
        (
            "a\"quote; filename=b.jpg",
            "filename*=UTF-8''a%22quote%3B%20filename%3Db.jpg",
        ),
    ] {
        let grant = ReadGrant {
            download_as: Some(Filename::parse(name).unwrap()),
            ..reading(&key)
        };
        let presigned = harness.presigner().get(&grant).await.unwrap();
        let answer = harness.get(&presigned.url).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let disposition = answer.header("content-disposition").unwrap();
        assert!(disposition.starts_with("attachment"), "{disposition}");
        assert!(disposition.contains(encoded), "{disposition}");
    }
}

/// Signing does not contact the store: a URL can be signed for a missing object and is answered with 404.
pub async fn a_download_of_a_missing_object_is_not_found<H: ObjectHarness>(harness: H) {
    let presigned = harness.presigner().get(&reading(&key(1))).await.unwrap();
    let answer = harness.get(&presigned.url).await;
    assert_eq!(answer.status, 404, "{answer:?}");
}

/// An expired URL is answered with 403.
pub async fn a_download_url_expires<H: ObjectHarness>(harness: H) {
    let key = key(1);
    harness.store().put(&key, body(10), "image/jpeg").await.unwrap();
    let grant = ReadGrant {
        valid_for: Duration::from_secs(1),
        ..reading(&key)
    };
    let presigned = harness.presigner().get(&grant).await.unwrap();
    harness.pass(Duration::from_millis(2500)).await;
    let answer = harness.get(&presigned.url).await;
    assert_eq!(answer.status, 403, "{answer:?}");
}

/// A modified or unsigned URL reads nothing.
pub async fn a_modified_or_unsigned_url_reads_nothing<H: ObjectHarness>(harness: H) {
    let (mine, other) = (key(1), key(2));
    for key in [&mine, &other] {
        harness.store().put(key, body(10), "image/jpeg").await.unwrap();
    }
    let presigned = harness.presigner().get(&reading(&mine)).await.unwrap();
    let photo = |key: &str| {
        key.split('/')
            .find(|part| part.starts_with("ph_"))
            .unwrap()
            .to_owned()
    };
    let moved = presigned.url.replace(&photo(&mine), &photo(&other));
    let bare = presigned.url.split('?').next().unwrap().to_owned();
    for url in [moved, bare] {
        assert_ne!(url, presigned.url);
        let answer = harness.get(&url).await;
        assert_eq!(answer.status, 403, "{url}: {answer:?}");
    }
}
