use reqwest::{Method, Response};

use crate::support::{BUCKET, StorageServer, expired_presigning, send_presigned};

const ORIGIN: &str = "https://photos.example";
const OTHER: &str = "https://evil.example";

async fn with_origin() -> StorageServer {
    StorageServer::with_config(|config| config.allowed_origins = vec![format!("{ORIGIN}/")]).await
}

async fn preflight(server: &StorageServer, origin: &str, method: &str) -> Response {
    server
        .http
        .request(
            Method::OPTIONS,
            format!("http://{}/{BUCKET}/k?X-Amz-Signature=any", server.address),
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
async fn a_preflight_from_an_allowed_origin_allows_the_signed_headers() {
    let server = with_origin().await;
    let response = preflight(&server, ORIGIN, "PUT").await;
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
async fn other_origins_and_methods_are_rejected() {
    let server = with_origin().await;
    for (origin, method) in [(OTHER, "PUT"), ("null", "PUT"), (ORIGIN, "PATCH")] {
        let response = preflight(&server, origin, method).await;
        assert_eq!(response.status(), 403, "{origin} {method}");
        assert_eq!(header(&response, "access-control-allow-methods"), None);
        assert_eq!(header(&response, "access-control-allow-headers"), None);
    }
    assert_eq!(
        header(
            &preflight(&server, OTHER, "PUT").await,
            "access-control-allow-origin"
        ),
        None
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn only_allowed_origins_can_read_the_response_and_its_etag() {
    let server = with_origin().await;
    let url = server.presign_photo("k", b"meow").await;
    for (origin, status, allowed) in [(ORIGIN, 200, Some(ORIGIN)), (OTHER, 412, None)] {
        let response = send_presigned(&server, &url, b"meow", |headers| {
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
async fn a_page_can_read_errors() {
    let server = with_origin().await;
    let url = server
        .client
        .get_object()
        .bucket(BUCKET)
        .key("k")
        .presigned(expired_presigning())
        .await
        .unwrap();
    let response = server
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
    let server = StorageServer::with_config(|config| config.allowed_origins = vec!["*".to_owned()]).await;
    let response = preflight(&server, OTHER, "GET").await;
    assert_eq!(response.status(), 204);
    assert_eq!(header(&response, "access-control-allow-origin"), Some("*"));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_configured_origins_all_are_rejected() {
    let server = StorageServer::start().await;
    assert_eq!(preflight(&server, ORIGIN, "PUT").await.status(), 403);
}
