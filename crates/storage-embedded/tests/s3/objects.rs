use aws_sdk_s3::primitives::DateTime;
use aws_sdk_s3::types::ChecksumMode;

use crate::rig::{BUCKET, FixedClock, Rig, in_an_hour, md5, sdk, send, sha256};

#[tokio::test(flavor = "multi_thread")]
async fn an_object_comes_back_as_it_was_put() {
    let rig = Rig::start().await;
    let put = rig
        .client
        .put_object()
        .bucket(BUCKET)
        .key("users/1/cat.jpg")
        .content_type("image/jpeg")
        .cache_control("private, max-age=60")
        .content_disposition("inline")
        .metadata("origin", "test")
        .body(b"meow".to_vec().into())
        .send()
        .await
        .unwrap();
    let etag = format!("\"{}\"", md5(b"meow"));
    assert_eq!(put.e_tag(), Some(etag.as_str()));

    let head = rig
        .client
        .head_object()
        .bucket(BUCKET)
        .key("users/1/cat.jpg")
        .checksum_mode(ChecksumMode::Enabled)
        .send()
        .await
        .unwrap();
    assert_eq!(head.e_tag(), Some(etag.as_str()));
    assert_eq!(head.content_length(), Some(4));
    assert_eq!(head.content_type(), Some("image/jpeg"));
    assert_eq!(head.cache_control(), Some("private, max-age=60"));
    assert_eq!(head.content_disposition(), Some("inline"));
    assert_eq!(head.checksum_sha256(), Some(sha256(b"meow").as_str()));
    assert_eq!(
        head.last_modified(),
        Some(&DateTime::from_secs(FixedClock::NOW.timestamp()))
    );
    assert_eq!(head.metadata().unwrap()["origin"], "test");

    // The SDK compares the checksum with what it reads.
    let object = rig
        .client
        .get_object()
        .bucket(BUCKET)
        .key("users/1/cat.jpg")
        .checksum_mode(ChecksumMode::Enabled)
        .send()
        .await
        .unwrap();
    assert_eq!(object.checksum_sha256(), Some(sha256(b"meow").as_str()));
    assert_eq!(object.content_type(), Some("image/jpeg"));
    assert_eq!(object.accept_ranges(), Some("bytes"));
    assert_eq!(object.body.collect().await.unwrap().to_vec(), b"meow");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checksum_is_told_only_to_those_who_ask() {
    let rig = Rig::start().await;
    rig.put("k", "meow").await;
    let url = rig
        .client
        .get_object()
        .bucket(BUCKET)
        .key("k")
        .presigned(in_an_hour())
        .await
        .unwrap();
    let response = rig.http.get(url.uri()).send().await.unwrap();
    let asked = url.headers().any(|(name, _)| name == "x-amz-checksum-mode");
    assert!(!asked && !response.headers().contains_key("x-amz-checksum-sha256"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_forbids_sniffing_and_has_an_id() {
    let rig = Rig::start().await;
    let put = rig
        .client
        .put_object()
        .bucket(BUCKET)
        .key("k")
        .content_length(8)
        .presigned(in_an_hour())
        .await
        .unwrap();
    assert_eq!(send(&rig, &put, b"<script>", |_| {}).await.status(), 200);
    let url = rig
        .client
        .get_object()
        .bucket(BUCKET)
        .key("k")
        .presigned(in_an_hour())
        .await
        .unwrap();
    let found = rig.http.get(url.uri()).send().await.unwrap();
    let refused = rig
        .http
        .get(format!("http://{}/{BUCKET}/k", rig.address))
        .send()
        .await
        .unwrap();
    let preflight = rig
        .http
        .request(reqwest::Method::OPTIONS, format!("http://{}/", rig.address))
        .send()
        .await
        .unwrap();
    assert_eq!(found.status(), 200);
    assert_eq!(found.headers()["content-type"], "binary/octet-stream");
    assert_eq!(refused.status(), 403);
    for response in [found, refused, preflight] {
        assert_eq!(response.headers()["x-content-type-options"], "nosniff");
        assert_eq!(
            response.headers()["content-security-policy"],
            "default-src 'none'; sandbox"
        );
        assert_eq!(response.headers()["x-amz-request-id"].len(), 32);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ranges_are_read_from_either_end() {
    let rig = Rig::start().await;
    rig.put("k", "0123456789").await;
    for (range, expected, told) in [
        ("bytes=0-3", "0123", "bytes 0-3/10"),
        ("bytes=7-", "789", "bytes 7-9/10"),
        ("bytes=-2", "89", "bytes 8-9/10"),
        ("bytes=5-500", "56789", "bytes 5-9/10"),
        ("bytes=-500", "0123456789", "bytes 0-9/10"),
    ] {
        let object = rig
            .client
            .get_object()
            .bucket(BUCKET)
            .key("k")
            .range(range)
            .send()
            .await
            .unwrap();
        assert_eq!(object.content_range(), Some(told), "{range}");
        assert_eq!(
            object.content_length(),
            Some(i64::try_from(expected.len()).unwrap())
        );
        assert_eq!(
            object.checksum_sha256(),
            None,
            "the whole object's checksum is not a range's"
        );
        assert_eq!(
            object.body.collect().await.unwrap().to_vec(),
            expected.as_bytes(),
            "{range}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_beyond_the_end_is_416_with_the_size() {
    let rig = Rig::start().await;
    rig.put("k", "0123456789").await;
    rig.put("empty", "").await;
    for (key, range, size) in [
        ("k", "bytes=10-", "bytes */10"),
        ("empty", "bytes=0-", "bytes */0"),
    ] {
        let url = rig
            .client
            .get_object()
            .bucket(BUCKET)
            .key(key)
            .presigned(in_an_hour())
            .await
            .unwrap();
        let response = rig
            .http
            .get(url.uri())
            .header("range", range)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 416);
        assert_eq!(response.headers()["content-range"], size);
        assert!(
            response
                .text()
                .await
                .unwrap()
                .contains("<Code>InvalidRange</Code>")
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_resumes_only_the_object_it_began_with() {
    let rig = Rig::start().await;
    rig.put("k", "0123456789").await;
    let url = rig
        .client
        .get_object()
        .bucket(BUCKET)
        .key("k")
        .presigned(in_an_hour())
        .await
        .unwrap();
    for (tag, status) in [(md5(b"0123456789"), 206), (md5(b"other"), 200)] {
        let resumed = rig
            .http
            .get(url.uri())
            .header("range", "bytes=4-")
            .header("if-range", format!("\"{tag}\""));
        assert_eq!(resumed.send().await.unwrap().status(), status);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_get_the_object_they_mean_or_none() {
    let rig = Rig::start().await;
    rig.put("k", "meow").await;
    let (same, other) = (format!("\"{}\"", md5(b"meow")), format!("\"{}\"", md5(b"woof")));

    let get = || rig.client.get_object().bucket(BUCKET).key("k");
    let head = || rig.client.head_object().bucket(BUCKET).key("k");
    get().if_match(&same).send().await.unwrap();
    head().if_match(&same).send().await.unwrap();
    let refused = get().if_match(&other).send().await.unwrap_err();
    assert_eq!(refused.raw_response().unwrap().status().as_u16(), 412);
    let refused = head().if_match(&other).send().await.unwrap_err();
    assert_eq!(refused.raw_response().unwrap().status().as_u16(), 412);

    let known = get().if_none_match(&same).send().await.unwrap_err();
    assert_eq!(known.raw_response().unwrap().status().as_u16(), 304);
    assert_eq!(
        known.raw_response().unwrap().headers().get("etag"),
        Some(same.as_str())
    );
    get().if_none_match(&other).send().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_can_be_given_another_name_and_type_by_the_signer() {
    let rig = Rig::start().await;
    rig.put("k", "meow").await;
    let disposition = "attachment; filename=\"cat.jpg\"; filename*=UTF-8''k%C3%A4tzchen.jpg";
    let url = rig
        .client
        .get_object()
        .bucket(BUCKET)
        .key("k")
        .response_content_disposition(disposition)
        .response_content_type("image/jpeg")
        .presigned(in_an_hour())
        .await
        .unwrap();
    let response = rig.http.get(url.uri()).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(
        response
            .headers()
            .get_all("content-disposition")
            .iter()
            .collect::<Vec<_>>(),
        [disposition]
    );
    assert_eq!(
        response
            .headers()
            .get_all("content-type")
            .iter()
            .collect::<Vec<_>>(),
        ["image/jpeg"]
    );

    let altered = url.uri().replace("cat.jpg", "dog.exe");
    assert_ne!(altered, url.uri());
    assert_eq!(rig.http.get(altered).send().await.unwrap().status(), 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_twice_is_as_good_as_once() {
    let rig = Rig::start().await;
    rig.put("k", "meow").await;
    for _ in 0..2 {
        let url = rig
            .client
            .delete_object()
            .bucket(BUCKET)
            .key("k")
            .presigned(in_an_hour())
            .await
            .unwrap();
        assert_eq!(send(&rig, &url, b"", |_| {}).await.status(), 204);
        assert_eq!(rig.get("k").await, None);
    }
    let missing = rig
        .client
        .head_object()
        .bucket(BUCKET)
        .key("k")
        .send()
        .await
        .unwrap_err();
    assert!(missing.into_service_error().is_not_found());
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_one_bucket() {
    let rig = Rig::start().await;
    let bucket = rig.client.head_bucket().bucket(BUCKET).send().await.unwrap();
    assert_eq!(bucket.bucket_region(), Some("eu-west-1"));
    assert!(
        rig.client
            .head_bucket()
            .bucket("other")
            .send()
            .await
            .unwrap_err()
            .into_service_error()
            .is_not_found()
    );
    let put = rig
        .client
        .put_object()
        .bucket("other")
        .key("k")
        .body(b"meow".to_vec().into())
        .send()
        .await;
    assert_eq!(
        put.unwrap_err().into_service_error().meta().code(),
        Some("NoSuchBucket")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_implemented_says_so() {
    let rig = Rig::start().await;
    let create = rig
        .client
        .create_bucket()
        .bucket("other")
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    let list = rig
        .client
        .list_objects_v2()
        .bucket(BUCKET)
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    let multipart = rig
        .client
        .create_multipart_upload()
        .bucket(BUCKET)
        .key("k")
        .send()
        .await
        .unwrap_err();
    let copy = rig
        .client
        .copy_object()
        .bucket(BUCKET)
        .key("k")
        .copy_source("photos/a")
        .send()
        .await
        .unwrap_err();
    let tag = rig
        .client
        .put_object()
        .bucket(BUCKET)
        .key("k")
        .tagging("a=b")
        .send()
        .await
        .unwrap_err();
    assert_eq!(create.meta().code(), Some("NotImplemented"));
    assert_eq!(list.meta().code(), Some("NotImplemented"));
    assert_eq!(
        multipart.into_service_error().meta().code(),
        Some("NotImplemented")
    );
    assert_eq!(copy.into_service_error().meta().code(), Some("NotImplemented"));
    assert_eq!(tag.into_service_error().meta().code(), Some("NotImplemented"));

    let form = rig
        .http
        .post(format!("http://{}/{BUCKET}", rig.address))
        .header("content-type", "multipart/form-data; boundary=b")
        .body("--b--")
        .send()
        .await
        .unwrap();
    assert_eq!(form.status(), 501);
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_outlive_the_store() {
    let rig = Rig::start().await;
    let put = rig
        .client
        .put_object()
        .bucket(BUCKET)
        .key("k")
        .content_type("image/jpeg")
        .metadata("a", "b");
    put.body(b"meow".to_vec().into()).send().await.unwrap();
    let before = rig
        .client
        .head_object()
        .bucket(BUCKET)
        .key("k")
        .send()
        .await
        .unwrap();

    let rig = rig.restart().await;
    assert_eq!(rig.get("k").await.unwrap(), b"meow");
    let after = rig
        .client
        .head_object()
        .bucket(BUCKET)
        .key("k")
        .send()
        .await
        .unwrap();
    assert_eq!(after.e_tag(), before.e_tag());
    assert_eq!(after.content_type(), Some("image/jpeg"));
    assert_eq!(after.last_modified(), before.last_modified());
    assert_eq!(after.metadata(), before.metadata());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_object_passes_through_unchanged() {
    let rig = Rig::start().await;
    let body: Vec<u8> = (0..9_000_001_u32)
        .map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[3])
        .collect();
    let put = rig
        .client
        .put_object()
        .bucket(BUCKET)
        .key("k")
        .body(body.clone().into())
        .send()
        .await
        .unwrap();
    assert_eq!(put.e_tag(), Some(format!("\"{}\"", md5(&body)).as_str()));
    assert!(rig.get("k").await.unwrap() == body);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_sdk_with_its_own_settings_can_upload() {
    let rig = Rig::start().await;
    let config = sdk(rig.address)
        .request_checksum_calculation(aws_sdk_s3::config::RequestChecksumCalculation::WhenSupported);
    let client = aws_sdk_s3::Client::from_conf(config.build());
    client
        .put_object()
        .bucket(BUCKET)
        .key("k")
        .body(b"meow".to_vec().into())
        .send()
        .await
        .unwrap();

    // A body of unknown digest goes in chunks with the checksum behind it.
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), vec![7; 300_000]).unwrap();
    let stream = aws_sdk_s3::primitives::ByteStream::read_from()
        .path(file.path())
        .build()
        .await
        .unwrap();
    client
        .put_object()
        .bucket(BUCKET)
        .key("chunks")
        .body(stream)
        .send()
        .await
        .unwrap();
    assert_eq!(rig.get("k").await.unwrap(), b"meow");
    assert!(rig.get("chunks").await.unwrap() == vec![7; 300_000]);
}
