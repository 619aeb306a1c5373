//! The demo: folders of photos, and what it leaves behind.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    os::unix::fs::symlink,
    process::{Command, Stdio},
    time::Duration,
};

use rapidphoto_client::Client;
use rapidphoto_testkit::command;
use tokio::io::AsyncBufReadExt as _;

use crate::fixtures::{binary, declare, jpeg, photo};

#[test]
fn photos_of_subfolders_are_uploaded_and_skipped_files_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    };
    write("one.jpg", &photo(1));
    write("2026/july/two.JPEG", &photo(2));
    write("2026/notes.txt", b"no photo");
    write("2026/empty.png", b"");
    write("2026/phone.heic", b"a photo of a type that the server refuses");
    symlink(folder.path().join("missing"), folder.path().join("dangling.jpg")).unwrap();
    symlink(folder.path(), folder.path().join("2026/loop")).unwrap();
    let demo = |expected: bool| {
        let output = command(binary())
            .args(["demo", "--exit", "--photos"])
            .arg(folder.path())
            .output()
            .unwrap();
        assert_eq!(output.status.success(), expected, "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let output = demo(true);
    assert!(output.contains("2 of 2 photos"), "{output}");
    for skipped in [
        "2026/notes.txt: ",
        "2026/empty.png: is empty",
        "2026/phone.heic: is image/heic, ",
        "dangling.jpg: can't be read",
        "2026/loop: ",
    ] {
        let line = format!("skipped: {}/{skipped}", folder.path().display());
        assert!(output.contains(&line), "{line}: {output}");
    }
    // A file whose content is shorter than its size says: it can't be read as it was declared.
    symlink("/sys/kernel/uevent_seqnum", folder.path().join("odd.jpg")).unwrap();
    let output = demo(false);
    assert!(
        output.contains("2 of 3 photos") && output.contains("CANCELLED"),
        "{output}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_has_a_line_for_each_photo_after_the_table() {
    let files = tempfile::tempdir().unwrap();
    fs::write(files.path().join("one.jpg"), photo(1)).unwrap();
    let log = files.path().join("log");
    let mut demo = command(binary());
    demo.args(["demo", "--photos"]).arg(files.path());
    let mut demo = tokio::process::Command::from(demo)
        .stdout(Stdio::piped())
        .stderr(fs::File::create(&log).unwrap())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = tokio::io::BufReader::new(demo.stdout.take().unwrap()).lines();
    let instructions = loop {
        let line = lines.next_line().await.unwrap().unwrap();
        if let Some((_, instructions)) = line.split_once("API documentation: ") {
            break instructions.to_owned();
        }
    };
    let (url, rest) = instructions.split_once("/docs. User: ").unwrap();
    let (email, rest) = rest.split_once(", password: ").unwrap();
    let password = rest.trim_end_matches('.');
    let before = fs::read_to_string(&log).unwrap();
    assert!(
        !before.contains(" INFO "),
        "nothing disturbs the progress bars: {before}"
    );

    let session = Client::new(url).unwrap().log_in(email, password).await.unwrap();
    let bytes = photo(2);
    let (_, items) = declare(&session, &[jpeg(&bytes)]).await;
    session.put(&items[0], bytes).await.unwrap();
    let logged = async {
        loop {
            let log = fs::read_to_string(&log).unwrap();
            if log
                .lines()
                .any(|line| line.contains("photo ended") && line.contains(&items[0].photo_id))
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), logged)
        .await
        .unwrap();
    let id = demo.id().unwrap().to_string();
    let sent = Command::new("kill").args(["-INT", &id]).status();
    assert!(sent.unwrap().success());
    assert!(demo.wait().await.unwrap().success());
}

#[test]
fn a_configured_log_filter_holds_for_the_demo() {
    let files = tempfile::tempdir().unwrap();
    fs::write(files.path().join("one.jpg"), photo(1)).unwrap();
    for (filter, logged) in [("info", true), ("warn", false)] {
        let output = command(binary())
            .args(["demo", "--exit", "--photos"])
            .arg(files.path())
            .env("RAPIDPHOTO_LOG__FILTER", filter)
            .output()
            .unwrap();
        let log = String::from_utf8(output.stderr).unwrap();
        assert_eq!(log.contains("photo ended"), logged, "{filter}: {log}");
    }
}

#[test]
fn an_interrupted_demo_leaves_no_directory_behind() {
    let temporary = tempfile::tempdir().unwrap();
    let mut demo = command(binary())
        .arg("demo")
        .env("TMPDIR", temporary.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(demo.stdout.take().unwrap()).lines();
    let line = lines.next().unwrap().unwrap();
    assert!(line.starts_with("Generating"), "{line}");
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 1);
    let sent = Command::new("kill")
        .args(["-INT", &demo.id().to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
    assert!(!demo.wait().unwrap().success());
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0);
}
