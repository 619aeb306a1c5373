use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::rig::{LIMIT, Rig, answer, head, write};

const PHOTO: &[u8] = &[7; 2 * 1024 * 1024];

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_is_under_way_finishes_while_the_store_stops() {
    // It is the upload's end that lets the store stop.
    let rig = Rig::with(|config| config.shutdown_grace = Duration::from_hours(1)).await;
    let url = rig.presign_photo("k", PHOTO).await;
    let mut idle = rig.connect().await;
    let mut stream = rig.connect().await;
    write(&mut stream, head(&rig, &url, "")).await;
    write(&mut stream, &PHOTO[..1_000_000]).await;
    rig.something_arrived().await;

    let (address, messages) = (rig.address, std::sync::Arc::clone(&rig.messages));
    let (stopping, _root) = rig.begin_stop();
    let refused = async {
        while TcpStream::connect(address).await.is_ok() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(30), refused)
        .await
        .expect("nobody new is let in");
    assert_eq!(answer(&mut idle).await, "", "who does nothing is let go");
    sleep(Duration::from_millis(200)).await;
    assert!(!stopping.is_finished());

    write(&mut stream, &PHOTO[1_000_000..]).await;
    let stored = answer(&mut stream).await;
    assert!(stored.starts_with("HTTP/1.1 200"), "{stored}");
    timeout(LIMIT, stopping).await.expect("it stops").unwrap();
    assert_eq!(messages.all().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_never_ends_does_not_keep_the_store() {
    let rig = Rig::with(|config| config.shutdown_grace = Duration::from_millis(200)).await;
    let url = rig.presign_photo("k", PHOTO).await;
    let mut stream = rig.connect().await;
    write(&mut stream, head(&rig, &url, "")).await;
    write(&mut stream, &PHOTO[..1_000_000]).await;
    rig.something_arrived().await;
    timeout(LIMIT, rig.restart())
        .await
        .expect("it stops")
        .nothing_is_left()
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_after_its_last_byte_stops_nothing() {
    let rig = Rig::start().await;
    rig.messages.hold();
    let url = rig.presign_photo("k", PHOTO).await;
    let mut stream = rig.connect().await;
    write(&mut stream, head(&rig, &url, "")).await;
    write(&mut stream, PHOTO).await;
    // Its object is stored, its message is being taken: the worst moment to leave.
    let stored = async {
        while rig.get("k").await.is_none() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(LIMIT, stored).await.expect("the object is stored");
    drop(stream);
    let messages = std::sync::Arc::clone(&rig.messages);
    let (stopping, _root) = rig.begin_stop();
    // Time enough for the store to see what happened.
    sleep(Duration::from_millis(500)).await;
    assert!(!stopping.is_finished(), "it waits for the message to be taken");
    messages.let_go();
    stopping.await.unwrap();
    assert_eq!(messages.all().len(), 1);
}
