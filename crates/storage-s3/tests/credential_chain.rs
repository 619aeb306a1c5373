//! Credentials of the place where the server runs, from metadata servers on loopback.
//!
//! The sources are configured by the environment of a process. Each test starts itself once more, as a child process
//! with another environment that signs a URL and prints it.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "clippy.toml allows them in tests, and does not see that this file holds nothing else"
)]

mod support;

use std::{
    env, fs,
    process::{Command, Output},
    time::Duration,
};

use rapidphoto_application::ports::{Presigner, ReadGrant};
use rapidphoto_domain::values::MimeType;
use rapidphoto_storage_s3::{S3Config, S3Credentials};
use support::{config, serve, store};
use tempfile::TempDir;
use tokio::sync::mpsc::UnboundedReceiver;

/// Set in the child process.
const CHILD: &str = "RAPIDPHOTO_TEST_CHILD";

/// Signs a URL and prints it with its expiry, if this is the child process.
async fn is_child() -> bool {
    if env::var_os(CHILD).is_none() {
        return false;
    }
    let store = store(&S3Config {
        credentials: S3Credentials::from_environment("eu-central-1").unwrap(),
        ..config("http://127.0.0.1:1".to_owned())
    });
    let grant = ReadGrant {
        key: "a".to_owned(),
        download_as: None,
        mime_type: MimeType::Jpeg,
        valid_for: Duration::from_mins(1),
    };
    match Presigner::get(&store, &grant).await {
        Ok(signed) => println!("signed {}", signed.url),
        Err(error) => println!("failed {:?}", error.source),
    }
    true
}

