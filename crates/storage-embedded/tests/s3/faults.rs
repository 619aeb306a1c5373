use crate::rig::{Rig, send};

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_the_upload_and_keeps_the_old_object() {
    let rig = Rig::start().await;
    rig.put("k", "old").await;
    let put = rig
        .client
        .put_object()
        .bucket(crate::rig::BUCKET)
        .key("k")
        .content_length(3);
    let url = put.presigned(crate::rig::in_an_hour()).await.unwrap();

    fail::cfg("s3.write", "return").unwrap();
    let refused = send(&rig, &url, b"new", |_| {}).await;
    fail::remove("s3.write");
    assert_eq!(refused.status(), 507);
    assert!(
        refused
            .text()
            .await
            .unwrap()
            .contains("<Code>InsufficientStorage</Code>")
    );
    rig.nothing_is_left().await;
    assert_eq!(rig.get("k").await.unwrap(), b"old");
    assert_eq!(rig.messages.all().len(), 1);
    assert_eq!(send(&rig, &url, b"new", |_| {}).await.status(), 200);
}
