//! Crashes between the steps of uploads in parts.

use std::path::{Path, PathBuf};
use std::process::Command;

use aws_sdk_s3::types::CompletedPart;
use tempfile::TempDir;

use crate::FAILPOINTS;
use crate::support::{BUCKET, PART, StorageServer, Upload};

const DIRECTORY: &str = "RAPIDPHOTO_TEST_MULTIPART_DIRECTORY";
const POINT: &str = "RAPIDPHOTO_TEST_MULTIPART_POINT";
const END: &str = "RAPIDPHOTO_TEST_MULTIPART_END";

fn bodies() -> [Vec<u8>; 2] {
    [vec![1; PART], b"the end".to_vec()]
}

/// Runs an upload in another process until it crashes at a failpoint.
fn crash(directory: &Path, point: &str, end: &str) {
    let crashed = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "multipart::crashing_upload_in_parts"])
        .env(DIRECTORY, directory)
        .env(POINT, point)
        .env(END, end)
        .output()
        .unwrap();
    assert_eq!(
        std::os::unix::process::ExitStatusExt::signal(&crashed.status),
        Some(6),
        "{point}: {}",
        String::from_utf8_lossy(&crashed.stdout)
    );
}

/// Started by [`crash`]; otherwise it does nothing.
#[tokio::test(flavor = "multi_thread")]
async fn crashing_upload_in_parts() {
    let Some(directory) = std::env::var_os(DIRECTORY).map(PathBuf::from) else {
        return;
    };
    let variable = |name| std::env::var_os(name).unwrap().into_string().unwrap();
    let server = StorageServer::with_root(directory.join("store")).await;
    fail::cfg(variable(POINT), "return").unwrap();
    let upload = Upload::open(&server).await;
    std::fs::write(directory.join("id"), &upload.id).unwrap();
    let [first, last] = bodies();
    let parts = vec![upload.part(1, &first).await, upload.part(2, &last).await];
    match variable(END).as_str() {
        "abort" => upload.abort().await.unwrap(),
        _ => drop(upload.complete(parts).await.unwrap()),
    }
}

/// Ids of the open uploads.
async fn open_uploads(server: &StorageServer) -> Vec<String> {
    let listed = server
        .client
        .list_multipart_uploads()
        .bucket(BUCKET)
        .send()
        .await
        .unwrap();
    let uploads = listed.uploads().iter();
    uploads
        .map(|upload| upload.upload_id().unwrap().to_owned())
        .collect()
}

/// The stored parts, and those that are missing, which are sent.
async fn all_parts(upload: &Upload<'_>) -> Vec<CompletedPart> {
    let stored = upload.parts().await.unwrap();
    let listed = upload.server.client.list_parts().bucket(BUCKET).key("k");
    let listed = listed.upload_id(&upload.id).send().await.unwrap();
    let mut parts = Vec::new();
    for (number, body) in [1, 2].into_iter().zip(bodies()) {
        match listed
            .parts()
            .iter()
            .find(|part| part.part_number() == Some(number))
        {
            Some(part) => {
                assert_eq!(part.size(), Some(i64::try_from(body.len()).unwrap()));
                parts.push(crate::support::named(number, part.e_tag().unwrap()));
            }
            None => parts.push(upload.part(number, &body).await),
        }
    }
    assert!(stored.is_sorted());
    parts
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_in_parts_continues_after_a_crash_at_any_step() {
    let _guard = FAILPOINTS.lock().await;
    for (point, uploads, stored) in [
        ("s3.before-open", 0, false),
        ("s3.before-part", 1, false),
        ("s3.after-part", 1, false),
        ("s3.before-rename", 1, false),
        ("s3.after-rename", 0, true),
        ("s3.before-announce", 0, true),
        ("s3.after-announce", 0, true),
        ("s3.before-removal", 0, true),
        ("s3.after-removal", 0, true),
    ] {
        let directory = TempDir::new().unwrap();
        crash(directory.path(), point, "complete");
        let server = StorageServer::with_root(directory.path().join("store")).await;
        assert!(server.incoming().is_empty(), "{point}");
        assert_eq!(open_uploads(&server).await.len(), uploads, "{point}");
        let expected = bodies().concat();
        assert_eq!(server.get("k").await.is_some(), stored, "{point}");

        let upload = match std::fs::read_to_string(directory.path().join("id")) {
            Ok(id) => Upload { server: &server, id },
            // The answer to its creation was never sent.
            Err(_) => Upload::open(&server).await,
        };
        // A client that knows nothing of the crash repeats the last request: it learns that the object is there, and the event
        // notification is sent, even if the first one was lost.
        let parts = if stored {
            let [first, last] = bodies().map(|body| crate::support::md5(&body));
            vec![crate::support::named(1, &first), crate::support::named(2, &last)]
        } else {
            all_parts(&upload).await
        };
        let completed = upload.complete(parts.clone()).await;
        assert_eq!(
            completed.err().as_deref(),
            stored.then_some("PreconditionFailed"),
            "{point}"
        );
        assert!(server.get("k").await.unwrap() == expected, "{point}");
        assert_eq!(server.notifications.objects().len(), 1, "{point}");
        assert_eq!(open_uploads(&server).await, [""; 0], "{point}");
        let etag = upload.complete_if(parts, None).await.unwrap();
        assert!(etag.ends_with("-2\""), "{point}: {etag}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_during_an_abort_leaves_nothing() {
    let _guard = FAILPOINTS.lock().await;
    let directory = TempDir::new().unwrap();
    crash(directory.path(), "s3.after-removal", "abort");
    let server = StorageServer::with_root(directory.path().join("store")).await;
    assert!(server.incoming().is_empty());
    assert_eq!(open_uploads(&server).await, [""; 0]);
    assert!(server.get("k").await.is_none());
}
