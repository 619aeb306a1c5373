use std::{
    fs,
    process::{Command, Stdio},
};

use super::{User, events, stdout};
use crate::fixtures::{DataDir, photo};

#[tokio::test(flavor = "multi_thread")]
async fn photos_are_listed_watched_and_downloaded() {
    let data_dir = DataDir::new();
    let server = data_dir.serve(&DataDir::options()).await;
    let user = User::logged_in(&server);
    for (name, seed) in [("a/beach.jpg", 1), ("b/beach.jpg", 2), ("hills.jpg", 3)] {
        user.write(name, &photo(seed));
    }
    user.write("text.jpg", b"this is no photo");
    let (_, lines) = user.json(&["upload", "a", "b", "--tag", "sea"]);
    let first = events(&lines, "photo")[0]["photoId"].as_str().unwrap();
    let (_, lines) = user.json(&["upload", "hills.jpg", "text.jpg"]);
    let job = events(&lines, "photo")[0]["jobId"].as_str().unwrap();

    let table = stdout(user.run(&["photos"]));
    let rows: Vec<_> = table.lines().collect();
    assert_eq!(rows.len(), 5, "{table}");
    assert!(
        rows[0].starts_with("id  ") && rows[0].contains("  name  "),
        "{table}"
    );
    assert!(
        table.contains("320×240") && table.contains("REJECTED: "),
        "{table}"
    );
    let (_, photos) = user.json(&["photos", "--tag", "sea", "--status", "COMPLETED"]);
    assert_eq!(photos.len(), 2);
    assert!(photos.iter().all(|photo| photo["filename"] == "beach.jpg"));
    assert_eq!(user.json(&["photos", "--limit", "3"]).1.len(), 3);
    let refused = user.run(&["photos", "--status", "DONE"]);
    assert_eq!(refused.status.code(), Some(1));

    let (_, jobs) = user.json(&["jobs"]);
    let ids: Vec<_> = jobs.iter().map(|job| job["jobId"].as_str().unwrap()).collect();
    assert_eq!((ids.len(), ids[0]), (2, job));
    let table = stdout(user.run(&["jobs", "--limit", "1"]));
    assert!(
        table
            .lines()
            .nth(1)
            .unwrap()
            .ends_with("100 %  COMPLETED_WITH_ERRORS"),
        "{table}"
    );

    let (code, lines) = user.json(&["watch", job]);
    assert_eq!(code, Some(1), "a photo of the job is rejected");
    assert_eq!(events(&lines, "snapshot")[0]["totalCount"], 2);
    let text = user.run(&["watch", job]).stdout;
    assert!(String::from_utf8(text).unwrap().contains("REJECTED  text.jpg: "));

    let out = user.folder().join("out");
    let download = ["download", "--all", "--out", out.to_str().unwrap()];
    assert_eq!(stdout(user.run(&download)).lines().count(), 3);
    let contents = || {
        let entries = fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().path());
        let mut contents: Vec<_> = entries
            .map(|path| (path.file_name().unwrap().to_owned(), fs::read(path).unwrap()))
            .collect();
        contents.sort();
        contents
    };
    let downloaded = contents();
    let mut bytes: Vec<_> = downloaded.iter().map(|(_, bytes)| bytes.clone()).collect();
    bytes.sort();
    let mut expected: Vec<_> = (1..=3).map(|seed| photo(seed).to_vec()).collect();
    expected.sort();
    assert_eq!(bytes, expected);
    let again = stdout(user.run(&download));
    assert!(
        again.lines().all(|line| line.ends_with(" (there already)")),
        "{again}"
    );
    assert_eq!(contents(), downloaded);

    // Another file of the same name stays as it is.
    fs::write(out.join("hills.jpg"), b"mine").unwrap();
    let (code, lines) = user.json(&download);
    assert_eq!(code, Some(0));
    assert_eq!(
        lines.iter().filter(|line| line["alreadyThere"] == false).count(),
        1
    );
    assert_eq!(fs::read(out.join("hills.jpg")).unwrap(), b"mine");
    let (_, lines) = user.json(&["download", first]);
    assert_eq!(lines[0]["photoId"], first);
}

#[test]
fn completions_of_every_shell_name_the_commands() {
    let user = User::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = stdout(user.run(&["completions", shell]));
        for word in ["upload", "s3-credentials", "concurrency"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
        // Parsed, but not run.
        if let ("bash" | "zsh" | "fish", Ok(mut child)) =
            (shell, Command::new(shell).arg("-n").stdin(Stdio::piped()).spawn())
        {
            use std::io::Write as _;
            child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
            assert!(child.wait().unwrap().success(), "{shell}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_has_an_example_in_its_help() {
    let user = User::new();
    for command in [
        "login",
        "logout",
        "upload",
        "photos",
        "download",
        "watch",
        "completions",
        "s3-credentials",
    ] {
        let help = stdout(user.run(&[command, "--help"]));
        assert!(
            help.contains(&format!("\n  rapidphoto {command}")) || help.contains("$(rapidphoto s3-"),
            "{help}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_credentials_of_the_embedded_storage_are_printed_for_any_s3_client() {
    let data_dir = DataDir::new();
    let missing = data_dir.command(&["s3-credentials"]);
    assert!(!missing.status.success());
    let server = data_dir.serve(&DataDir::options()).await;
    let user = User::logged_in(&server);
    user.write("1.jpg", &photo(1));
    stdout(user.run(&["upload", "1.jpg"]));
    let output = rapidphoto_testkit::command(crate::fixtures::binary())
        .args(["s3-credentials", "--data-dir"])
        .arg(data_dir.path())
        .env("RAPIDPHOTO_STORAGE__PUBLIC_URL", server.s3())
        .output()
        .unwrap();
    let lines = stdout(output);
    let variables: Vec<_> = lines.lines().map(|line| line.split_once('=').unwrap()).collect();
    let names: Vec<_> = variables.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        names,
        [
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_REGION",
            "AWS_ENDPOINT_URL_S3"
        ]
    );
    let [key, secret, region, endpoint] = [0, 1, 2, 3].map(|index: usize| variables[index].1);
    let get = |secret: &str| {
        Command::new("curl")
            .args(["-sS", "--noproxy", "*", "-o", "/dev/null", "-w", "%{http_code}"])
            .args([
                "--aws-sigv4",
                &format!("aws:amz:{region}:s3"),
                "--user",
                &format!("{key}:{secret}"),
            ])
            .args(["-H", "x-amz-content-sha256: UNSIGNED-PAYLOAD"])
            .arg(format!("{endpoint}/photos/local/none"))
            .output()
            .unwrap()
    };
    assert_eq!(
        stdout(get(secret)),
        "404",
        "the signature is right, and there is no such object"
    );
    assert_eq!(stdout(get("another")), "403");
}
