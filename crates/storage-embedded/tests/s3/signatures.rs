use aws_sdk_s3::config::{Credentials, Region};
use aws_sdk_s3::error::ProvideErrorMetadata as _;

use crate::support::{
    ACCESS_KEY, BUCKET, SECRET_KEY, StorageServer, expired_presigning, sdk_config, send_presigned, sha256,
    valid_presigning,
};

const PHOTO: &[u8] = b"not much of a photo";

async fn status_and_code(response: reqwest::Response) -> (u16, String) {
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    let code = text
        .split_once("<Code>")
        .and_then(|(_, rest)| rest.split_once("</Code>"));
    (status, code.map_or(text.clone(), |(code, _)| code.to_owned()))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_matches_its_signature_is_stored() {
    let server = StorageServer::start().await;
    let url = server.presign_photo("k", PHOTO).await;
    let response = send_presigned(&server, &url, PHOTO, |_| {}).await;
    assert_eq!(response.status(), 200);
    assert!(response.headers()["etag"].to_str().unwrap().starts_with('"'));
    assert_eq!(server.get("k").await.unwrap(), PHOTO);
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_or_missing_signed_headers_are_rejected() {
    let server = StorageServer::start().await;
    let url = server.presign_photo("k", PHOTO).await;
    let rejected = (403, "SignatureDoesNotMatch".to_owned());
    for name in ["content-type", "x-amz-checksum-sha256", "if-none-match"] {
        let response = send_presigned(&server, &url, PHOTO, |headers| {
            drop(headers.remove(name).unwrap());
        })
        .await;
        assert_eq!(status_and_code(response).await, rejected, "without {name}");
        let response = send_presigned(&server, &url, PHOTO, |headers| {
            headers.insert(name.to_owned(), sha256(b"other")).unwrap();
        });
        assert_eq!(status_and_code(response.await).await, rejected, "other {name}");
    }
    for body in [&PHOTO[1..], b"not much of a photo!"] {
        let response = send_presigned(&server, &url, body, |headers| {
            drop(headers.remove("content-length").unwrap());
        })
        .await;
        assert_eq!(status_and_code(response).await, rejected, "other content-length");
    }
    assert_eq!(server.get("k").await, None);
    server.wait_for_no_incoming().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_is_valid_only_for_its_key_method_and_time() {
    let server = StorageServer::start().await;
    let url = server.presign_photo("k", PHOTO).await;
    let with_uri = |uri: String| {
        let url = &url;
        let request = url
            .headers()
            .fold(server.http.put(uri), |request, (name, value)| {
                request.header(name, value)
            });
        async move { status_and_code(request.body(PHOTO).send().await.unwrap()).await }
    };
    let rejected = (403, "SignatureDoesNotMatch".to_owned());
    assert_eq!(with_uri(url.uri().replace("/k?", "/other?")).await, rejected);
    assert_eq!(
        with_uri(url.uri().replace("X-Amz-Expires=3600", "X-Amz-Expires=7200")).await,
        rejected
    );
    assert_eq!(with_uri(format!("{}&x-id=Other", url.uri())).await, rejected);
    let mut tampered = url.uri().to_owned();
    let other = if tampered.pop() == Some('0') { '1' } else { '0' };
    tampered.push(other);
    assert_eq!(with_uri(tampered).await, rejected);
    assert_eq!(
        status_and_code(server.http.get(url.uri()).send().await.unwrap()).await,
        rejected
    );

    let expired = server
        .client
        .get_object()
        .bucket(BUCKET)
        .key("k")
        .presigned(expired_presigning())
        .await
        .unwrap();
    let response = server.http.get(expired.uri()).send().await.unwrap();
    assert_eq!(response.status(), 403);
    let text = response.text().await.unwrap();
    assert!(
        text.contains("<Code>AccessDenied</Code><Message>Request has expired</Message>"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn unsigned_amazon_headers_are_rejected() {
    let server = StorageServer::start().await;
    server.put("secret", "meow").await;
    let url = server.presign_photo("k", PHOTO).await;
    for (name, value) in [
        ("x-amz-copy-source", "photos/secret"),
        ("x-amz-meta-note", "mine"),
        ("x-amz-acl", "public-read"),
    ] {
        let response = send_presigned(&server, &url, PHOTO, |headers| {
            drop(headers.insert(name.to_owned(), value.to_owned()));
        });
        assert_eq!(
            status_and_code(response.await).await,
            (403, "AccessDenied".to_owned()),
            "{name}"
        );
    }
    assert_eq!(server.get("k").await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_key_pairs_and_regions_are_rejected() {
    let server = StorageServer::start().await;
    let keys = |access: &str, secret: &str| {
        let credentials = Credentials::new(access, secret, None, None, "test");
        aws_sdk_s3::Client::from_conf(
            sdk_config(server.address)
                .credentials_provider(credentials)
                .build(),
        )
    };
    let elsewhere = aws_sdk_s3::Client::from_conf(
        sdk_config(server.address)
            .region(Region::new("us-east-1"))
            .build(),
    );
    for (client, expected) in [
        (keys("SOMEBODY", SECRET_KEY), "InvalidAccessKeyId"),
        (keys(ACCESS_KEY, "guessed"), "SignatureDoesNotMatch"),
        (elsewhere, "AuthorizationHeaderMalformed"),
    ] {
        let rejected = client
            .get_object()
            .bucket(BUCKET)
            .key("k")
            .send()
            .await
            .unwrap_err();
        assert_eq!(rejected.code(), Some(expected));
        let url = client
            .get_object()
            .bucket(BUCKET)
            .key("k")
            .presigned(valid_presigning())
            .await
            .unwrap();
        assert_eq!(
            status_and_code(server.http.get(url.uri()).send().await.unwrap())
                .await
                .1,
            expected
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unsigned_requests_are_rejected() {
    let server = StorageServer::start().await;
    server.put("k", "meow").await;
    let base = format!("http://{}", server.address);
    for path in [
        "/",
        "/photos",
        "/photos/k",
        "/photos/absent",
        "/photos?list-type=2",
    ] {
        let response = server.http.get(format!("{base}{path}")).send().await.unwrap();
        assert_eq!(
            status_and_code(response).await,
            (403, "AccessDenied".to_owned()),
            "{path}"
        );
    }
    let response = server
        .http
        .put(format!("{base}/photos/new"))
        .body("x")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 403);
    let response = server
        .http
        .delete(format!("{base}/photos/k"))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 403);
    assert!(server.get("k").await.is_some());
    assert!(server.get("new").await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn valid_version_2_signatures_are_rejected() {
    use base64::Engine as _;
    use hmac::{KeyInit as _, Mac as _};

    let server = StorageServer::start().await;
    server.put("k", "meow").await;
    let expires = 4_000_000_000_u64;
    let mut mac = hmac::Hmac::<sha1::Sha1>::new_from_slice(SECRET_KEY.as_bytes()).unwrap();
    mac.update(format!("GET\n\n\n{expires}\n/{BUCKET}/k").as_bytes());
    let signature = base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes());
    let url = reqwest::Url::parse_with_params(
        &format!("http://{}/{BUCKET}/k", server.address),
        [
            ("AWSAccessKeyId", ACCESS_KEY),
            ("Expires", &expires.to_string()),
            ("Signature", &signature),
        ],
    );
    let response = server.http.get(url.unwrap()).send().await.unwrap();
    let (status, text) = (response.status(), response.text().await.unwrap());
    assert_eq!(status, 403);
    assert!(text.contains("Only Signature Version 4 is accepted"), "{text}");
}
