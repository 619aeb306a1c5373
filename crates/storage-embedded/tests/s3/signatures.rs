use aws_sdk_s3::config::{Credentials, Region};
use aws_sdk_s3::error::ProvideErrorMetadata as _;

use crate::rig::{ACCESS_KEY, BUCKET, Rig, SECRET_KEY, expired, in_an_hour, sdk, send, sha256};

const PHOTO: &[u8] = b"not much of a photo";

async fn code(response: reqwest::Response) -> (u16, String) {
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    let code = text
        .split_once("<Code>")
        .and_then(|(_, rest)| rest.split_once("</Code>"));
    (status, code.map_or(text.clone(), |(code, _)| code.to_owned()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_upload_is_taken_when_it_is_what_was_signed() {
    let rig = Rig::start().await;
    let url = rig.presign_photo("k", PHOTO).await;
    let response = send(&rig, &url, PHOTO, |_| {}).await;
    assert_eq!(response.status(), 200);
    assert!(response.headers()["etag"].to_str().unwrap().starts_with('"'));
    assert_eq!(rig.get("k").await.unwrap(), PHOTO);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_signed_header_must_be_sent_as_it_was_signed() {
    let rig = Rig::start().await;
    let url = rig.presign_photo("k", PHOTO).await;
    let refused = (403, "SignatureDoesNotMatch".to_owned());
    for name in ["content-type", "x-amz-checksum-sha256", "if-none-match"] {
        let response = send(&rig, &url, PHOTO, |headers| drop(headers.remove(name).unwrap())).await;
        assert_eq!(code(response).await, refused, "without {name}");
        let response = send(&rig, &url, PHOTO, |headers| {
            headers.insert(name.to_owned(), sha256(b"other")).unwrap();
        });
        assert_eq!(code(response.await).await, refused, "other {name}");
    }
    for body in [&PHOTO[1..], b"not much of a photo!"] {
        let response = send(&rig, &url, body, |headers| {
            drop(headers.remove("content-length").unwrap());
        })
        .await;
        assert_eq!(code(response).await, refused, "other content-length");
    }
    assert_eq!(rig.get("k").await, None);
    rig.nothing_is_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_is_good_for_its_key_method_and_time_only() {
    let rig = Rig::start().await;
    let url = rig.presign_photo("k", PHOTO).await;
    let with_uri = |uri: String| {
        let url = &url;
        let request = url.headers().fold(rig.http.put(uri), |request, (name, value)| {
            request.header(name, value)
        });
        async move { code(request.body(PHOTO).send().await.unwrap()).await }
    };
    let refused = (403, "SignatureDoesNotMatch".to_owned());
    assert_eq!(with_uri(url.uri().replace("/k?", "/other?")).await, refused);
    assert_eq!(
        with_uri(url.uri().replace("X-Amz-Expires=3600", "X-Amz-Expires=7200")).await,
        refused
    );
    assert_eq!(with_uri(format!("{}&x-id=Other", url.uri())).await, refused);
    let mut tampered = url.uri().to_owned();
    let other = if tampered.pop() == Some('0') { '1' } else { '0' };
    tampered.push(other);
    assert_eq!(with_uri(tampered).await, refused);
    assert_eq!(code(rig.http.get(url.uri()).send().await.unwrap()).await, refused);

    let stale = rig
        .client
        .get_object()
        .bucket(BUCKET)
        .key("k")
        .presigned(expired())
        .await
        .unwrap();
    let response = rig.http.get(stale.uri()).send().await.unwrap();
    assert_eq!(response.status(), 403);
    let text = response.text().await.unwrap();
    assert!(
        text.contains("<Code>AccessDenied</Code><Message>Request has expired</Message>"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn amazon_headers_that_nobody_signed_are_refused() {
    let rig = Rig::start().await;
    rig.put("secret", "meow").await;
    let url = rig.presign_photo("k", PHOTO).await;
    for (name, value) in [
        ("x-amz-copy-source", "photos/secret"),
        ("x-amz-meta-note", "mine"),
        ("x-amz-acl", "public-read"),
    ] {
        let response = send(&rig, &url, PHOTO, |headers| {
            drop(headers.insert(name.to_owned(), value.to_owned()));
        });
        assert_eq!(
            code(response.await).await,
            (403, "AccessDenied".to_owned()),
            "{name}"
        );
    }
    assert_eq!(rig.get("k").await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_one_key_pair_and_region_are_accepted() {
    let rig = Rig::start().await;
    let keys = |access: &str, secret: &str| {
        let credentials = Credentials::new(access, secret, None, None, "test");
        aws_sdk_s3::Client::from_conf(sdk(rig.address).credentials_provider(credentials).build())
    };
    let elsewhere = aws_sdk_s3::Client::from_conf(sdk(rig.address).region(Region::new("us-east-1")).build());
    for (client, expected) in [
        (keys("SOMEBODY", SECRET_KEY), "InvalidAccessKeyId"),
        (keys(ACCESS_KEY, "guessed"), "SignatureDoesNotMatch"),
        (elsewhere, "AuthorizationHeaderMalformed"),
    ] {
        let refused = client
            .get_object()
            .bucket(BUCKET)
            .key("k")
            .send()
            .await
            .unwrap_err();
        assert_eq!(refused.code(), Some(expected));
        let url = client
            .get_object()
            .bucket(BUCKET)
            .key("k")
            .presigned(in_an_hour())
            .await
            .unwrap();
        assert_eq!(
            code(rig.http.get(url.uri()).send().await.unwrap()).await.1,
            expected
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_signature_nothing_is_shown() {
    let rig = Rig::start().await;
    rig.put("k", "meow").await;
    let base = format!("http://{}", rig.address);
    for path in [
        "/",
        "/photos",
        "/photos/k",
        "/photos/absent",
        "/photos?list-type=2",
    ] {
        let response = rig.http.get(format!("{base}{path}")).send().await.unwrap();
        assert_eq!(code(response).await, (403, "AccessDenied".to_owned()), "{path}");
    }
    let response = rig
        .http
        .put(format!("{base}/photos/new"))
        .body("x")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 403);
    let response = rig.http.delete(format!("{base}/photos/k")).send().await.unwrap();
    assert_eq!(response.status(), 403);
    assert!(rig.get("k").await.is_some());
    assert!(rig.get("new").await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn signatures_of_version_2_are_refused_even_when_they_are_right() {
    use base64::Engine as _;
    use hmac::{KeyInit as _, Mac as _};

    let rig = Rig::start().await;
    rig.put("k", "meow").await;
    let expires = 4_000_000_000_u64;
    let mut mac = hmac::Hmac::<sha1::Sha1>::new_from_slice(SECRET_KEY.as_bytes()).unwrap();
    mac.update(format!("GET\n\n\n{expires}\n/{BUCKET}/k").as_bytes());
    let signature = base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes());
    let url = reqwest::Url::parse_with_params(
        &format!("http://{}/{BUCKET}/k", rig.address),
        [
            ("AWSAccessKeyId", ACCESS_KEY),
            ("Expires", &expires.to_string()),
            ("Signature", &signature),
        ],
    );
    let response = rig.http.get(url.unwrap()).send().await.unwrap();
    let (status, text) = (response.status(), response.text().await.unwrap());
    assert_eq!(status, 403);
    assert!(text.contains("Only Signature Version 4 is accepted"), "{text}");
}
