//! Health check of a container by the program itself.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpStream, ToSocketAddrs as _},
    time::Duration,
};

use anyhow::Context as _;

use crate::Config;

/// Time for the whole check.
const TIMEOUT: Duration = Duration::from_secs(4);

/// Asks the process of this configuration, on this machine, if it is ready.
///
/// # Errors
/// If it is not, or does not answer.
pub fn check_health(config: &Config) -> anyhow::Result<()> {
    let listen = config.server.operations_listen.as_ref();
    let listen = listen.context("server.operations_listen is not set, so that there is nothing to ask")?;
    let mut address = listen
        .to_socket_addrs()?
        .next()
        .with_context(|| format!("{listen} is no address (server.operations_listen)"))?;
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    let stream = TcpStream::connect_timeout(&address, TIMEOUT)
        .with_context(|| format!("{address} does not answer"))?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    let mut request = &stream;
    request.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut status = String::new();
    BufReader::new(&stream).read_line(&mut status)?;
    anyhow::ensure!(
        status.split_ascii_whitespace().nth(1) == Some("200"),
        "{address} answers: {}",
        status.trim_end()
    );
    Ok(())
}
