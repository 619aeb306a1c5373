//! The servers start, restart and end with their owner.
#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::{
    net::{Ipv4Addr, TcpStream},
    path::Path,
};

use rapidphoto_test_services::{MotoServer, PostgresServer, RabbitServer};

fn port_of(url: &str) -> u16 {
    let after_host = url.rsplit_once("127.0.0.1:").unwrap().1;
    after_host.split('/').next().unwrap().parse().unwrap()
}

fn accepts(url: &str) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port_of(url))).is_ok()
}

fn lives_as_commanded(server: &rapidphoto_test_services::Server, url: &str) {
    assert!(accepts(url));
    server.kill();
    assert!(!accepts(url));
    server.start_again();
    assert!(accepts(url));
    server.stop();
    assert!(!accepts(url));
}

#[test]
fn postgres_is_killed_started_again_and_removed_with_its_owner() {
    let server = PostgresServer::start();
    let (url, directory) = (server.url(), server.directory().to_owned());
    lives_as_commanded(&server, &url);
    server.start_again();
    drop(server);
    assert!(!accepts(&url));
    assert!(!Path::new(&directory).exists());
}

#[test]
fn rabbitmq_is_killed_started_again_and_removed_with_its_owner() {
    let server = RabbitServer::start();
    let (url, directory) = (server.url(), server.directory().to_owned());
    lives_as_commanded(&server, &url);
    server.start_again();
    drop(server);
    assert!(!accepts(&url));
    assert!(!Path::new(&directory).exists());
}

#[test]
fn moto_is_killed_started_again_and_removed_with_its_owner() {
    let server = MotoServer::start();
    lives_as_commanded(&server, &server.url());
}
