//! Copies of objects.

use aws_sdk_s3::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_sdk_s3::operation::copy_object::builders::CopyObjectFluentBuilder;
use aws_sdk_s3::types::MetadataDirective;

use crate::support::{BUCKET, PART, StorageServer, Upload, etag, quoted};

async fn code(copy: CopyObjectFluentBuilder) -> Option<String> {
    let error = copy.send().await.err()?.into_service_error();
    error.meta().code().map(str::to_owned)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_has_the_data_and_the_attributes_of_its_source() {
    let server = StorageServer::start().await;
    let put = server.client.put_object().bucket(BUCKET).key("a//ü +%");
    put.content_type("image/png")
        .metadata("place", "here")
        .body(b"meow".to_vec().into())
        .send()
        .await
        .unwrap();
    let copy = |key: &str| {
        let copy = server.client.copy_object().bucket(BUCKET).key(key);
        copy.copy_source("photos/a//%C3%BC%20%2B%25")
    };
    let copied = copy("same").send().await.unwrap();
    let result = copied.copy_object_result().unwrap();
    assert_eq!(result.e_tag(), Some(quoted(&etag(b"meow")).as_str()));
    copy("other")
        .metadata_directive(MetadataDirective::Replace)
        .content_type("image/gif")
        .send()
        .await
        .unwrap();
    for (key, content_type, place) in [("same", "image/png", Some("here")), ("other", "image/gif", None)] {
        let head = server
            .client
            .head_object()
            .bucket(BUCKET)
            .key(key)
            .send()
            .await
            .unwrap();
        assert_eq!(head.content_type(), Some(content_type));
        let metadata = head.metadata().and_then(|metadata| metadata.get("place"));
        assert_eq!(metadata.map(String::as_str), place);
        assert_eq!(server.get(key).await.unwrap(), b"meow");
    }
    let events = server.notifications.received();
    assert_eq!(events[1]["Records"][0]["eventName"], "ObjectCreated:Copy");
}

#[tokio::test(flavor = "multi_thread")]
async fn conditions_hold_for_the_source_and_for_the_target() {
    let server = StorageServer::start().await;
    server.put("a", "meow").await;
    server.put("b", "woof").await;
    let (same, other) = (quoted(&etag(b"meow")), quoted(&etag(b"other")));
    let copy = || {
        server
            .client
            .copy_object()
            .bucket(BUCKET)
            .key("b")
            .copy_source("/photos/a")
    };
    let failed = Some("PreconditionFailed".to_owned());
    assert_eq!(code(copy().copy_source_if_match(&other)).await, failed);
    assert_eq!(code(copy().copy_source_if_none_match(&same)).await, failed);
    let conditional = copy().customize().mutate_request(|request| {
        request.headers_mut().insert("if-none-match", "*");
    });
    let error = conditional.send().await.unwrap_err().into_service_error();
    assert_eq!(error.meta().code(), failed.as_deref());
    assert_eq!(server.get("b").await.unwrap(), b"woof");
    assert_eq!(code(copy().copy_source_if_match(&same)).await, None);
    assert_eq!(server.get("b").await.unwrap(), b"meow");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_source_must_be_another_object_of_this_bucket() {
    let server = StorageServer::start().await;
    server.put("a", "meow").await;
    let copy = |source: &str| {
        server
            .client
            .copy_object()
            .bucket(BUCKET)
            .key("a")
            .copy_source(source)
    };
    for (source, expected) in [
        ("photos/missing", "NoSuchKey"),
        ("other/a", "NoSuchBucket"),
        ("photos/a", "InvalidRequest"),
        ("photos/a?versionId=7", "NoSuchVersion"),
    ] {
        assert_eq!(code(copy(source)).await.as_deref(), Some(expected), "{source}");
    }
    // With other metadata, an object may be copied to itself.
    let replaced = copy("photos/a").metadata_directive(MetadataDirective::Replace);
    assert_eq!(code(replaced.metadata("place", "there")).await, None);
    assert_eq!(server.get("a").await.unwrap(), b"meow");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_with_an_unsigned_header_is_refused() {
    let server = StorageServer::start().await;
    server.put("a", "meow").await;
    let copy = |added: Option<(&'static str, &'static str)>| {
        let copy = server
            .client
            .copy_object()
            .bucket(BUCKET)
            .key("b")
            .copy_source("photos/a");
        // Added after the signature.
        copy.customize().interceptor(AddHeader(added)).send()
    };
    for header in [
        ("x-amz-metadata-directive", "REPLACE"),
        ("x-amz-copy-source-if-match", "*"),
        ("x-amz-copy-source", "photos/secret"),
    ] {
        let error = copy(Some(header)).await.unwrap_err();
        assert_eq!(error.raw_response().unwrap().status().as_u16(), 403, "{header:?}");
    }
    assert_eq!(server.get("b").await, None);
    copy(None).await.unwrap();
    assert_eq!(server.get("b").await.unwrap(), b"meow");
}

/// Sets a header of a request that is already signed.
#[derive(Debug)]
struct AddHeader(Option<(&'static str, &'static str)>);

impl Intercept for AddHeader {
    fn name(&self) -> &'static str {
        "add a header"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some((name, value)) = self.0 {
            context.request_mut().headers_mut().insert(name, value);
        }
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_are_copied_from_ranges_of_an_object() {
    let server = StorageServer::start().await;
    server.put("source", "0123456789").await;
    let upload = Upload::open(&server).await;
    let first = upload.part(1, &vec![7; PART]).await;
    let copy = |range: &str| {
        let copy = server.client.upload_part_copy().bucket(BUCKET).key("k");
        let copy = copy
            .upload_id(&upload.id)
            .part_number(2)
            .copy_source("photos/source");
        copy.copy_source_range(range).send()
    };
    for range in ["bytes=5-10", "bytes=3-2", "5-6", "bytes=-4"] {
        let error = copy(range).await.unwrap_err().into_service_error();
        assert_eq!(error.meta().code(), Some("InvalidArgument"), "{range}");
    }
    let copied = copy("bytes=2-5").await.unwrap();
    let second = crate::support::named(2, copied.copy_part_result().unwrap().e_tag().unwrap());
    upload.complete(vec![first, second]).await.unwrap();
    assert_eq!(server.get("k").await.unwrap()[PART..], *b"2345");
}
