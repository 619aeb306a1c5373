//! A connection to the storage that can fail.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// Forwards connections to the storage, or answers them with 503.
pub(crate) struct Switch {
    url: String,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    /// Host and port of the storage.
    target: Mutex<String>,
    fails: AtomicBool,
}

impl Switch {
    pub(crate) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(State::default());
        let accepting = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let state = Arc::clone(&accepting);
                // Errors are those of one connection.
                tokio::spawn(async move {
                    let _ = serve(client, &state).await;
                });
            }
        });
        Self { url, state }
    }

    /// URL for the processes and the clients.
    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }

    /// Sets the address of the storage.
    pub(crate) fn connect(&self, address: &str) {
        let target = address.trim_start_matches("http://");
        target.clone_into(&mut self.state.target.lock().unwrap());
    }

    /// Answers all requests with 503 from now on, or no longer.
    pub(crate) fn set_failing(&self, fails: bool) {
        self.state.fails.store(fails, Ordering::SeqCst);
    }
}

async fn serve(mut client: TcpStream, state: &State) -> std::io::Result<()> {
    if state.fails.load(Ordering::SeqCst) {
        return refuse(&mut client).await;
    }
    let target = state.target.lock().unwrap().clone();
    let mut storage = TcpStream::connect(target).await?;
    let (mut from_client, mut to_client) = client.split();
    let (mut from_storage, mut to_storage) = storage.split();
    // Requests of a connection that is kept open fail as well.
    let requests = async {
        let mut block = vec![0; 64 * 1024];
        loop {
            let read = from_client.read(&mut block).await?;
            if read == 0 || state.fails.load(Ordering::SeqCst) {
                return std::io::Result::Ok(());
            }
            to_storage.write_all(&block[..read]).await?;
        }
    };
    let answers = tokio::io::copy(&mut from_storage, &mut to_client);
    tokio::select! {
        requests = requests => requests,
        answers = answers => answers.map(drop),
    }
}

async fn refuse(client: &mut TcpStream) -> std::io::Result<()> {
    let mut block = vec![0; 64 * 1024];
    // Of the request, what has arrived.
    let _ = client.read(&mut block).await?;
    client
        .write_all(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        .await?;
    client.shutdown().await
}
