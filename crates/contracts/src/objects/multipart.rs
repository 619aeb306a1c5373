//! Uploads in parts, by clients and the application.

use std::collections::BTreeSet;

use bytes::Bytes;
use futures::{StreamExt as _, stream};
use rapidphoto_application::ports::{CompleteError, MultipartUploads, PartReference, StoredPart};
use rapidphoto_domain::{
    photo::MIN_PART_BYTES,
    values::{ETag, MultipartId, PartNumber},
};

use super::{
    MultipartHarness,
    fixtures::{body, key, part_grant, read},
};

fn number(number: u16) -> PartNumber {
    PartNumber::new(number).unwrap()
}

fn references(parts: &[StoredPart]) -> Vec<PartReference> {
    let parts = parts.iter().map(|part| PartReference {
        number: part.number,
        e_tag: part.e_tag.clone(),
    });
    parts.collect()
}

/// Sends a part as a client, and returns the ETag of the answer.
async fn send<H: MultipartHarness>(
    harness: &H,
    key: &str,
    upload: &MultipartId,
    part: u16,
    body: Bytes,
) -> ETag {
    let grant = part_grant(key, upload, part, body.len());
    let presigned = harness.presigner().part(&grant).await.unwrap();
    assert_eq!(presigned.headers, [], "a client needs no headers for a part");
    let answer = harness.put(&presigned.url, &presigned.headers, body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    ETag::parse(answer.header("etag").unwrap()).unwrap()
}

async fn stored<H: MultipartHarness>(harness: &H, key: &str, upload: &MultipartId) -> Vec<StoredPart> {
    harness.multipart().parts(key, upload).await.unwrap().unwrap()
}

/// All open uploads with keys of this prefix.
async fn open_uploads(multipart: &dyn MultipartUploads, prefix: &str) -> Vec<(String, MultipartId)> {
    let (mut uploads, mut after) = (Vec::new(), None);
    loop {
        let page = multipart.list(prefix, after.as_ref()).await.unwrap();
        uploads.extend(page.uploads.into_iter().map(|upload| (upload.key, upload.id)));
        after = page.next;
        if after.is_none() {
            return uploads;
        }
    }
}

/// Parts are sent in any order, listed in ascending order, and joined to an object with the type of the upload. The upload
/// is gone then.
pub async fn a_file_sent_in_parts_becomes_an_object<H: MultipartHarness>(harness: H) {
    let (key, multipart) = (key(1), harness.multipart());
    let whole = body(usize::try_from(MIN_PART_BYTES).unwrap() + 1000);
    let (first, last) = (
        whole.slice(..whole.len() - 1000),
        whole.slice(whole.len() - 1000..),
    );
    let upload = multipart.open(&key, "image/heic").await.unwrap();
    assert_eq!(stored(&harness, &key, &upload).await, []);
    let last_tag = send(&harness, &key, &upload, 2, last).await;
    let first_tag = send(&harness, &key, &upload, 1, first).await;
    let parts = stored(&harness, &key, &upload).await;
    let expected = [(1, first_tag, MIN_PART_BYTES), (2, last_tag, 1000)];
    let expected = expected.map(|(part, e_tag, bytes)| StoredPart {
        number: number(part),
        e_tag,
        bytes,
    });
    assert_eq!(parts, expected);
    assert_eq!(harness.store().head(&key).await.unwrap(), None);

    multipart
        .complete(&key, &upload, &references(&parts))
        .await
        .unwrap();

    let head = harness.store().head(&key).await.unwrap().unwrap();
    assert_eq!(
        (head.bytes, head.content_type.as_deref()),
        (whole.len() as u64, Some("image/heic"))
    );
    assert!(read(&*harness.store(), &key, &head.e_tag).await == whole);
    assert_eq!(multipart.parts(&key, &upload).await.unwrap(), None);
    let again = multipart.complete(&key, &upload, &references(&parts)).await;
    assert!(
        matches!(again, Err(CompleteError::NoSuchUpload | CompleteError::Exists)),
        "{again:?}"
    );
    assert!(
        !open_uploads(&*multipart, &key)
            .await
            .contains(&(key.clone(), upload))
    );
}

/// The last part, and so a single one, may have any size.
pub async fn one_small_part_is_enough<H: MultipartHarness>(harness: H) {
    let (key, multipart) = (key(1), harness.multipart());
    let upload = multipart.open(&key, "image/jpeg").await.unwrap();
    send(&harness, &key, &upload, 1, body(1)).await;
    let parts = stored(&harness, &key, &upload).await;
    multipart
        .complete(&key, &upload, &references(&parts))
        .await
        .unwrap();
    let head = harness.store().head(&key).await.unwrap().unwrap();
    assert_eq!(head.bytes, 1);
    assert_eq!(read(&*harness.store(), &key, &head.e_tag).await, body(1));
}

/// A part that is sent again replaces the first: the object has its bytes.
pub async fn a_part_that_is_sent_again_is_replaced<H: MultipartHarness>(harness: H) {
    let (key, multipart) = (key(1), harness.multipart());
    let upload = multipart.open(&key, "image/jpeg").await.unwrap();
    let old = send(&harness, &key, &upload, 1, body(100)).await;
    let new = send(&harness, &key, &upload, 1, Bytes::from_static(b"other bytes")).await;
    assert_ne!(old, new);
    let parts = stored(&harness, &key, &upload).await;
    assert_eq!(
        parts,
        [StoredPart {
            number: number(1),
            e_tag: new,
            bytes: 11
        }]
    );
    let stale = [PartReference {
        number: number(1),
        e_tag: old,
    }];
    let refused = multipart.complete(&key, &upload, &stale).await;
    assert!(matches!(refused, Err(CompleteError::InvalidPart)), "{refused:?}");
    multipart
        .complete(&key, &upload, &references(&parts))
        .await
        .unwrap();
    let head = harness.store().head(&key).await.unwrap().unwrap();
    assert_eq!(read(&*harness.store(), &key, &head.e_tag).await, "other bytes");
}

/// An upload that was never opened, or has another key, is no error but has no parts and can't be completed.
pub async fn an_unknown_upload_has_no_parts<H: MultipartHarness>(harness: H) {
    let multipart = harness.multipart();
    let other = multipart.open(&key(2), "image/jpeg").await.unwrap();
    multipart.abort(&key(2), &other).await.unwrap();
    assert_eq!(multipart.parts(&key(1), &other).await.unwrap(), None);
    let parts = [PartReference {
        number: number(1),
        e_tag: ETag::parse("0123456789abcdef0123456789abcdef").unwrap(),
    }];
    let completed = multipart.complete(&key(1), &other, &parts).await;
    assert!(
        matches!(completed, Err(CompleteError::NoSuchUpload)),
        "{completed:?}"
    );
    multipart.abort(&key(1), &other).await.unwrap();
}

/// An aborted upload has no parts, takes none, and is not listed. Another upload to the same key goes on.
pub async fn an_aborted_upload_is_gone<H: MultipartHarness>(harness: H) {
    let (key, multipart) = (key(1), harness.multipart());
    let aborted = multipart.open(&key, "image/jpeg").await.unwrap();
    let kept = multipart.open(&key, "image/jpeg").await.unwrap();
    assert_ne!(aborted, kept);
    for upload in [&aborted, &kept] {
        send(&harness, &key, upload, 1, body(10)).await;
    }
    for _ in 0..2 {
        multipart.abort(&key, &aborted).await.unwrap();
    }
    assert_eq!(multipart.parts(&key, &aborted).await.unwrap(), None);
    let late = harness
        .presigner()
        .part(&part_grant(&key, &aborted, 2, 10))
        .await
        .unwrap();
    let answer = harness.put(&late.url, &late.headers, body(10)).await;
    assert_eq!(answer.status, 404, "{answer:?}");
    assert_eq!(
        open_uploads(&*multipart, &key).await,
        [(key.clone(), kept.clone())]
    );
    let parts = stored(&harness, &key, &kept).await;
    multipart
        .complete(&key, &kept, &references(&parts))
        .await
        .unwrap();
    assert_eq!(harness.store().head(&key).await.unwrap().unwrap().bytes, 10);
}

/// A part that was never sent, has another ETag, is out of order or too small makes no object, and the upload goes on.
pub async fn parts_that_storage_does_not_have_are_refused<H: MultipartHarness>(harness: H) {
    let (key, multipart) = (key(1), harness.multipart());
    let upload = multipart.open(&key, "image/jpeg").await.unwrap();
    for part in [1, 2] {
        send(&harness, &key, &upload, part, body(usize::from(part))).await;
    }
    let parts = references(&stored(&harness, &key, &upload).await);
    let never_sent = PartReference {
        number: number(3),
        ..parts[0].clone()
    };
    let other_tag = PartReference {
        e_tag: parts[1].e_tag.clone(),
        ..parts[0].clone()
    };
    for refused in [
        vec![never_sent],
        vec![other_tag],
        vec![parts[1].clone(), parts[0].clone()],
        // All but the last part have at least 5 MiB.
        parts.clone(),
    ] {
        let completed = multipart.complete(&key, &upload, &refused).await;
        assert!(
            matches!(completed, Err(CompleteError::InvalidPart)),
            "{refused:?}: {completed:?}"
        );
        assert_eq!(harness.store().head(&key).await.unwrap(), None);
    }
    let first = body(usize::try_from(MIN_PART_BYTES).unwrap());
    send(&harness, &key, &upload, 1, first).await;
    let parts = references(&stored(&harness, &key, &upload).await);
    multipart.complete(&key, &upload, &parts).await.unwrap();
    let head = harness.store().head(&key).await.unwrap().unwrap();
    assert_eq!(head.bytes, MIN_PART_BYTES + 2);
}

/// An object that is there is never replaced, however it was stored.
pub async fn a_completion_never_replaces_an_object<H: MultipartHarness>(harness: H) {
    let (key, multipart) = (key(1), harness.multipart());
    let upload = multipart.open(&key, "image/jpeg").await.unwrap();
    send(&harness, &key, &upload, 1, body(10)).await;
    let parts = references(&stored(&harness, &key, &upload).await);
    let e_tag = harness.store().put(&key, body(20), "image/png").await.unwrap();
    let completed = multipart.complete(&key, &upload, &parts).await;
    assert!(matches!(completed, Err(CompleteError::Exists)), "{completed:?}");
    assert_eq!(harness.store().head(&key).await.unwrap().unwrap().e_tag, e_tag);
    multipart.abort(&key, &upload).await.unwrap();
    assert_eq!(harness.store().head(&key).await.unwrap().unwrap().e_tag, e_tag);
}

/// Stores list at most 1000 parts in one response.
pub async fn more_parts_than_a_page_are_listed<H: MultipartHarness>(harness: H) {
    let (key, multipart) = (key(1), harness.multipart());
    let upload = multipart.open(&key, "image/jpeg").await.unwrap();
    let (harness, upload, key) = (&harness, &upload, key.as_str());
    stream::iter((1..=1001).chain([9_999, 10_000]))
        .for_each_concurrent(16, async |part| {
            send(harness, key, upload, part, body(1 + usize::from(part % 7))).await;
        })
        .await;
    let listed = stored(harness, key, upload).await;
    let sizes: Vec<_> = listed
        .iter()
        .map(|part| (part.number.get(), part.bytes))
        .collect();
    let expected: Vec<_> = (1..=1001)
        .chain([9_999, 10_000])
        .map(|part| (part, 1 + u64::from(part % 7)))
        .collect();
    assert_eq!(sizes, expected);
    multipart.abort(key, upload).await.unwrap();
}

/// Only uploads with the prefix are listed, all of them, each once, with the time at which it was opened.
pub async fn open_uploads_are_listed_in_pages<H: MultipartHarness>(harness: H) {
    let multipart = harness.multipart();
    let mut expected = BTreeSet::new();
    for photo in 1..=4 {
        for _ in 0..2 {
            let upload = multipart.open(&key(photo), "image/jpeg").await.unwrap();
            expected.insert((key(photo), upload));
        }
    }
    let elsewhere = key(1).replacen("test/", "other/", 1);
    multipart.open(&elsewhere, "image/jpeg").await.unwrap();
    let listed = open_uploads(&*multipart, "test/").await;
    assert_eq!(listed.len(), expected.len(), "each once");
    assert_eq!(listed.into_iter().collect::<BTreeSet<_>>(), expected);
    let first = multipart.list("other/", None).await.unwrap();
    let [upload] = &first.uploads[..] else {
        panic!("{first:?}")
    };
    let year = upload.opened_at.format("%Y").to_string();
    assert!(year.as_str() >= "2024", "{upload:?}");
}
