//! Lists of objects.

use std::collections::BTreeSet;

use crate::support::{BUCKET, StorageServer, etag, quoted};

/// Prefix, delimiter and start of a list, and the entries that it has.
type Case<'a> = ((&'a str, Option<&'a str>, Option<&'a str>), &'a [&'a str]);

/// Keys and common prefixes of all pages.
async fn list(
    server: &StorageServer,
    (prefix, delimiter, after): (&str, Option<&str>, Option<&str>),
    size: i32,
) -> Vec<String> {
    let mut pages = server
        .client
        .list_objects_v2()
        .bucket(BUCKET)
        .prefix(prefix)
        .set_delimiter(delimiter.map(str::to_owned))
        .set_start_after(after.map(str::to_owned))
        .into_paginator()
        .page_size(size)
        .send();
    let mut listed = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.unwrap();
        let count = page.contents().len() + page.common_prefixes().len();
        assert!(count <= usize::try_from(size).unwrap());
        assert_eq!(page.key_count(), Some(i32::try_from(count).unwrap()));
        let keys = page
            .contents()
            .iter()
            .map(|object| object.key().unwrap().to_owned());
        let prefixes = page.common_prefixes().iter();
        let prefixes = prefixes.map(|common| common.prefix().unwrap().to_owned());
        let mut entries: Vec<_> = keys.chain(prefixes).collect();
        entries.sort();
        listed.extend(entries);
    }
    listed
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_are_listed_in_order_in_pages_of_any_size() {
    let server = StorageServer::start().await;
    let keys = [
        "a", "a/", "a//b", "a/b", "a/b/1", "a/b/2", "a/c", "a0", "b", "ä/1", "ä/2", "猫", "🐈/x",
    ];
    for key in keys.iter().rev() {
        server.put(key, "meow").await;
    }
    let cases: [Case<'_>; 9] = [
        (("", None, None), &keys),
        (("", Some("/"), None), &["a", "a/", "a0", "b", "ä/", "猫", "🐈/"]),
        (("a/", Some("/"), None), &["a/", "a//", "a/b", "a/b/", "a/c"]),
        (("a/b", None, None), &["a/b", "a/b/1", "a/b/2"]),
        (("", None, Some("a/b/1")), &keys[5..]),
        (
            ("", Some("/"), Some("a/b/1")),
            &["a/", "a0", "b", "ä/", "猫", "🐈/"],
        ),
        (("", Some("/"), Some("a/")), &["a0", "b", "ä/", "猫", "🐈/"]),
        (("a/b/", None, Some("a")), &["a/b/1", "a/b/2"]),
        (("c", None, None), &[]),
    ];
    for (selection, expected) in cases {
        for size in [1, 2, 3, 1000] {
            let listed = list(&server, selection, size).await;
            assert_eq!(listed, expected, "{selection:?} in pages of {size}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_shows_every_change_at_once() {
    let server = StorageServer::start().await;
    let all = ("", None, None);
    assert_eq!(list(&server, all, 10).await, [""; 0]);
    server.put("b", "meow").await;
    server.put("a", "meow").await;
    assert_eq!(list(&server, all, 10).await, ["a", "b"]);
    server.put("a", "again").await;
    server
        .client
        .delete_object()
        .bucket(BUCKET)
        .key("b")
        .send()
        .await
        .unwrap();
    assert_eq!(list(&server, all, 10).await, ["a"]);
    let server = server.restart().await;
    let listed = server.client.list_objects_v2().bucket(BUCKET).fetch_owner(true);
    let listed = listed.send().await.unwrap();
    let object = &listed.contents()[0];
    assert_eq!(object.e_tag(), Some(quoted(&etag(b"again")).as_str()));
    assert_eq!(object.size(), Some(5));
    assert!(object.owner().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_stored_during_the_first_list_are_not_missed() {
    let server = StorageServer::start().await;
    let keys: BTreeSet<_> = (0..60).map(|number| format!("key {number}")).collect();
    let puts = keys.iter().map(|key| server.put(key, "meow"));
    let lists = (0..10).map(|_| list(&server, ("", None, None), 1000));
    tokio::join!(futures::future::join_all(puts), futures::future::join_all(lists));
    let listed = list(&server, ("", None, None), 1000).await;
    assert!(listed.iter().eq(&keys), "{listed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_encoded_on_request() {
    let server = StorageServer::start().await;
    // XML has no such character.
    server.put("\u{1}/ü +%", "meow").await;
    let list = || {
        let list = server.client.list_objects_v2().bucket(BUCKET);
        list.encoding_type(aws_sdk_s3::types::EncodingType::Url)
    };
    let plain = server
        .client
        .list_objects_v2()
        .bucket(BUCKET)
        .send()
        .await
        .unwrap();
    assert_eq!(plain.contents()[0].key(), Some("\u{fffd}/ü +%"));
    let listed = list().send().await.unwrap();
    assert_eq!(listed.contents()[0].key(), Some("%01/%C3%BC+%2B%25"));
    let listed = list().prefix("\u{1}/").delimiter("+").send().await.unwrap();
    assert_eq!(listed.prefix(), Some("%01/"));
    assert_eq!(listed.delimiter(), Some("%2B"));
    assert_eq!(listed.common_prefixes()[0].prefix(), Some("%01/%C3%BC+%2B"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_version_of_the_list_continues_after_its_marker() {
    let server = StorageServer::start().await;
    for key in ["a", "b/1", "b/2", "c"] {
        server.put(key, "meow").await;
    }
    let (mut listed, mut marker) = (Vec::new(), None);
    loop {
        let page = server
            .client
            .list_objects()
            .bucket(BUCKET)
            .delimiter("/")
            .max_keys(1);
        let page = page.set_marker(marker).send().await.unwrap();
        listed.extend(
            page.contents()
                .iter()
                .map(|object| object.key().unwrap().to_owned()),
        );
        listed.extend(
            page.common_prefixes()
                .iter()
                .map(|common| common.prefix().unwrap().to_owned()),
        );
        if page.is_truncated() != Some(true) {
            break;
        }
        marker = page.next_marker().map(str::to_owned);
    }
    assert_eq!(listed, ["a", "b/", "c"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_positions_and_sizes_are_refused() {
    let server = StorageServer::start().await;
    let list = || server.client.list_objects_v2().bucket(BUCKET);
    for request in [list().continuation_token("?"), list().max_keys(-1)] {
        let error = request.send().await.unwrap_err();
        assert_eq!(error.into_service_error().meta().code(), Some("InvalidArgument"));
    }
    server.put("a", "meow").await;
    let empty = list().max_keys(0).send().await.unwrap();
    assert_eq!((empty.contents().len(), empty.key_count()), (0, Some(0)));
    assert_eq!(list().max_keys(5000).send().await.unwrap().max_keys(), Some(1000));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bucket_is_listed_with_its_region() {
    let server = StorageServer::start().await;
    let listed = server.client.list_buckets().send().await.unwrap();
    assert_eq!(listed.buckets().len(), 1);
    assert_eq!(listed.buckets()[0].name(), Some(BUCKET));
    assert!(listed.buckets()[0].creation_date().is_some());
    let location = server
        .client
        .get_bucket_location()
        .bucket(BUCKET)
        .send()
        .await
        .unwrap();
    assert_eq!(location.location_constraint().unwrap().as_str(), "eu-west-1");
}
