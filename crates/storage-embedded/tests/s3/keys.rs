use crate::rig::{BUCKET, Rig, head, in_an_hour, write};

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_differ_are_objects_that_differ() {
    let rig = Rig::start().await;
    let keys = [
        "a/b",
        "a//b",
        "/a/b",
        "a/b/",
        "a",
        "A",
        "ä",
        "a\u{308}",
        "a b",
        "a+b",
        "a%20b",
        "a%2Fb",
        "a\\b",
        ".",
        "a/./b",
        "..",
        "../up",
        "../../../../etc/passwd",
        "a/../b",
        "写真/猫.jpg",
        "🐈",
        "a?b",
        "a#b",
        "a&b=c",
        "a:b",
        "~a",
        "*",
        "a\tb",
        "'\"<>",
    ];
    for key in keys {
        let body = format!("the object {key}").into_bytes();
        let put = rig
            .client
            .put_object()
            .bucket(BUCKET)
            .key(key)
            .if_none_match("*")
            .body(body.into());
        put.send()
            .await
            .unwrap_or_else(|error| panic!("{key:?}: {error:?}"));
    }
    for key in keys {
        assert_eq!(
            rig.get(key).await.unwrap(),
            format!("the object {key}").into_bytes(),
            "{key:?}"
        );
    }
    rig.client
        .delete_object()
        .bucket(BUCKET)
        .key("a//b")
        .send()
        .await
        .unwrap();
    assert!(rig.get("a/b").await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_presigned_url_of_any_key_is_good() {
    let rig = Rig::start().await;
    for key in ["a//b", "写真/猫 1.jpg", "a+b%20c", "(a)!*'~.jpg"] {
        let put = rig.client.put_object().bucket(BUCKET).key(key).content_length(2);
        let put = put.presigned(in_an_hour()).await.unwrap();
        let mut stream = rig.connect().await;
        write(&mut stream, head(&rig, &put, "") + "ok").await;
        assert!(
            crate::rig::answer(&mut stream).await.starts_with("HTTP/1.1 200"),
            "{key:?}"
        );
        assert_eq!(rig.get(key).await.unwrap(), b"ok");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_has_at_most_1024_bytes() {
    let rig = Rig::start().await;
    let longest = "ü/".repeat(341) + "z";
    assert_eq!(longest.len(), 1024);
    rig.client
        .put_object()
        .bucket(BUCKET)
        .key(&longest)
        .body(b"meow".to_vec().into())
        .send()
        .await
        .unwrap();
    assert_eq!(rig.get(&longest).await.unwrap(), b"meow");

    let longer = longest + "z";
    let refused = rig
        .client
        .put_object()
        .bucket(BUCKET)
        .key(longer)
        .body(b"meow".to_vec().into())
        .send()
        .await;
    assert_eq!(
        refused.unwrap_err().into_service_error().meta().code(),
        Some("KeyTooLongError")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_longest_key_of_the_strangest_letters_is_kept() {
    let rig = Rig::start().await;
    // Each of these takes six bytes in JSON.
    let key = "\u{1}".repeat(1024);
    rig.client
        .put_object()
        .bucket(BUCKET)
        .key(&key)
        .body(b"meow".to_vec().into())
        .send()
        .await
        .unwrap();
    assert_eq!(rig.get(&key).await.unwrap(), b"meow");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_path_leads_out_of_the_bucket() {
    let rig = Rig::start().await;
    rig.put("k", "meow").await;
    for path in [
        "/photos/../photos/k",
        "/../../etc/passwd",
        "/photos/%2e%2e/%2e%2e/layout",
        "/photos/%00",
        "/%ff",
    ] {
        let mut stream = rig.connect().await;
        write(
            &mut stream,
            format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"),
        )
        .await;
        let answer = crate::rig::answer(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{path}: {answer}");
    }
}
