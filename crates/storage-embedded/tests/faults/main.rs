//! Uploads to a full disk, and crashes between the steps of an upload.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy.toml allows them in tests, and does not see that these files hold nothing else"
)]

#[path = "../support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the other test binary uses all of it")]
mod support;

mod multipart;

use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Condvar, mpsc};
use std::time::Duration;

use futures::future::join_all;
use tempfile::TempDir;
use tokio::sync::{Mutex, Semaphore};

use crate::support::{
    BUCKET, StorageServer, TEST_TIMEOUT, etag, request_head, send_bytes, send_presigned, valid_presigning,
};

/// Serializes the tests, because failpoints are global to the process.
static FAILPOINTS: Mutex<()> = Mutex::const_new(());

const DIRECTORY: &str = "RAPIDPHOTO_TEST_DIRECTORY";
const POINT: &str = "RAPIDPHOTO_TEST_POINT";

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_to_a_full_disk_fails_and_keeps_the_old_object() {
    let _guard = FAILPOINTS.lock().await;
    let server = StorageServer::start().await;
    server.put("k", "old").await;
    let put = server
        .client
        .put_object()
        .bucket(BUCKET)
        .key("k")
        .content_length(3);
    let url = put.presigned(valid_presigning()).await.unwrap();

    fail::cfg("s3.write", "return").unwrap();
    let rejected = send_presigned(&server, &url, b"new", |_| {}).await;
    fail::remove("s3.write");
    assert_eq!(rejected.status(), 507);
    assert!(
        rejected
            .text()
            .await
            .unwrap()
            .contains("<Code>InsufficientStorage</Code>")
    );
    server.wait_for_no_incoming().await;
    assert_eq!(server.get("k").await.unwrap(), b"old");
    assert_eq!(server.notifications.received().len(), 1);
    assert_eq!(send_presigned(&server, &url, b"new", |_| {}).await.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_finishes_when_its_client_disconnects_before_the_rename() {
    let _guard = FAILPOINTS.lock().await;
    let server = StorageServer::start().await;
    let url = server.presign_photo("k", b"meow").await;
    let (reached, at_rename) = mpsc::channel();
    fail::cfg_callback("s3.before-rename", move || {
        reached.send(()).unwrap();
        std::thread::sleep(Duration::from_millis(500));
    })
    .unwrap();
    let mut stream = server.connect().await;
    send_bytes(&mut stream, request_head(&server, &url, "") + "meow").await;
    tokio::task::spawn_blocking(move || at_rename.recv_timeout(TEST_TIMEOUT))
        .await
        .unwrap()
        .unwrap();
    drop(stream);
    let notifications = Arc::clone(&server.notifications);
    server.shut_down().await;
    fail::remove("s3.before-rename");
    assert_eq!(notifications.objects().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn exactly_one_of_fifty_uploads_that_reach_the_rename_together_succeeds() {
    let _guard = FAILPOINTS.lock().await;
    let server = StorageServer::start().await;
    let bodies: Vec<Vec<u8>> = (0..50_u8).map(|n| vec![n; 1000]).collect();
    let urls = join_all(bodies.iter().map(|body| server.presign_photo("k", body))).await;
    let (waiting, all_waiting, server_ref) = (std::sync::Mutex::new(0), Condvar::new(), &server);
    // One after the other: an upload is replaced by the next one as long as its body is not received.
    let turn = Arc::new(Semaphore::new(1));
    let next = Arc::clone(&turn);
    fail::cfg_callback("s3.before-rename", move || {
        next.add_permits(1);
        let mut waiting = waiting.lock().unwrap();
        *waiting += 1;
        all_waiting.notify_all();
        let (_waiting, waited) = all_waiting
            .wait_timeout_while(waiting, TEST_TIMEOUT, |waiting| *waiting < 50)
            .unwrap();
        assert!(!waited.timed_out(), "not all uploads reached the rename");
    })
    .unwrap();
    let turn = &turn;
    let uploads = urls.iter().zip(&bodies).map(|(url, body)| async move {
        turn.acquire().await.unwrap().forget();
        (send_presigned(server_ref, url, body, |_| {}).await.status(), body)
    });
    let outcomes = join_all(uploads).await;
    fail::remove("s3.before-rename");
    let stored: Vec<_> = outcomes.iter().filter(|(status, _)| *status == 200).collect();
    let rejected = outcomes.iter().filter(|(status, _)| *status == 412).count();
    assert_eq!((stored.len(), rejected), (1, 49));
    assert_eq!(server.get("k").await.as_ref(), Some(stored[0].1));
    assert!(
        server
            .notifications
            .objects()
            .iter()
            .all(|object| object["eTag"] == etag(stored[0].1))
    );
    server.wait_for_no_incoming().await;
}

/// Resident memory of this process in bytes.
#[cfg(target_os = "linux")]
fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap();
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().unwrap();
    kilobytes * 1024
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_form_of_300_megabytes_without_credentials_takes_no_memory() {
    use tokio::io::AsyncWriteExt as _;
    const MEGABYTE: usize = 1024 * 1024;

    // No other test may allocate in between.
    let _guard = FAILPOINTS.lock().await;
    let server = StorageServer::start().await;
    let chunk = vec![b'x'; MEGABYTE];
    let before = resident_bytes();
    for content_type in [
        "multipart/form-data; boundary=b",
        // A header that is not ASCII is none for the form check of a careless server.
        "multipart/form-data; boundary=b; x=\"\u{e9}\"",
    ] {
        let part = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\n";
        let head = format!(
            "POST /{BUCKET} HTTP/1.1\r\nhost: x\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\n\r\n{part}",
            300 * MEGABYTE
        );
        let mut stream = server.connect().await;
        send_bytes(&mut stream, head).await;
        for _ in 0..300 {
            // The server closes the connection.
            if stream.write_all(&chunk).await.is_err() {
                break;
            }
            let grown = resident_bytes().saturating_sub(before);
            assert!(grown < 64 * MEGABYTE as u64, "{grown} bytes with {content_type}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_leaves_a_complete_object_or_none() {
    let _guard = FAILPOINTS.lock().await;
    for (point, stored) in [
        ("s3.before-rename", false),
        ("s3.after-rename", true),
        ("s3.before-announce", true),
        ("s3.after-announce", true),
    ] {
        let directory = TempDir::new().unwrap();
        let crashed = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crashing_upload"])
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

        let server = StorageServer::with_root(directory.path().to_owned()).await;
        assert!(server.incoming().is_empty(), "{point}");
        assert_eq!(server.get("k").await, stored.then(|| b"meow".to_vec()), "{point}");

        // Repeating the upload sends the event notification of the stored object, even if the first one was lost.
        let url = server.presign_photo("k", b"meow").await;
        let status = send_presigned(&server, &url, b"meow", |_| {}).await.status();
        assert_eq!(status, if stored { 412 } else { 200 }, "{point}");
        assert_eq!(server.notifications.objects().len(), 1);
        assert_eq!(server.notifications.objects()[0]["eTag"], etag(b"meow"));
    }
}

/// Started by the test above in a separate process; otherwise it does nothing.
#[tokio::test(flavor = "multi_thread")]
async fn crashing_upload() {
    let Some(directory) = std::env::var_os(DIRECTORY) else {
        return;
    };
    let point = std::env::var_os(POINT).unwrap().into_string().unwrap();
    let server = StorageServer::with_root(PathBuf::from(directory)).await;
    fail::cfg(point, "return").unwrap();
    let url = server.presign_photo("k", b"meow").await;
    send_presigned(&server, &url, b"meow", |_| {}).await;
}
