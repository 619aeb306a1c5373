use reqwest::{Method, Response};

use crate::rig::{BUCKET, Rig, expired, send};

const ORIGIN: &str = "https://photos.example";
const OTHER: &str = "https://evil.example";

async fn with_origin() -> Rig {
    Rig::with(|config| config.allowed_origins = vec![format!("{ORIGIN}/")]).await
}

async fn preflight(rig: &Rig, origin: &str, method: &str) -> Response {
    rig.http
        .request(
            Method::OPTIONS,
            format!("http://{}/{BUCKET}/k?X-Amz-Signature=any", rig.address),
        )
        .header("origin", origin)
        .header("access-control-request-method", method)
        .header(
            "access-control-request-headers",
            "content-type,if-none-match,x-amz-checksum-sha256",
        )
        .send()
        .await
        .unwrap()
}

fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers().get(name).map(|value| value.to_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_an_allowed_origin_may_send_the_signed_headers() {
    let rig = with_origin().await;
    let response = preflight(&rig, ORIGIN, "PUT").await;
    assert_eq!(response.status(), 204);
    assert_eq!(header(&response, "access-control-allow-origin"), Some(ORIGIN));
    assert!(
        header(&response, "access-control-allow-methods")
            .unwrap()
            .contains("PUT")
    );
    assert_eq!(
        header(&response, "access-control-allow-headers"),
        Some("content-type,if-none-match,x-amz-checksum-sha256")
    );
    assert_eq!(header(&response, "access-control-max-age"), Some("3600"));
    assert!(header(&response, "vary").unwrap().contains("origin"));
}

#[tokio::test(flavor = "multi_thread")]
async fn other_origins_and_methods_are_refused() {
    let rig = with_origin().await;
    for (origin, method) in [(OTHER, "PUT"), ("null", "PUT"), (ORIGIN, "PATCH")] {
        let response = preflight(&rig, origin, method).await;
        assert_eq!(response.status(), 403, "{origin} {method}");
        assert_eq!(header(&response, "access-control-allow-methods"), None);
        assert_eq!(header(&response, "access-control-allow-headers"), None);
    }
    assert_eq!(
        header(
            &preflight(&rig, OTHER, "PUT").await,
            "access-control-allow-origin"
        ),
        None
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_sees_the_answer_and_the_etag_only_in_an_allowed_origin() {
    let rig = with_origin().await;
    let url = rig.presign_photo("k", b"meow").await;
    for (origin, status, allowed) in [(ORIGIN, 200, Some(ORIGIN)), (OTHER, 412, None)] {
        let response = send(&rig, &url, b"meow", |headers| {
            drop(headers.insert("origin".to_owned(), origin.to_owned()));
        })
        .await;
        assert_eq!(response.status(), status);
        assert_eq!(header(&response, "access-control-allow-origin"), allowed);
        let exposed = header(&response, "access-control-expose-headers").unwrap_or_default();
        assert_eq!(
            exposed.contains("ETag") && exposed.contains("x-amz-checksum-sha256"),
            allowed.is_some()
        );
        assert!(header(&response, "vary").unwrap().contains("origin"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_can_read_why_it_was_refused() {
    let rig = with_origin().await;
    let url = rig
        .client
        .get_object()
        .bucket(BUCKET)
        .key("k")
        .presigned(expired())
        .await
        .unwrap();
    let response = rig
        .http
        .get(url.uri())
        .header("origin", ORIGIN)
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 403);
    assert_eq!(header(&response, "access-control-allow-origin"), Some(ORIGIN));
}

#[tokio::test(flavor = "multi_thread")]
async fn any_origin_can_be_allowed() {
    let rig = Rig::with(|config| config.allowed_origins = vec!["*".to_owned()]).await;
    let response = preflight(&rig, OTHER, "GET").await;
    assert_eq!(response.status(), 204);
    assert_eq!(header(&response, "access-control-allow-origin"), Some("*"));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_configured_origin_no_page_is_let_in() {
    let rig = Rig::start().await;
    assert_eq!(preflight(&rig, ORIGIN, "PUT").await.status(), 403);
}