/// Output of the child process of a test, which is also the only one that it runs.
async fn child(test: &'static str, environment: Vec<(&'static str, String)>) -> String {
    let run = move || -> Output {
        Command::new(env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture", "--test-threads=1"])
            .env_clear()
            .env(CHILD, "1")
            // Neither a proxy nor the files of the user that runs the tests.
            .env("NO_PROXY", "*")
            .env("HOME", "/nonexistent")
            .envs(environment)
            .output()
            .unwrap()
    };
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn json(body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 200 OK\nContent-Type: application/json\nContent-Length: {length}\n\n{body}")
}

fn not_found() -> String {
    "HTTP/1.1 404 Not Found\nContent-Length: 0\n\n".to_owned()
}

/// Credentials in the format of metadata servers; they expire after 2100.
fn credentials(access_key: &str) -> String {
    json(&format!(
        r#"{{"Code":"Success","Type":"AWS-HMAC","LastUpdated":"2026-01-01T00:00:00Z","AccessKeyId":"{access_key}","SecretAccessKey":"secret","Token":"session","Expiration":"2101-01-01T00:00:00Z"}}"#
    ))
}

fn assert_signed_by(output: &str, access_key: &str) {
    assert!(
        output.contains(&format!("X-Amz-Credential={access_key}%2F")),
        "{output}"
    );
    assert!(output.contains("X-Amz-Security-Token=session&"), "{output}");
}

fn received(heads: &mut UnboundedReceiver<String>) -> Vec<String> {
    std::iter::from_fn(|| heads.try_recv().ok()).collect()
}

/// Instance metadata that refuses requests without a token, as version 2 does.
async fn instance_metadata() -> (String, UnboundedReceiver<String>) {
    serve(|head| {
        if head.starts_with("PUT /latest/api/token ") {
            "HTTP/1.1 200 OK\nx-aws-ec2-metadata-token-ttl-seconds: 21600\nContent-Length: 5\n\ntoken"
                .to_owned()
        } else if !head.contains("x-aws-ec2-metadata-token: token\r\n") {
            "HTTP/1.1 401 Unauthorized\nContent-Length: 0\n\n".to_owned()
        } else if head.starts_with("GET /latest/meta-data/iam/security-credentials/ ") {
            "HTTP/1.1 200 OK\nContent-Length: 8\n\nour-role".to_owned()
        } else if head.starts_with("GET /latest/meta-data/iam/security-credentials/our-role ") {
            credentials("INSTANCE")
        } else {
            not_found()
        }
    })
    .await
}

#[tokio::test]
async fn instance_metadata_is_read_with_a_token() {
    if is_child().await {
        return;
    }
    let (endpoint, mut heads) = instance_metadata().await;
    let output = child(
        "instance_metadata_is_read_with_a_token",
        vec![("AWS_EC2_METADATA_SERVICE_ENDPOINT", endpoint)],
    )
    .await;
    assert_signed_by(&output, "INSTANCE");
    let heads = received(&mut heads);
    assert_eq!(heads.len(), 3, "{heads:?}");
}

#[tokio::test]
async fn a_container_gets_credentials_for_its_token() {
    if is_child().await {
        return;
    }
    let (endpoint, mut heads) = serve(|head| {
        let authorized =
            head.starts_with("GET /v1/credentials ") && head.contains("authorization: pod-token\r\n");
        if authorized {
            credentials("CONTAINER")
        } else {
            not_found()
        }
    })
    .await;
    let directory = TempDir::new().unwrap();
    let token = directory.path().join("token");
    fs::write(&token, "pod-token").unwrap();
    let output = child(
        "a_container_gets_credentials_for_its_token",
        vec![
            (
                "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                format!("{endpoint}/v1/credentials"),
            ),
            (
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
                token.display().to_string(),
            ),
        ],
    )
    .await;
    assert_signed_by(&output, "CONTAINER");
    assert_eq!(received(&mut heads).len(), 1);
}

#[tokio::test]
async fn a_web_identity_is_exchanged_for_credentials() {
    if is_child().await {
        return;
    }
    let (endpoint, mut heads) = serve(|_| {
        let body = "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
            <AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>IDENTITY</AccessKeyId>\
            <SecretAccessKey>secret</SecretAccessKey><SessionToken>session</SessionToken>\
            <Expiration>2101-01-01T00:00:00Z</Expiration></Credentials>\
            </AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>";
        format!(
            "HTTP/1.1 200 OK\nContent-Type: text/xml\nContent-Length: {}\n\n{body}",
            body.len()
        )
    })
    .await;
    let directory = TempDir::new().unwrap();
    let token = directory.path().join("token");
    fs::write(&token, "identity-token").unwrap();
    let output = child(
        "a_web_identity_is_exchanged_for_credentials",
        vec![
            ("AWS_WEB_IDENTITY_TOKEN_FILE", token.display().to_string()),
            ("AWS_ROLE_ARN", "arn:aws:iam::111122223333:role/photos".to_owned()),
            ("AWS_ENDPOINT_URL_STS", endpoint),
        ],
    )
    .await;
    assert_signed_by(&output, "IDENTITY");
    let heads = received(&mut heads);
    assert!(
        heads.len() == 1 && !heads[0].contains("authorization:"),
        "the identity alone authorizes: {heads:?}"
    );
}

#[tokio::test]
async fn variables_come_before_all_other_sources() {
    if is_child().await {
        return;
    }
    let (endpoint, mut heads) = instance_metadata().await;
    let output = child(
        "variables_come_before_all_other_sources",
        vec![
            ("AWS_ACCESS_KEY_ID", "VARIABLE".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "secret".to_owned()),
            ("AWS_SESSION_TOKEN", "session".to_owned()),
            ("AWS_EC2_METADATA_SERVICE_ENDPOINT", endpoint),
        ],
    )
    .await;
    assert_signed_by(&output, "VARIABLE");
    assert_eq!(received(&mut heads), [""; 0]);
}

#[tokio::test]
async fn a_configured_source_that_fails_is_not_replaced_by_the_next() {
    if is_child().await {
        return;
    }
    let (container, _heads) = serve(|_| not_found()).await;
    let (instance, mut heads) = instance_metadata().await;
    let output = child(
        "a_configured_source_that_fails_is_not_replaced_by_the_next",
        vec![
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", container),
            ("AWS_EC2_METADATA_SERVICE_ENDPOINT", instance),
        ],
    )
    .await;
    assert!(output.contains("failed"), "{output}");
    assert_eq!(received(&mut heads), [""; 0]);
}
