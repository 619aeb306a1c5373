//! TLS of both listeners, and the refusal of plain text beyond this machine.

use std::path::Path;

use rapidphoto_client::types::PhotoStatus;
use rapidphoto_testkit::new_user;
use rcgen::{CertifiedKey, generate_simple_self_signed};

use crate::fixtures::{DataDir, binary, declare, finished_job, jpeg, photo, statuses};

/// Writes a self-signed certificate for 127.0.0.1 with its key, and returns it.
fn write_certificate(dir: &Path) -> String {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    std::fs::write(dir.join("certificate.pem"), cert.pem()).unwrap();
    std::fs::write(dir.join("key.pem"), signing_key.serialize_pem()).unwrap();
    cert.pem()
}

/// Value of `server.tls` or `storage.tls`.
fn section(dir: &Path) -> String {
    let path = |name| dir.join(name).display().to_string();
    format!(
        "{{certificate=\"{}\", key=\"{}\"}}",
        path("certificate.pem"),
        path("key.pem")
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_completes_over_tls() {
    let data_dir = DataDir::new();
    let files = tempfile::tempdir().unwrap();
    let ca = write_certificate(files.path());
    let options = DataDir::options()
        .with("RAPIDPHOTO_SERVER__TLS", section(files.path()))
        .with("RAPIDPHOTO_STORAGE__TLS", section(files.path()));
    let server = data_dir.serve(&options).await;
    assert!(server.api().starts_with("https://"), "{}", server.api());
    assert!(server.s3().starts_with("https://"), "{}", server.s3());

    let stranger = server.client().unwrap();
    assert!(
        !stranger.is_ready().await,
        "the certificate is of an unknown authority"
    );
    let session = new_user(&server.client_with_ca(ca.as_bytes()).unwrap())
        .await
        .unwrap();
    let bytes = photo(1);
    let (job_id, items) = declare(&session, &[jpeg(&bytes)]).await;
    assert!(items[0].presigned_url.as_ref().unwrap().starts_with("https://"));
    session.put(&items[0], bytes).await.unwrap();
    let job = finished_job(&session, &job_id).await;
    assert_eq!(statuses(&job), [PhotoStatus::Completed]);
}

#[test]
fn the_demo_completes_over_tls() {
    let files = tempfile::tempdir().unwrap();
    write_certificate(files.path());
    let photos = tempfile::tempdir().unwrap();
    std::fs::write(photos.path().join("a.jpg"), photo(1)).unwrap();
    let output = rapidphoto_testkit::command(binary())
        .args(["demo", "--exit", "--photos"])
        .arg(photos.path())
        .arg("--ca")
        .arg(files.path().join("certificate.pem"))
        .env("RAPIDPHOTO_SERVER__TLS", section(files.path()))
        .env("RAPIDPHOTO_STORAGE__TLS", section(files.path()))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("https://"));
}

#[test]
fn plain_text_beyond_this_machine_is_refused() {
    let check = |arguments: &[&str]| {
        rapidphoto_testkit::command(binary())
            .args(["serve", "--check-config", "--listen", "0.0.0.0:0"])
            .args(arguments)
            .output()
            .unwrap()
    };
    let refused = check(&[]);
    assert!(!refused.status.success());
    let message = String::from_utf8_lossy(&refused.stderr);
    for way in ["server.tls", "server.behind_tls_proxy", "--insecure"] {
        assert!(message.contains(way), "{message}");
    }
    assert!(check(&["--insecure"]).status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_is_not_trusted_is_warned_of_at_the_start() {
    for (proxies, warns) in [("[]", true), ("[\"127.0.0.1\"]", false)] {
        let data_dir = DataDir::new();
        let options = DataDir::options()
            .with("RAPIDPHOTO_SERVER__BEHIND_TLS_PROXY", "true")
            .with("RAPIDPHOTO_SERVER__TRUSTED_PROXIES", proxies);
        let server = data_dir.serve(&options).await;
        assert_eq!(
            server.log().contains("server.trusted_proxies is empty"),
            warns,
            "{proxies}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_certificate_is_named_at_the_start() {
    let data_dir = DataDir::new();
    let options = DataDir::options().with(
        "RAPIDPHOTO_SERVER__TLS",
        "{certificate=\"/nonexistent/certificate.pem\", key=\"/nonexistent/key.pem\"}",
    );
    let started = rapidphoto_testkit::Server::start(binary(), &data_dir.path(), &options).await;
    let error = format!("{:#}", started.unwrap_err());
    assert!(
        error.contains("server.tls") && error.contains("/nonexistent/certificate.pem"),
        "{error}"
    );
}
