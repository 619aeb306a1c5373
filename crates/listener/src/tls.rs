use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::{Duration, SystemTime},
};

use rustls::{
    ServerConfig,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// Interval at which the files are checked for changes.
const CHECK_INTERVAL: Duration = Duration::from_secs(5);

/// PEM files of a certificate and its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The server's certificate, followed by the intermediate certificates.
    pub certificate: PathBuf,
    /// Its private key: PKCS #8, PKCS #1 or SEC 1.
    pub key: PathBuf,
}

/// The files of a certificate can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file can't be read, or contains no PEM section of the required kind.
    #[error("{} can't be read as a PEM file with {content}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The required content.
        content: &'static str,
        /// Cause.
        #[source]
        source: pem::Error,
    },
    /// The key does not belong to the certificate, or one of them is not supported.
    #[error("the certificate {} and the key {} can't be used together", certificate.display(), key.display())]
    Pair {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// Cause.
        #[source]
        source: rustls::Error,
    },
}

/// TLS of a listener, with a certificate that is replaced when its files change.
pub struct Tls {
    files: TlsFiles,
    certificate: Arc<Current>,
    acceptor: TlsAcceptor,
    seen: Mutex<Stamps>,
}

/// Time of the last change and size of both files; `None` for a file that can't be read.
type Stamps = [Option<(SystemTime, u64)>; 2];

/// Certificate of new connections.
#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl Tls {
    /// Loads the files.
    ///
    /// # Errors
    /// [`TlsError`] if they can't be read or used.
    pub fn load(files: TlsFiles) -> Result<Self, TlsError> {
        let seen = stamps(&files);
        let provider = Arc::new(ring::default_provider());
        let certificate = Arc::new(Current(RwLock::new(Arc::new(read(&files, &provider)?))));
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|source| pair_error(&files, source))?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&certificate) as _);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            files,
            certificate,
            acceptor: TlsAcceptor::from(Arc::new(config)),
            seen: Mutex::new(seen),
        })
    }

    /// Loads the files again. New connections get the new certificate; a pair that can't be used is logged, and the old
    /// one stays. Blocks on file-system calls.
    pub fn reload(&self) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = stamps(&self.files);
        let certificate = self.files.certificate.display();
        match read(&self.files, &ring::default_provider()) {
            Ok(new) => {
                *self.certificate.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(new);
                tracing::info!(%certificate, "loaded the TLS certificate again");
            }
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::error!(%certificate, %error, cause, "the new TLS certificate can't be used; the old one stays in use");
            }
        }
    }

    /// Reloads the files whenever they change. Never returns.
    pub async fn watch(self: Arc<Self>) {
        loop {
            tokio::time::sleep(CHECK_INTERVAL).await;
            let tls = Arc::clone(&self);
            let checked = tokio::task::spawn_blocking(move || tls.reload_if_changed());
            if let Err(error) = checked.await {
                tracing::error!(%error, "the check for a new TLS certificate failed");
            }
        }
    }

    fn reload_if_changed(&self) {
        let changed = *self.seen.lock().unwrap_or_else(PoisonError::into_inner) != stamps(&self.files);
        if changed {
            self.reload();
        }
    }

    pub(crate) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        self.acceptor.accept(stream).await
    }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls")
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}

/// Makes `ring` the default of HTTP clients in this process that do not choose a provider of cryptography themselves.
pub fn install_crypto_provider() {
    // Fails if there is a default already.
    let _ = ring::default_provider().install_default();
}

fn stamps(files: &TlsFiles) -> Stamps {
    [&files.certificate, &files.key].map(|path| {
        let metadata = std::fs::metadata(path).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    })
}

fn read(files: &TlsFiles, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
    let file_error = |path: &Path, content| {
        let path = path.to_owned();
        move |source| TlsError::File {
            path,
            content,
            source,
        }
    };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect)
        .and_then(|chain: Vec<_>| {
            if chain.is_empty() {
                Err(pem::Error::NoItemsFound)
            } else {
                Ok(chain)
            }
        })
        .map_err(file_error(&files.certificate, "certificates"))?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(file_error(&files.key, "a private key"))?;
    CertifiedKey::from_der(chain, key, provider).map_err(|source| pair_error(files, source))
}

fn pair_error(files: &TlsFiles, source: rustls::Error) -> TlsError {
    TlsError::Pair {
        certificate: files.certificate.clone(),
        key: files.key.clone(),
        source,
    }
}
