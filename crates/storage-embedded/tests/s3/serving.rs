use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::rig::{Rig, answer, head, write};

const PHOTO: &[u8] = &[7; 2 * 1024 * 1024];

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_is_under_way_finishes_while_the_store_stops() {
    let rig = Rig::start().await;
    let url = rig.presign_photo("k", PHOTO).await;
    let mut idle = rig.connect().await;
    let mut stream = rig.connect().await;
    write(&mut stream, head(&rig, &url, "")).await;
    write(&mut stream, &PHOTO[..1_000_000]).await;
    while rig.incoming().is_empty() {
        sleep(Duration::from_millis(10)).await;
    }

    let (address, messages) = (rig.address, std::sync::Arc::clone(&rig.messages));
    let (stopping, _root) = rig.begin_stop();
    sleep(Duration::from_millis(200)).await;
    assert!(!stopping.is_finished());
    assert!(TcpStream::connect(address).await.is_err(), "nobody new is let in");
    assert_eq!(answer(&mut idle).await, "", "who does nothing is let go");

    write(&mut stream, &PHOTO[1_000_000..]).await;
    let stored = answer(&mut stream).await;
    assert!(stored.starts_with("HTTP/1.1 200"), "{stored}");
    timeout(Duration::from_secs(5), stopping)
        .await
        .expect("it stops")
        .unwrap();
    assert_eq!(messages.all().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_never_ends_does_not_keep_the_store() {
    let rig = Rig::with(|config| config.shutdown_grace = Duration::from_millis(200)).await;
    let url = rig.presign_photo("k", PHOTO).await;
    let mut stream = rig.connect().await;
    write(&mut stream, head(&rig, &url, "")).await;
    write(&mut stream, &PHOTO[..1_000_000]).await;
    while rig.incoming().is_empty() {
        sleep(Duration::from_millis(10)).await;
    }
    timeout(Duration::from_secs(10), rig.restart())
        .await
        .expect("it stops")
        .nothing_is_left()
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_after_its_last_byte_stops_nothing() {
    let rig = Rig::start().await;
    rig.messages.be_slow();
    let url = rig.presign_photo("k", PHOTO).await;
    let mut stream = rig.connect().await;
    write(&mut stream, head(&rig, &url, "")).await;
    write(&mut stream, PHOTO).await;
    // Its object is stored, its message is being taken: the worst moment to leave.
    while rig.get("k").await.is_none() {
        sleep(Duration::from_millis(10)).await;
    }
    drop(stream);
    let messages = std::sync::Arc::clone(&rig.messages);
    rig.stop().await;
    assert_eq!(messages.all().len(), 1);
}
