//! TLS of both listeners, and the refusal of plain text beyond this machine.

use std::{
    fs::File,
    path::Path,
    time::{Duration, SystemTime},
};

use rapidphoto_client::types::PhotoStatus;
use rapidphoto_testkit::{Server, new_user};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use reqwest::Certificate;

use crate::fixtures::{DataDir, binary, declare, finished_job, jpeg, photo, statuses};

/// Writes a self-signed certificate for 127.0.0.1 with its key, and returns it.
fn write_certificate(dir: &Path) -> String {
    write_certificate_of(dir, some_time())
}

/// Any time for files.
fn some_time() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_hours(480_000)
}

/// Writes a certificate whose files have this time of their last change, and always the same size.
fn write_certificate_of(dir: &Path, modified: SystemTime) -> String {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    for (name, content) in [
        ("key.pem", signing_key.serialize_pem()),
        ("certificate.pem", cert.pem()),
    ] {
        let new = dir.join("new");
        // Text outside of a PEM section has no meaning.
        std::fs::write(&new, format!("{content:\n<4096}")).unwrap();
        File::options()
            .write(true)
            .open(&new)
            .unwrap()
            .set_modified(modified)
            .unwrap();
        std::fs::rename(new, dir.join(name)).unwrap();
    }
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

/// Waits until the API and the storage have this certificate.
async fn until_certificate(server: &Server, certificate: &str) {
    let replaced = async {
        for base in [server.api(), server.s3()] {
            loop {
                // A client of its own each time: it makes a new connection.
                let http = reqwest::Client::builder()
                    .no_proxy()
                    .tls_certs_only([Certificate::from_pem(certificate.as_bytes()).unwrap()])
                    .build()
                    .unwrap();
                if http.get(base).send().await.is_ok() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    };
    let replaced = tokio::time::timeout(Duration::from_mins(1), replaced).await;
    assert!(replaced.is_ok(), "{}", server.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_certificate_is_loaded_on_sighup_and_when_its_files_change() {
    let data_dir = DataDir::new();
    let files = tempfile::tempdir().unwrap();
    let time = some_time();
    let old = write_certificate_of(files.path(), time);
    let options = DataDir::options()
        .with("RAPIDPHOTO_SERVER__TLS", section(files.path()))
        .with("RAPIDPHOTO_STORAGE__TLS", section(files.path()));
    let server = data_dir.serve(&options).await;
    until_certificate(&server, &old).await;
    // Time and size tell no change: only the signal leads to the new certificate.
    let new = write_certificate_of(files.path(), time);
    server.signal("HUP").await.unwrap();
    until_certificate(&server, &new).await;
    let newest = write_certificate_of(files.path(), time + Duration::from_secs(1));
    until_certificate(&server, &newest).await;
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
    for (proxies, warns) in [("[]", true), ("[\"127.0.0.1/32\"]", false)] {
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
