use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
    time::Duration,
};

use rapidphoto_testkit::{Server, ServerOptions};
use serde_json::Value;

use super::{User, events, stdout};
use crate::fixtures::{DataDir, photo};

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_uploaded_once_by_content_and_what_is_skipped_is_named() {
    let data_dir = DataDir::new();
    let server = data_dir.serve(&DataDir::options()).await;
    let user = User::logged_in(&server);
    for (name, bytes) in [
        ("1.jpg", photo(1)),
        ("2026/2.JPG", photo(2)),
        ("2026/copy of 1.jpg", photo(1)),
        (".trash/3.jpg", photo(3)),
        ("notes.txt", "no photo".into()),
    ] {
        user.write(name, &bytes);
    }
    let output = stdout(user.run(&["upload", ".", "--tag", "sea", "--tag", "2026"]));
    let mut lines: Vec<_> = output
        .lines()
        .map(|line| line.split("  ph_").next().unwrap())
        .collect();
    let summary = lines.pop().unwrap();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "COMPLETED  ./1.jpg",
            "COMPLETED  ./2026/2.JPG",
            "skipped    ./.trash: hidden",
            "skipped    ./2026/copy of 1.jpg: same content as ./1.jpg",
            "skipped    ./notes.txt: the extension is not that of a photo",
        ]
    );
    assert!(
        summary.starts_with("2 of 2 photos completed, 3 files skipped, "),
        "{summary}"
    );
    let session = server
        .client()
        .unwrap()
        .log_in("ada@example.org", rapidphoto_testkit::PASSWORD)
        .await
        .unwrap();
    let photos = session.photos(&[("tag", "sea")]).await.unwrap().items;
    assert_eq!(photos.len(), 2);
    assert!(
        photos.iter().all(|photo| photo.tags == ["2026", "sea"]),
        "{photos:?}"
    );

    // Neither a new path nor the loss of the state makes it a second photo.
    std::fs::rename(user.folder().join("1.jpg"), user.folder().join("renamed.jpg")).unwrap();
    for entry in std::fs::read_dir(user.state()).unwrap() {
        let path = entry.unwrap().path();
        if path.to_str().unwrap().contains("uploads-") {
            std::fs::remove_file(path).unwrap();
        }
    }
    let (code, lines) = user.json(&["upload", "renamed.jpg", "2026"]);
    assert_eq!(code, Some(0));
    let summary = lines.last().unwrap();
    assert_eq!(
        (&summary["completed"], &summary["alreadyThere"]),
        (&2.into(), &2.into())
    );
    assert_eq!(session.photos(&[]).await.unwrap().items.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn photos_that_do_not_complete_are_named_with_their_reasons_and_the_exit_code_is_1() {
    let data_dir = DataDir::new();
    let options = DataDir::options().with("RAPIDPHOTO_UPLOADS__MAX_FILE_BYTES", "100000");
    let server = data_dir.serve(&options).await;
    let user = User::logged_in(&server);
    user.write("good.jpg", &photo(1));
    user.write("text.jpg", b"this is no photo");
    user.write("large.jpg", &vec![0; 100_001]);
    user.write("empty.jpg", b"");
    let (code, lines) = user.json(&["upload", ".", "missing.jpg"]);
    assert_eq!(code, Some(1));
    let photos: BTreeMap<&str, &Value> = events(&lines, "photo")
        .into_iter()
        .map(|line| (line["path"].as_str().unwrap(), line))
        .collect();
    assert_eq!(photos.len(), 5);
    assert_eq!(photos["./good.jpg"]["status"], "COMPLETED");
    assert_eq!(photos["./text.jpg"]["status"], "REJECTED");
    assert_eq!(photos["./text.jpg"]["reasons"][0]["code"], "unsupported_format");
    for (path, part) in [
        ("./large.jpg", "100000"),
        ("./empty.jpg", "a photo has at least one byte (empty_file)"),
        ("missing.jpg", "No such file"),
    ] {
        let error = photos[path]["error"].as_str().unwrap();
        assert!(error.contains(part), "{path}: {error}");
    }
    let summary = lines.last().unwrap();
    assert_eq!(summary["event"], "summary");
    assert_eq!(
        (&summary["completed"], &summary["notCompleted"]),
        (&1.into(), &4.into())
    );

    let output = user.run(&["upload", "text.jpg"]);
    assert_eq!(output.status.code(), Some(1), "it stays rejected");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("REJECTED   text.jpg  ph_"), "{text}");
    assert!(text.contains("(unsupported_format)"), "{text}");
}

