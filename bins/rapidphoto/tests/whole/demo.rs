//! The demo: folders of photos, and what it leaves behind.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    os::unix::fs::symlink,
    process::{Command, Stdio},
};

use rapidphoto_testkit::command;

use crate::fixtures::{binary, photo};

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
