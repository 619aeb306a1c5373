//! Lists of parts and of uploads in parts.

use std::collections::BTreeSet;

use crate::support::{BUCKET, FixedClock, StorageServer, Upload, md5, quoted};

#[tokio::test(flavor = "multi_thread")]
async fn parts_are_listed_in_pages() {
    let server = StorageServer::start().await;
    let upload = Upload::open(&server).await;
    for number in [5, 1, 10_000, 7] {
        upload.part(number, format!("part {number}").as_bytes()).await;
    }
    let mut pages = server
        .client
        .list_parts()
        .bucket(BUCKET)
        .key("k")
        .upload_id(&upload.id)
        .into_paginator()
        .page_size(3)
        .send();
    let mut listed = Vec::new();
    let mut lengths = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.unwrap();
        lengths.push(page.parts().len());
        listed.extend(page.parts().to_vec());
    }
    assert_eq!(lengths, [3, 1]);
    for (part, number) in listed.iter().zip([1, 5, 7, 10_000]) {
        let body = format!("part {number}");
        assert_eq!(part.part_number(), Some(number));
        assert_eq!(part.e_tag(), Some(quoted(&md5(body.as_bytes())).as_str()));
        assert_eq!(part.size(), Some(i64::try_from(body.len()).unwrap()));
        assert_eq!(
            part.last_modified().unwrap().to_millis().unwrap(),
            FixedClock::NOW.timestamp_millis()
        );
    }
    let none = server.client.list_parts().bucket(BUCKET).key("k");
    let none = none.upload_id(&upload.id).part_number_marker("10000").send();
    assert_eq!(none.await.unwrap().parts().len(), 0);
}

async fn open(server: &StorageServer, key: &str) -> String {
    let opened = server.client.create_multipart_upload().bucket(BUCKET).key(key);
    opened.send().await.unwrap().upload_id().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_are_listed_by_key_and_time_in_pages() {
    let server = StorageServer::start().await;
    let mut expected = BTreeSet::new();
    for key in ["b/2", "a", "b/1", "b/1", "b//x", "ü", "b"] {
        expected.insert((key.to_owned(), open(&server, key).await));
    }
    let expected: Vec<_> = expected.into_iter().collect();
    for (prefix, from, to) in [("", 0, 7), ("b/", 2, 6), ("c", 0, 0)] {
        for size in [1, 2, 3, 1000] {
            let (mut listed, mut marker) = (Vec::new(), (None, None));
            loop {
                let page = server
                    .client
                    .list_multipart_uploads()
                    .bucket(BUCKET)
                    .prefix(prefix)
                    .max_uploads(size)
                    .set_key_marker(marker.0)
                    .set_upload_id_marker(marker.1)
                    .send()
                    .await
                    .unwrap();
                let uploads = page.uploads().iter();
                listed.extend(uploads.map(|upload| {
                    let id = upload.upload_id().unwrap().to_owned();
                    (upload.key().unwrap().to_owned(), id)
                }));
                if page.is_truncated() != Some(true) {
                    break;
                }
                marker = (
                    page.next_key_marker().map(str::to_owned),
                    page.next_upload_id_marker().map(str::to_owned),
                );
            }
            assert_eq!(listed, expected[from..to], "{prefix:?} in pages of {size}");
        }
    }
    let grouped = server.client.list_multipart_uploads().bucket(BUCKET);
    let grouped = grouped.delimiter("/").send().await.unwrap();
    let prefixes: Vec<_> = grouped
        .common_prefixes()
        .iter()
        .map(|common| common.prefix())
        .collect();
    assert_eq!(prefixes, [Some("b/")]);
    assert_eq!(grouped.uploads().len(), 3);
}
