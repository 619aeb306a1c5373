//! Deletions, and conditions on requests that write.

use aws_sdk_s3::types::{Delete, ObjectIdentifier};

use crate::support::{BUCKET, StorageServer, etag, quoted};

fn identifiers(keys: impl IntoIterator<Item = String>) -> Vec<ObjectIdentifier> {
    let identifiers = keys
        .into_iter()
        .map(|key| ObjectIdentifier::builder().key(key).build());
    identifiers.collect::<Result<_, _>>().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn several_objects_are_deleted_by_one_request() {
    let server = StorageServer::start().await;
    for key in ["a", "b//ü", "c", "kept"] {
        server.put(key, "meow").await;
    }
    let delete = async |objects, quiet| {
        let delete = Delete::builder()
            .set_objects(Some(objects))
            .quiet(quiet)
            .build()
            .unwrap();
        let request = server.client.delete_objects().bucket(BUCKET).delete(delete);
        request.send().await
    };
    let keys = ["a", "b//ü", "missing"].map(str::to_owned);
    let deleted = delete(identifiers(keys.clone()), false).await.unwrap();
    let listed: Vec<_> = deleted
        .deleted()
        .iter()
        .map(|object| object.key().unwrap())
        .collect();
    assert_eq!(listed, keys);
    for (key, kept) in [("a", false), ("b//ü", false), ("c", true)] {
        assert_eq!(server.get(key).await.is_some(), kept, "{key}");
    }

    let versioned = ObjectIdentifier::builder()
        .key("kept")
        .version_id("7")
        .build()
        .unwrap();
    let changed = ObjectIdentifier::builder()
        .key("kept")
        .e_tag("other")
        .build()
        .unwrap();
    let mut objects = identifiers(["c".to_owned()]);
    objects.extend([versioned, changed]);
    let deleted = delete(objects, true).await.unwrap();
    assert_eq!(deleted.deleted().len(), 0, "quiet");
    let codes: Vec<_> = deleted
        .errors()
        .iter()
        .map(|error| error.code().unwrap())
        .collect();
    assert_eq!(codes, ["NoSuchVersion", "PreconditionFailed"]);
    assert!(server.get("kept").await.is_some());
    assert!(server.get("c").await.is_none());

    let no_xml = delete(identifiers(["\u{1}".to_owned()]), false)
        .await
        .unwrap_err();
    assert_eq!(no_xml.into_service_error().meta().code(), Some("MalformedXML"));
    let many = (0..1001).map(|number| number.to_string());
    let refused = delete(identifiers(many), false).await.unwrap_err();
    assert_eq!(refused.into_service_error().meta().code(), Some("MalformedXML"));
    // Each takes the most space that a key can take in XML.
    let long = (0..1000).map(|number| format!("{number:04}{}", "&".repeat(1020)));
    let deleted = delete(identifiers(long), false).await.unwrap();
    assert_eq!(deleted.deleted().len(), 1000);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_is_replaced_or_deleted_only_if_its_etag_matches() {
    let server = StorageServer::start().await;
    let put = async |etag: &str, body: &'static [u8]| {
        let put = server.client.put_object().bucket(BUCKET).key("k").if_match(etag);
        let put = put.body(body.to_vec().into()).send().await;
        put.err()
            .map(|error| error.into_service_error().meta().code().unwrap().to_owned())
    };
    let (first, second) = (quoted(&etag(b"first")), quoted(&etag(b"second")));
    assert_eq!(put(&first, b"second").await.as_deref(), Some("NoSuchKey"));
    server.put("k", "first").await;
    assert_eq!(
        put(&second, b"second").await.as_deref(),
        Some("PreconditionFailed")
    );
    assert_eq!(put(&first, b"second").await, None);
    let delete = async |etag: &str| {
        let delete = server
            .client
            .delete_object()
            .bucket(BUCKET)
            .key("k")
            .if_match(etag);
        delete.send().await.is_ok()
    };
    assert!(!delete(&first).await);
    assert_eq!(server.get("k").await.unwrap(), b"second");
    assert!(delete(&second).await);
    assert_eq!(server.get("k").await, None);
}
