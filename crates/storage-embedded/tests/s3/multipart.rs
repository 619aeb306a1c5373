//! Uploads in parts that succeed.

use serde_json::json;

use crate::support::{
    BUCKET, PART, StorageServer, Upload, md5, quoted, read_response, request_head, send_bytes,
    send_presigned, sha256,
};

/// Bytes without a repeating pattern.
fn body(length: usize) -> Vec<u8> {
    (0..length.div_ceil(4))
        .flat_map(|number| {
            u32::try_from(number)
                .unwrap()
                .wrapping_mul(2_654_435_761)
                .to_le_bytes()
        })
        .take(length)
        .collect()
}

/// ETag of an object that was made of these parts.
fn etag_of(parts: &[&[u8]]) -> String {
    let digests = parts.iter().flat_map(|part| hex::decode(md5(part)).unwrap());
    format!("{}-{}", md5(&digests.collect::<Vec<_>>()), parts.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_object_is_made_of_the_parts_in_order() {
    let server = StorageServer::start().await;
    let upload = Upload::open(&server).await;
    let body = body(2 * PART + 1000);
    let (first, rest) = body.split_at(PART);
    let (second, last) = rest.split_at(PART);
    // Parts arrive in any order, and one of them twice.
    let parts = [(7, b"replaced".as_slice()), (9, last), (2, first), (7, second)];
    let mut sent = Vec::new();
    for (number, part) in parts {
        let part_sent = upload.part(number, part).await;
        assert_eq!(part_sent.e_tag(), Some(quoted(&md5(part)).as_str()));
        sent.push(part_sent);
    }
    assert_eq!(upload.parts().await.unwrap(), [2, 7, 9]);
    assert!(server.get("k").await.is_none());
    assert_eq!(server.notifications.received().len(), 0);

    let named = vec![sent[2].clone(), sent[3].clone(), sent[1].clone()];
    let etag = etag_of(&[first, second, last]);
    assert_eq!(upload.complete(named.clone()).await, Ok(quoted(&etag)));
    assert!(server.get("k").await.unwrap() == body);
    assert_eq!(upload.parts().await, Err("NoSuchUpload".to_owned()));
    let head = server.client.head_object().bucket(BUCKET).key("k");
    let head = head
        .checksum_mode(aws_sdk_s3::types::ChecksumMode::Enabled)
        .send()
        .await
        .unwrap();
    assert_eq!(head.e_tag(), Some(quoted(&etag).as_str()));
    assert_eq!(head.content_type(), Some("image/jpeg"));
    assert_eq!(head.checksum_sha256(), Some(sha256(&body).as_str()));
    assert_eq!(head.metadata().unwrap()["place"], "here");

    let events = server.notifications.received();
    assert_eq!(events.len(), 1);
    let record = &events[0]["Records"][0];
    assert_eq!(record["eventName"], "ObjectCreated:CompleteMultipartUpload");
    assert_eq!(
        (&record["s3"]["object"]["eTag"], &record["s3"]["object"]["size"]),
        (&json!(etag), &json!(body.len()))
    );

    // A client whose answer was lost repeats the request.
    assert_eq!(
        upload.complete(named.clone()).await,
        Err("PreconditionFailed".to_owned())
    );
    assert_eq!(upload.complete_if(named, None).await, Ok(quoted(&etag)));
    let objects = server.notifications.objects();
    assert_eq!(objects, vec![objects[0].clone(); 3]);
    server.wait_for_no_incoming().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_survives_a_restart() {
    let server = StorageServer::start().await;
    let id = Upload::open(&server).await.id;
    let upload = Upload {
        server: &server,
        id: id.clone(),
    };
    let first = upload.part(1, &body(PART)).await;
    let server = server.restart().await;
    let upload = Upload { server: &server, id };
    assert_eq!(upload.parts().await.unwrap(), [1]);
    let last = upload.part(2, b"end").await;
    upload.complete(vec![first, last]).await.unwrap();
    assert_eq!(server.get("k").await.unwrap().len(), PART + 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_are_sent_with_presigned_urls_of_their_exact_length() {
    let server = StorageServer::start().await;
    let upload = Upload::open(&server).await;
    let url = upload.presign_part(1, 4).await;
    assert!(url.uri().contains("partNumber=1"), "{}", url.uri());
    let longer = send_presigned(&server, &url, b"meow!", |headers| {
        headers.remove("content-length");
    });
    assert_eq!(longer.await.status(), 403);
    let moved = url.uri().replace("partNumber=1", "partNumber=2");
    assert_eq!(
        server.http.put(moved).body("meow").send().await.unwrap().status(),
        403
    );
    assert_eq!(upload.parts().await.unwrap(), [0; 0]);
    for body in [b"meow", b"woof"] {
        // A part may be sent again, with other bytes.
        let sent = send_presigned(&server, &url, body, |_| {}).await;
        assert_eq!(sent.status(), 200);
        assert_eq!(sent.headers()["etag"], quoted(&md5(body)).as_str());
    }
    let part = crate::support::named(1, &md5(b"woof"));
    upload.complete(vec![part]).await.unwrap();
    assert_eq!(server.get("k").await.unwrap(), b"woof");
    let late = send_presigned(&server, &url, b"meow", |_| {}).await;
    assert_eq!(late.status(), 404);
    assert!(late.text().await.unwrap().contains("<Code>NoSuchUpload</Code>"));
    server.wait_for_no_incoming().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_of_one_upload_are_received_side_by_side_and_each_only_once() {
    let server = StorageServer::start().await;
    let upload = Upload::open(&server).await;
    let mut streams = Vec::new();
    for number in [1, 2, 2] {
        let url = upload.presign_part(number, 4).await;
        let mut stream = server.connect().await;
        send_bytes(&mut stream, request_head(&server, &url, "")).await;
        send_bytes(&mut stream, "me").await;
        streams.push(stream);
        server.wait_for_incoming().await;
    }
    for (number, status) in [(0, "200"), (2, "200"), (1, "409")] {
        let stream = &mut streams[number];
        if status == "200" {
            send_bytes(stream, "ow").await;
        }
        let answer = read_response(stream).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
    }
    assert_eq!(upload.parts().await.unwrap(), [1, 2]);
}
