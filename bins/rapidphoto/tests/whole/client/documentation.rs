use std::process::Command;

use rapidphoto_testkit::{PASSWORD, Server};

use super::{User, stdout};
use crate::fixtures::{DataDir, photo};

const CLIENTS: &str = include_str!("../../../../../docs/clients.md");

/// First example in a language.
fn example(language: &str) -> &'static str {
    let (_, rest) = CLIENTS.split_once(&format!("\n```{language}\n")).unwrap();
    rest.split_once("\n```\n").unwrap().0
}

/// Status that an example prints in the end.
fn run(server: &Server, program: &str, arguments: &[&str], language: &str, bytes: &[u8]) -> String {
    let user = User::new();
    user.write("photo.jpg", bytes);
    let mut command = Command::new(program);
    command
        .args(arguments)
        .arg(example(language))
        .env("API", server.api())
        .env("EMAIL", "ada@example.org")
        .env("PASSWORD", PASSWORD)
        .env("PHOTO", user.folder().join("photo.jpg"))
        .env("NO_PROXY", "127.0.0.1")
        .env("no_proxy", "127.0.0.1");
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{program} can't be run: {error}"));
    stdout(output).lines().last().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_of_the_documentation_upload_a_photo() {
    let data_dir = DataDir::new();
    let server = data_dir.serve(&DataDir::options()).await;
    User::logged_in(&server);
    for (seed, program, arguments, language) in [
        (1, "bash", &["-c"][..], "bash"),
        (2, "node", &["--input-type=module", "-e"], "js"),
        (3, "python3", &["-c"], "python"),
    ] {
        let status = run(&server, program, arguments, language, &photo(seed));
        assert_eq!(status, "COMPLETED", "{language}");
    }
}
