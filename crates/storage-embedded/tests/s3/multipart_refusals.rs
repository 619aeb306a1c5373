//! Requests about uploads in parts that are refused.

use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType};

use crate::support::{
    BUCKET, PART, StorageServer, Upload, named, read_response, request_head, send_bytes, send_presigned,
};

fn refused<T>(code: &str) -> Result<T, String> {
    Err(code.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_stored_parts_in_order_make_an_object() {
    let server = StorageServer::start().await;
    let upload = Upload::open(&server).await;
    let first = upload.part(1, &vec![1; PART]).await;
    let second = upload.part(2, b"small").await;
    let third = upload.part(3, b"last").await;
    let other = named(1, "0123456789abcdef0123456789abcdef");
    for (parts, code) in [
        (vec![], "MalformedXML"),
        (vec![second.clone(), first.clone()], "InvalidPartOrder"),
        (vec![first.clone(), first.clone()], "InvalidPartOrder"),
        (vec![other, second.clone()], "InvalidPart"),
        (
            vec![first.clone(), named(4, third.e_tag().unwrap())],
            "InvalidPart",
        ),
        (
            vec![first.clone(), second.clone(), third.clone()],
            "EntityTooSmall",
        ),
        (vec![named(0, third.e_tag().unwrap())], "InvalidArgument"),
        (vec![named(10_001, third.e_tag().unwrap())], "InvalidArgument"),
    ] {
        assert_eq!(upload.complete(parts).await, refused(code));
    }
    assert_eq!(upload.parts().await.unwrap(), [1, 2, 3]);
    assert!(server.get("k").await.is_none());
    server.wait_for_no_incoming().await;
    assert_eq!(server.notifications.received().len(), 0);
    // Not all stored parts need to be named.
    upload.complete(vec![first, third]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn part_numbers_are_from_1_to_10_000() {
    let server = StorageServer::start().await;
    let upload = Upload::open(&server).await;
    for (number, status) in [(0, 400), (10_001, 400), (-1, 400), (1, 200), (10_000, 200)] {
        let url = upload.presign_part(number, 4).await;
        let answer = send_presigned(&server, &url, b"meow", |_| {}).await;
        assert_eq!(answer.status(), status, "{number}");
        let code = answer.text().await.unwrap();
        assert_eq!(
            code.contains("<Code>InvalidArgument</Code>"),
            status == 400,
            "{code}"
        );
    }
    assert_eq!(upload.parts().await.unwrap(), [1, 10_000]);
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_uploads_do_not_exist() {
    let server = StorageServer::start().await;
    let aborted = Upload::open(&server).await;
    let part = aborted.part(1, b"meow").await;
    aborted.abort().await.unwrap();
    let ids = [
        aborted.id.as_str(),
        "unknown",
        "../../incoming",
        "..",
        "00000000000000000000000000000000",
    ];
    for id in ids {
        let upload = Upload {
            server: &server,
            id: id.to_owned(),
        };
        assert_eq!(upload.parts().await, refused("NoSuchUpload"), "{id}");
        assert_eq!(
            upload.complete(vec![part.clone()]).await,
            refused("NoSuchUpload"),
            "{id}"
        );
        assert_eq!(upload.abort().await, refused("NoSuchUpload"), "{id}");
        let url = upload.presign_part(1, 4).await;
        let sent = send_presigned(&server, &url, b"meow", |_| {}).await;
        assert_eq!(sent.status(), 404, "{id}");
    }
    // The upload of another key.
    let upload = Upload::open(&server).await;
    let other = server.client.list_parts().bucket(BUCKET).key("other");
    let error = other.upload_id(&upload.id).send().await.unwrap_err();
    assert_eq!(error.into_service_error().meta().code(), Some("NoSuchUpload"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conditional_completion_never_replaces_an_object() {
    let server = StorageServer::start().await;
    let (one, other) = (Upload::open(&server).await, Upload::open(&server).await);
    let (first, second) = (one.part(1, b"one").await, other.part(1, b"other").await);
    let (one, other) = tokio::join!(one.complete(vec![first]), other.complete(vec![second]));
    assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
    let expected: &[u8] = if one.is_ok() { b"one" } else { b"other" };
    assert_eq!(one.and(other), refused("PreconditionFailed"));
    assert_eq!(server.get("k").await.unwrap(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_completion_and_an_abort_at_the_same_time_one_wins() {
    let server = StorageServer::start().await;
    for _ in 0..10 {
        let upload = Upload::open(&server).await;
        let part = upload.part(1, b"meow").await;
        let (completed, aborted) = tokio::join!(upload.complete(vec![part]), upload.abort());
        let stored = server.get("k").await.is_some();
        assert_eq!((completed.is_ok(), aborted.is_ok()), (stored, !stored));
        let lost = completed.map(drop).and(aborted);
        assert_eq!(lost, refused("NoSuchUpload"));
        server
            .client
            .delete_object()
            .bucket(BUCKET)
            .key("k")
            .send()
            .await
            .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_abort_ends_a_part_that_is_being_sent() {
    let server = StorageServer::start().await;
    let upload = Upload::open(&server).await;
    let url = upload.presign_part(1, 4).await;
    let mut stream = server.connect().await;
    send_bytes(&mut stream, request_head(&server, &url, "")).await;
    send_bytes(&mut stream, "me").await;
    server.wait_for_incoming().await;
    upload.abort().await.unwrap();
    send_bytes(&mut stream, "ow").await;
    let answer = read_response(&mut stream).await;
    assert!(answer.contains("<Code>NoSuchUpload</Code>"), "{answer}");
    server.wait_for_no_incoming().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_of_parts_has_a_maximum_size() {
    let limit = PART + 10;
    let server = StorageServer::with_config(|config| config.max_object_bytes = limit as u64).await;
    let upload = Upload::open(&server).await;
    let url = upload.presign_part(1, limit + 1).await;
    let sent = send_presigned(&server, &url, &vec![0; limit + 1], |_| {}).await;
    assert_eq!(sent.status(), 400);
    assert!(sent.text().await.unwrap().contains("<Code>EntityTooLarge</Code>"));
    let first = upload.part(1, &vec![1; PART]).await;
    let second = upload.part(2, b"eleven more").await;
    assert_eq!(
        upload.complete(vec![first.clone(), second]).await,
        refused("EntityTooLarge")
    );
    let second = upload.part(2, b"ten bytes!").await;
    upload.complete(vec![first, second]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_leave_the_reserved_space_free() {
    let server = StorageServer::with_config(|config| config.min_free_bytes = u64::MAX / 2).await;
    let upload = Upload::open(&server).await;
    let url = upload.presign_part(1, 4).await;
    let refused = send_presigned(&server, &url, b"meow", |_| {}).await;
    assert_eq!(refused.status(), 507);
}

#[tokio::test(flavor = "multi_thread")]
async fn checksums_of_parts_and_of_the_object_are_compared() {
    let server = StorageServer::start().await;
    let opened = server
        .client
        .create_multipart_upload()
        .bucket(BUCKET)
        .key("k")
        .checksum_algorithm(ChecksumAlgorithm::Crc32)
        .checksum_type(ChecksumType::FullObject)
        .send()
        .await
        .unwrap();
    assert_eq!(opened.checksum_type(), Some(&ChecksumType::FullObject));
    let upload = Upload {
        server: &server,
        id: opened.upload_id().unwrap().to_owned(),
    };
    let part = || {
        let part = server.client.upload_part().bucket(BUCKET).key("k");
        part.upload_id(&upload.id).part_number(1).content_length(4)
    };
    let wrong = part().checksum_crc32("AAAAAA==");
    let wrong = wrong.presigned(crate::support::valid_presigning()).await.unwrap();
    let sent = send_presigned(&server, &wrong, b"meow", |_| {}).await;
    assert!(sent.text().await.unwrap().contains("<Code>BadDigest</Code>"));
    let sent = part().body(b"meow".to_vec().into()).send().await.unwrap();
    // Computed although the part declared none.
    let checksum = sent.checksum_crc32().unwrap().to_owned();
    let complete = |object: &str, part: &str| {
        let part = aws_sdk_s3::types::CompletedPart::builder()
            .part_number(1)
            .e_tag(sent.e_tag().unwrap())
            .checksum_crc32(part)
            .build();
        let parts = aws_sdk_s3::types::CompletedMultipartUpload::builder().parts(part);
        server
            .client
            .complete_multipart_upload()
            .bucket(BUCKET)
            .key("k")
            .upload_id(&upload.id)
            .checksum_crc32(object)
            .checksum_type(ChecksumType::FullObject)
            .multipart_upload(parts.build())
            .send()
    };
    for (object, part, code) in [
        (checksum.as_str(), "AAAAAA==", "InvalidPart"),
        ("AAAAAA==", checksum.as_str(), "BadDigest"),
    ] {
        let error = complete(object, part).await.unwrap_err();
        assert_eq!(error.into_service_error().meta().code(), Some(code));
    }
    let completed = complete(&checksum, &checksum).await.unwrap();
    assert_eq!(completed.checksum_crc32(), Some(checksum.as_str()));
}
