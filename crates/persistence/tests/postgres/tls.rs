//! Connections with TLS and a password.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown},
    path::Path,
    time::Duration,
};

use rapidphoto_application::log::EventCodec;
use rapidphoto_persistence::{PgConfig, PgStore, migrate};
use rapidphoto_test_services::PostgresServer;
use rcgen::generate_simple_self_signed;

use crate::server::{config, connect, create_database};

/// Writes a file that the server's user owns and no other one can read.
fn write_private(data: &Path, name: &str, content: &str) {
    let (path, owner) = (data.join(name), fs::metadata(data).unwrap());
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    chown(&path, Some(owner.uid()), Some(owner.gid())).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_is_authenticated_by_its_certificate_and_the_client_by_its_password() {
    let server = PostgresServer::start();
    let plain = create_database(&server.url()).await;
    let url = plain.replace("sslmode=disable", "sslmode=require");
    let data = server.directory().join("run/data");
    let certificate = generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let pem = certificate.cert.pem();
    write_private(&data, "server.crt", &pem);
    write_private(&data, "server.key", &certificate.signing_key.serialize_pem());
    let client = connect(&plain).await;
    for statement in [
        "ALTER SYSTEM SET ssl = on",
        "SET password_encryption = 'scram-sha-256'; ALTER USER postgres PASSWORD 'correct horse'",
    ] {
        client.batch_execute(statement).await.unwrap();
    }
    write_private(
        &data,
        "pg_hba.conf",
        "hostssl all all 127.0.0.1/32 scram-sha-256\n",
    );
    client.batch_execute("SELECT pg_reload_conf()").await.unwrap();

    let with = |password: &str, roots: &str| PgConfig {
        password: Some(password.to_owned()),
        root_certificates: Some(roots.as_bytes().to_vec()),
        ..config(&url, "test")
    };
    let trusted = with("correct horse", &pem);
    // The server reloads its configuration in the background.
    let mut reloading = 0;
    while let Err(error) = migrate(&trusted).await {
        assert!(reloading < 100, "{error:?}");
        reloading += 1;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    PgStore::open(&trusted, EventCodec::default()).await.unwrap();

    let refused = migrate(&with("battery staple", &pem)).await.unwrap_err();
    let refused = format!("{refused:?}");
    assert!(refused.contains("password authentication failed"), "{refused}");
    assert!(!refused.contains("battery staple"), "{refused}");
    let other = generate_simple_self_signed(["127.0.0.1".to_owned()])
        .unwrap()
        .cert
        .pem();
    let refused = format!("{:?}", migrate(&with("correct horse", &other)).await.unwrap_err());
    assert!(refused.contains("certificate"), "{refused}");
    assert!(!format!("{trusted:?}").contains("horse"));
}