/// Options of a server whose log has a line for each request to the storage.
fn logging_storage() -> ServerOptions {
    DataDir::options()
        .with("RAPIDPHOTO_LOG__FORMAT", "json")
        .with("RAPIDPHOTO_LOG__FILTER", "warn,rapidphoto_storage_embedded=debug")
}

/// Paths of originals with the statuses of the PUT requests to them.
fn puts(server: &Server) -> BTreeMap<String, Vec<u64>> {
    let mut puts: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for line in server.log().lines() {
        let Ok(line) = serde_json::from_str::<Value>(line) else {
            continue;
        };
        let path = line["path"].as_str().unwrap_or_default();
        let operation = &line["operation"];
        if (operation == "put_object" || operation == "upload_part") && path.ends_with("/original") {
            puts.entry(path.to_owned())
                .or_default()
                .push(line["status"].as_u64().unwrap());
        }
    }
    puts
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_killed_three_times_sends_no_photo_twice() {
    const PHOTOS: u64 = 40;
    const KILLS: u64 = 3;
    const CONCURRENCY: u64 = 2;
    let data_dir = DataDir::new();
    let server = data_dir.serve(&logging_storage()).await;
    let user = User::logged_in(&server);
    for seed in 0..PHOTOS {
        user.write(&format!("{seed}.jpg"), &photo(seed));
    }
    for lines in [2, 6, 10] {
        let mut run = user
            .command(&["upload", ".", "--concurrency", "2"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(run.stdout.take().unwrap());
        let seen = output.lines().take(lines).collect::<Result<Vec<_>, _>>().unwrap();
        assert_eq!(seen.len(), lines);
        run.kill().unwrap();
        assert!(!run.wait().unwrap().success());
    }
    let (code, lines) = user.json(&["upload", "."]);
    assert_eq!(code, Some(0), "{lines:?}");
    let summary = lines.last().unwrap();
    assert_eq!(summary["completed"], PHOTOS);
    assert!(summary["alreadyThere"].as_u64().unwrap() >= 2, "{summary}");
    // At most the requests of the killed runs that had no response are repeated. The log has no line for some of them.
    let puts: usize = puts(&server).values().map(Vec::len).sum();
    assert!(
        (PHOTOS - KILLS * CONCURRENCY..=PHOTOS + KILLS * CONCURRENCY).contains(&(puts as u64)),
        "{puts}"
    );
    let session = server
        .client()
        .unwrap()
        .log_in("ada@example.org", rapidphoto_testkit::PASSWORD)
        .await
        .unwrap();
    assert_eq!(
        session.photos(&[("size", "100")]).await.unwrap().items.len() as u64,
        PHOTOS
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_survives_a_crash_of_the_server() {
    const PHOTOS: u64 = 20;
    let data_dir = DataDir::new();
    let server = data_dir.serve(&DataDir::options()).await;
    let address = |url: &str| url.strip_prefix("http://").unwrap().parse().unwrap();
    let again = DataDir::options().listening_on(address(server.api()), address(server.s3()));
    let user = User::logged_in(&server);
    for seed in 0..PHOTOS {
        user.write(&format!("{seed}.jpg"), &photo(seed));
    }
    let mut run = user
        .command(&["upload", ".", "--concurrency", "1"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(run.stdout.take().unwrap()).lines();
    for _ in 0..3 {
        lines.next().unwrap().unwrap();
    }
    server.kill().await.unwrap();
    let _server = data_dir.serve(&again).await;
    let summary = lines.map(Result::unwrap).last().unwrap();
    assert!(run.wait().unwrap().success(), "{summary}");
    assert!(summary.starts_with("20 of 20 photos completed, "), "{summary}");
}

fn signal(process: u32, name: &str) {
    let sent = Command::new("kill")
        .args(["-s", name, &process.to_string()])
        .status();
    assert!(sent.unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn urls_that_expired_before_their_turn_are_renewed() {
    const PHOTOS: u64 = 12;
    let data_dir = DataDir::new();
    let options = logging_storage().with("RAPIDPHOTO_UPLOADS__URL_LIFETIME", "5s");
    let server = data_dir.serve(&options).await;
    let user = User::logged_in(&server);
    for seed in 0..PHOTOS {
        user.write(&format!("{seed}.jpg"), &photo(seed));
    }
    let mut run = user
        .command(&["upload", ".", "--concurrency", "1"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(run.stdout.take().unwrap()).lines();
    lines.next().unwrap().unwrap();
    // The other URLs expire while the run is stopped.
    signal(run.id(), "STOP");
    tokio::time::sleep(Duration::from_secs(6)).await;
    signal(run.id(), "CONT");
    let summary = lines.map(Result::unwrap).last().unwrap();
    assert!(run.wait().unwrap().success(), "{summary}");
    let puts = puts(&server);
    assert_eq!(puts.len() as u64, PHOTOS);
    assert!(
        puts.values().all(|statuses| statuses.last() == Some(&200)),
        "{puts:?}"
    );
    assert!(
        puts.values().any(|statuses| statuses[..] == [403, 200]),
        "{puts:?}"
    );
}

/// JPEG of about this size: a photo after comments.
fn large_photo(seed: u64, bytes: usize) -> Vec<u8> {
    const COMMENT_BYTES: u16 = 65_533;
    let photo = photo(seed);
    let (start, rest) = photo.split_at(2);
    let mut large = start.to_vec();
    while large.len() < bytes {
        large.extend([0xff, 0xfe]);
        large.extend((COMMENT_BYTES + 2).to_be_bytes());
        large.resize(large.len() + usize::from(COMMENT_BYTES), b'x');
    }
    large.extend(rest);
    large
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_killed_three_times_sends_no_part_twice() {
    const FILES: u8 = 3;
    const KILLS: usize = 3;
    const CONCURRENCY: usize = 2;
    let data_dir = DataDir::new();
    let server = data_dir.serve(&logging_storage()).await;
    let user = User::logged_in(&server);
    for seed in 0..u64::from(FILES) {
        user.write(&format!("{seed}.jpg"), &large_photo(seed, 50_000_000));
    }
    // 50 MB in parts of 8 MiB.
    let parts = 6 * usize::from(FILES);
    let stored = || {
        puts(&server)
            .values()
            .flatten()
            .filter(|status| **status == 200)
            .count()
    };
    for kill in 1..=KILLS {
        let mut run = user
            .command(&["upload", ".", "--concurrency", &CONCURRENCY.to_string()])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let killed = async {
            while stored() < 3 * kill && run.try_wait().unwrap().is_none() {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
            run.kill().unwrap();
            assert!(!run.wait().unwrap().success(), "it was not ready");
        };
        tokio::time::timeout(std::time::Duration::from_mins(2), killed)
            .await
            .unwrap();
    }
    let (code, lines) = user.json(&["upload", "."]);
    assert_eq!(code, Some(0), "{lines:?}");
    let summary = lines.last().unwrap();
    assert_eq!(summary["completed"], FILES);
    // The log has no line for a part whose sender was killed before the response.
    let stored = stored();
    assert!(
        (parts - KILLS * CONCURRENCY..=parts).contains(&stored),
        "{stored} of {parts} parts were stored"
    );
}
