//! The store on a full disk, and stopped between any two steps of an upload.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy.toml allows them in tests, and does not see that these files hold nothing else"
)]

#[path = "../s3/rig.rs"]
#[allow(dead_code, reason = "shared with the tests that need all of it")]
mod rig;

use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Condvar, mpsc};
use std::time::Duration;

use futures::future::join_all;
use tempfile::TempDir;
use tokio::sync::Mutex;

use crate::rig::{BUCKET, LIMIT, Rig, head, in_an_hour, md5, send, write};

/// Failpoints hold for the whole process.
static ALONE: Mutex<()> = Mutex::const_new(());

const DIRECTORY: &str = "RAPIDPHOTO_TEST_DIRECTORY";
const POINT: &str = "RAPIDPHOTO_TEST_POINT";

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_the_upload_and_keeps_the_old_object() {
    let _alone = ALONE.lock().await;
    let rig = Rig::start().await;
    rig.put("k", "old").await;
    let put = rig.client.put_object().bucket(BUCKET).key("k").content_length(3);
    let url = put.presigned(in_an_hour()).await.unwrap();

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

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_before_the_rename_stops_nothing() {
    let _alone = ALONE.lock().await;
    let rig = Rig::start().await;
    let url = rig.presign_photo("k", b"meow").await;
    let (arrived, at_rename) = mpsc::channel();
    fail::cfg_callback("s3.before-rename", move || {
        arrived.send(()).unwrap();
        std::thread::sleep(Duration::from_millis(500));
    })
    .unwrap();
    let mut stream = rig.connect().await;
    write(&mut stream, head(&rig, &url, "") + "meow").await;
    tokio::task::spawn_blocking(move || at_rename.recv_timeout(LIMIT))
        .await
        .unwrap()
        .unwrap();
    drop(stream);
    let messages = Arc::clone(&rig.messages);
    rig.stop().await;
    fail::remove("s3.before-rename");
    assert_eq!(messages.objects().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_fifty_uploads_at_the_rename_exactly_one_becomes_the_object() {
    let _alone = ALONE.lock().await;
    let rig = Rig::start().await;
    let bodies: Vec<Vec<u8>> = (0..50_u8).map(|n| vec![n; 1000]).collect();
    let urls = join_all(bodies.iter().map(|body| rig.presign_photo("k", body))).await;
    let (waiting, all_there, rig_ref) = (std::sync::Mutex::new(0), Condvar::new(), &rig);
    fail::cfg_callback("s3.before-rename", move || {
        let mut waiting = waiting.lock().unwrap();
        *waiting += 1;
        all_there.notify_all();
        let (_waiting, waited) = all_there
            .wait_timeout_while(waiting, LIMIT, |waiting| *waiting < 50)
            .unwrap();
        assert!(!waited.timed_out(), "not all came to the rename");
    })
    .unwrap();
    let uploads = urls
        .iter()
        .zip(&bodies)
        .map(|(url, body)| async move { (send(rig_ref, url, body, |_| {}).await.status(), body) });
    let outcomes = join_all(uploads).await;
    fail::remove("s3.before-rename");
    let stored: Vec<_> = outcomes.iter().filter(|(status, _)| *status == 200).collect();
    let refused = outcomes.iter().filter(|(status, _)| *status == 412).count();
    assert_eq!((stored.len(), refused), (1, 49));
    assert_eq!(rig.get("k").await.as_ref(), Some(stored[0].1));
    assert!(
        rig.messages
            .objects()
            .iter()
            .all(|object| object["eTag"] == md5(stored[0].1))
    );
    rig.nothing_is_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_leaves_the_whole_object_or_none() {
    let _alone = ALONE.lock().await;
    for (point, stored) in [
        ("s3.before-rename", false),
        ("s3.after-rename", true),
        ("s3.before-announce", true),
        ("s3.after-announce", true),
    ] {
        let directory = TempDir::new().unwrap();
        let crashed = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "an_upload_of_a_store_that_crashes"])
            .env(DIRECTORY, directory.path())
            .env(POINT, point)
            .output()
            .unwrap();
        let signal = std::os::unix::process::ExitStatusExt::signal(&crashed.status);
        assert_eq!(
            signal,
            Some(6),
            "{point}: {}",
            String::from_utf8_lossy(&crashed.stdout)
        );

        let rig = Rig::at(directory.path().to_owned()).await;
        assert!(rig.incoming().is_empty(), "{point}");
        assert_eq!(rig.get("k").await, stored.then(|| b"meow".to_vec()), "{point}");

        // Whatever was lost, trying again tells the application of the object that is there.
        let url = rig.presign_photo("k", b"meow").await;
        let status = send(&rig, &url, b"meow", |_| {}).await.status();
        assert_eq!(status, if stored { 412 } else { 200 }, "{point}");
        assert_eq!(rig.messages.objects().len(), 1);
        assert_eq!(rig.messages.objects()[0]["eTag"], md5(b"meow"));
    }
}

/// The test above starts this one in a process of its own; by itself it does nothing.
#[tokio::test(flavor = "multi_thread")]
async fn an_upload_of_a_store_that_crashes() {
    let Some(directory) = std::env::var_os(DIRECTORY) else {
        return;
    };
    let point = std::env::var_os(POINT).unwrap().into_string().unwrap();
    let rig = Rig::at(PathBuf::from(directory)).await;
    fail::cfg(point, "return").unwrap();
    let url = rig.presign_photo("k", b"meow").await;
    send(&rig, &url, b"meow", |_| {}).await;
}
