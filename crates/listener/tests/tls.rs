//! TLS and the limits of connections, with real sockets and real clients.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy.toml allows them in tests, and does not see that this crate holds nothing else"
)]

use std::{net::SocketAddr, sync::Arc, time::Duration};

use rapidphoto_listener::{Acceptor, Limits, Tls, TlsFiles};
use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, ServerName},
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

const TEST_TIMEOUT: Duration = Duration::from_mins(1);

/// A server that repeats each byte, with the certificate in a temporary directory.
struct Server {
    dir: TempDir,
    tls: Arc<Tls>,
    address: SocketAddr,
    known: RootCertStore,
}

impl Server {
    async fn start(limits: Limits) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut known = RootCertStore::empty();
        write_certificate(&dir, &mut known);
        let tls = Arc::new(Tls::load(files(&dir)).unwrap());
        let acceptor = Arc::new(Acceptor::new("test", limits, Some(Arc::clone(&tls))));
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let checks = Arc::clone(&acceptor);
        tokio::spawn(async move { checks.run().await });
        tokio::spawn(async move {
            loop {
                let (stream, peer) = acceptor.next(&socket).await;
                let accepted = acceptor.accept(stream, peer);
                tokio::spawn(async move {
                    let mut connection = accepted.await?;
                    while let Ok(byte) = connection.read_u8().await {
                        let _request = connection.activity().request();
                        connection.write_u8(byte).await.unwrap();
                        connection.flush().await.unwrap();
                    }
                    Ok::<_, rapidphoto_listener::Refused>(())
                });
            }
        });
        Self {
            dir,
            tls,
            address,
            known,
        }
    }

    async fn connect(&self) -> std::io::Result<TlsStream<TcpStream>> {
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(self.known.clone())
            .with_no_client_auth();
        let stream = TcpStream::connect(self.address).await?;
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await
    }
}

fn files(dir: &TempDir) -> TlsFiles {
    TlsFiles {
        certificate: dir.path().join("certificate.pem"),
        key: dir.path().join("key.pem"),
    }
}

/// Writes a new certificate with its key, and makes it known to clients.
fn write_certificate(dir: &TempDir, known: &mut RootCertStore) -> CertificateDer<'static> {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    known.add(cert.der().clone()).unwrap();
    std::fs::write(files(dir).key, signing_key.serialize_pem()).unwrap();
    std::fs::write(files(dir).certificate, cert.pem()).unwrap();
    cert.der().clone()
}

fn certificate(stream: &TlsStream<TcpStream>) -> CertificateDer<'static> {
    stream.get_ref().1.peer_certificates().unwrap()[0]
        .clone()
        .into_owned()
}

async fn assert_repeats(stream: &mut TlsStream<TcpStream>) {
    stream.write_u8(7).await.unwrap();
    let byte = timeout(TEST_TIMEOUT, stream.read_u8()).await.unwrap();
    assert_eq!(byte.unwrap(), 7);
}

#[tokio::test]
async fn new_connections_get_a_new_certificate_and_open_ones_go_on() {
    let mut server = Server::start(Limits::default()).await;
    tokio::spawn(Arc::clone(&server.tls).watch());
    let mut open = server.connect().await.unwrap();
    assert_repeats(&mut open).await;
    let old = certificate(&open);
    let new = write_certificate(&server.dir, &mut server.known);
    assert_ne!(old, new);
    let replaced = async {
        while certificate(&server.connect().await.unwrap()) != new {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    timeout(TEST_TIMEOUT, replaced)
        .await
        .expect("the new certificate is in use");
    assert_repeats(&mut open).await;
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_keeps_the_old_one() {
    let mut server = Server::start(Limits::default()).await;
    let old = certificate(&server.connect().await.unwrap());
    let foreign_key = KeyPair::generate().unwrap().serialize_pem();
    let broken: [fn(&TlsFiles, &str); 4] = [
        |files, _| std::fs::write(&files.certificate, "nonsense").unwrap(),
        |files, _| std::fs::write(&files.key, "").unwrap(),
        |files, key| std::fs::write(&files.key, key).unwrap(),
        |files, _| std::fs::remove_file(&files.certificate).unwrap(),
    ];
    for break_files in broken {
        write_certificate(&server.dir, &mut server.known);
        break_files(&files(&server.dir), &foreign_key);
        server.tls.reload();
        assert_eq!(certificate(&server.connect().await.unwrap()), old);
        let error = Tls::load(files(&server.dir)).unwrap_err().to_string();
        assert!(error.contains(".pem"), "{error}");
    }
    let new = write_certificate(&server.dir, &mut server.known);
    server.tls.reload();
    assert_eq!(certificate(&server.connect().await.unwrap()), new);
}

/// Returns true once the server has closed the connection.
async fn is_closed(stream: &mut TcpStream) -> bool {
    let reading = async { while stream.read_u8().await.is_ok() {} };
    timeout(TEST_TIMEOUT, reading).await.is_ok()
}

#[tokio::test]
async fn handshakes_and_silent_connections_end() {
    let server = Server::start(Limits {
        head_timeout: Duration::from_secs(1),
        idle_timeout: Duration::from_secs(1),
        max_connections_per_address: 3,
        ..Limits::default()
    })
    .await;
    // One sends nothing, one the beginning of a handshake, one is idle after it.
    let mut silent = TcpStream::connect(server.address).await.unwrap();
    let mut partial = TcpStream::connect(server.address).await.unwrap();
    partial.write_all(&[0x16, 0x03, 0x01, 0x02]).await.unwrap();
    let mut idle = server.connect().await.unwrap();
    assert_repeats(&mut idle).await;
    let refused = server.connect().await;
    assert!(refused.is_err(), "the address has all of its connections");
    assert!(is_closed(&mut silent).await && is_closed(&mut partial).await);
    let ended = timeout(TEST_TIMEOUT, idle.read_u8()).await.unwrap();
    assert!(ended.is_err(), "{ended:?}");
    assert_repeats(&mut server.connect().await.unwrap()).await;
}

#[tokio::test]
async fn a_connection_displaced_during_its_handshake_is_closed() {
    let server = Server::start(Limits {
        max_connections: 3,
        head_timeout: Duration::from_hours(1),
        ..Limits::default()
    })
    .await;
    let mut idle = Vec::new();
    for _ in 0..3 {
        idle.push(TcpStream::connect(server.address).await.unwrap());
    }
    let other = tokio::net::TcpSocket::new_v4().unwrap();
    other.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let _other = other.connect(server.address).await.unwrap();
    let closed = timeout(TEST_TIMEOUT, idle[2].read_u8()).await;
    assert!(closed.expect("the newest connection is closed").is_err());
}
