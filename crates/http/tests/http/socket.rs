//! Client of a WebSocket that sends frames as a test gives them.

use rapidphoto_memory::fixtures::TEST_TIMEOUT;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::server::TestServer;

pub(crate) const TEXT: u8 = 1;
pub(crate) const BINARY: u8 = 2;
pub(crate) const CLOSE: u8 = 8;
pub(crate) const PING: u8 = 9;
pub(crate) const PONG: u8 = 10;
/// The frame is the last of its message.
pub(crate) const FIN: u8 = 0x80;

/// Client that sends frames as the test gives them.
pub(crate) struct Socket {
    pub(crate) stream: TcpStream,
    pub(crate) unread: Vec<u8>,
}

impl Socket {
    /// Sends a request for a WebSocket, with these headers beside the usual ones, and returns the response's head.
    pub(crate) async fn request(app: &TestServer, path: &str, headers: &str) -> (Self, String) {
        let stream = TcpStream::connect(app.address).await.unwrap();
        let mut socket = Self {
            stream,
            unread: Vec::new(),
        };
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n",
            app.address
        );
        socket.stream.write_all(request.as_bytes()).await.unwrap();
        let end = loop {
            if let Some(at) = socket.unread.windows(4).position(|end| end == b"\r\n\r\n") {
                break at + 4;
            }
            assert!(socket.fill().await, "a response");
        };
        let head = String::from_utf8(socket.unread.drain(..end).collect()).unwrap();
        (socket, head)
    }

    pub(crate) async fn open(app: &TestServer, path: &str, token: &str) -> Self {
        let (socket, head) = Self::request(app, path, &format!("Authorization: Bearer {token}\r\n")).await;
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        // The answer to the key in RFC 6455.
        assert!(head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{head}");
        socket
    }

    /// Reads more bytes; false at the end of the connection.
    pub(crate) async fn fill(&mut self) -> bool {
        let read = timeout(TEST_TIMEOUT, self.stream.read_buf(&mut self.unread)).await;
        read.expect("bytes in time").is_ok_and(|bytes| bytes > 0)
    }

    pub(crate) async fn bytes(&mut self, count: usize) -> Option<Vec<u8>> {
        while self.unread.len() < count {
            if !self.fill().await {
                return None;
            }
        }
        Some(self.unread.drain(..count).collect())
    }

    /// Next frame; `None` at the end of the connection.
    pub(crate) async fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
        let head = self.bytes(2).await?;
        let length = match head[1] {
            126 => u64::from(u16::from_be_bytes(self.bytes(2).await?.try_into().unwrap())),
            127 => u64::from_be_bytes(self.bytes(8).await?.try_into().unwrap()),
            short => u64::from(short),
        };
        assert_ne!(head[0] & FIN, 0, "messages are not fragmented");
        let payload = self.bytes(usize::try_from(length).unwrap()).await?;
        Some((head[0] & 0xf, payload))
    }

    /// Next event.
    pub(crate) async fn event(&mut self) -> Value {
        loop {
            match self.frame().await.expect("one more event") {
                (TEXT, payload) => return serde_json::from_slice(&payload).unwrap(),
                (PING, payload) => self.send(FIN | PONG, &payload).await,
                (opcode, payload) => panic!("{opcode}: {payload:?}"),
            }
        }
    }

    pub(crate) async fn events(&mut self, count: usize) -> Vec<Value> {
        let mut events = Vec::new();
        while events.len() < count {
            events.push(self.event().await);
        }
        events
    }

    /// Close code, after any other frames; then the connection ends.
    pub(crate) async fn close_code(&mut self) -> u16 {
        loop {
            let (opcode, payload) = self.frame().await.expect("a close frame");
            if opcode == CLOSE {
                while self.fill().await {}
                return u16::from_be_bytes([payload[0], payload[1]]);
            }
        }
    }

    /// Sends a frame with a masked payload.
    pub(crate) async fn send(&mut self, first: u8, payload: &[u8]) {
        let mut frame = vec![first];
        match payload.len() {
            length @ 0..126 => frame.push(0x80 | u8::try_from(length).unwrap()),
            length => {
                frame.push(0x80 | 127);
                frame.extend((length as u64).to_be_bytes());
            }
        }
        let mask = [1, 2, 3, 4];
        frame.extend(mask);
        frame.extend(
            payload
                .iter()
                .zip(mask.iter().cycle())
                .map(|(byte, mask)| byte ^ mask),
        );
        // The server may have closed the connection.
        let _ = self.stream.write_all(&frame).await;
    }
}
