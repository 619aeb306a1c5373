use std::{fmt, time::Duration};

use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::PgOpenError;

/// Settings of every connection.
///
/// A transaction that is slow, waits or is idle holds back the log for all readers, so that each has a limit. Plans are
/// never worth compiling.
const OPTIONS: &str =
    "-c statement_timeout=5s -c lock_timeout=2s -c idle_in_transaction_session_timeout=5s -c jit=off";

/// Settings of the connection that migrates: changes of large tables take longer than other statements.
const MIGRATION_OPTIONS: &str = "-c statement_timeout=0 -c lock_timeout=0 -c jit=off";

/// Limit for opening a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Idle time after which the peer of a connection is probed.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// Configuration of a [`PgStore`](super::PgStore).
#[derive(Clone)]
pub struct PgConfig {
    /// Address, as `postgres://user@host:5432/database?sslmode=require`. Connect to the server itself or to a pooler in
    /// session mode: prepared statements and LISTEN need a session.
    pub url: String,
    /// Password, which takes the place of one in the address.
    pub password: Option<String>,
    /// Certificates of the authorities that sign the server's certificate, in PEM; those of the system if `None`. With
    /// `sslmode=prefer` or `require`, a certificate that they did not sign is refused.
    pub root_certificates: Option<Vec<u8>>,
    /// Name of the process in `pg_stat_activity` and as the owner of leases, up to 63 bytes.
    pub application_name: String,
    /// Namespace of the deployment. Data of other namespaces is not visible.
    pub namespace: String,
    /// Maximum number of connections, 1 to 1000.
    pub connections: usize,
    /// Random number that selects the owner with whom claims begin. `None` begins before all owners, in the order of
    /// their ids, so that tests are repeatable.
    pub first_turn: Option<u64>,
}

/// Opens connections.
#[derive(Clone)]
pub(super) struct Connector {
    pub(super) config: tokio_postgres::Config,
    pub(super) tls: Option<MakeRustlsConnect>,
}

impl PgConfig {
    /// Connector for statements of the running program.
    pub(super) fn connector(&self) -> Result<Connector, PgOpenError> {
        self.connector_with(OPTIONS)
    }

    /// Connector for migrations.
    pub(super) fn migration_connector(&self) -> Result<Connector, PgOpenError> {
        self.connector_with(MIGRATION_OPTIONS)
    }

    fn connector_with(&self, options: &str) -> Result<Connector, PgOpenError> {
        let mut config: tokio_postgres::Config = self.url.parse().map_err(PgOpenError::Url)?;
        let options = match config.get_options() {
            Some(configured) => format!("{options} {configured}"),
            None => options.to_owned(),
        };
        config
            .options(options)
            .application_name(&self.application_name)
            .connect_timeout(CONNECT_TIMEOUT)
            .keepalives_idle(KEEPALIVE);
        if let Some(password) = &self.password {
            config.password(password);
        }
        let tls = match config.get_ssl_mode() {
            SslMode::Disable => None,
            _ => Some(self.tls()?),
        };
        Ok(Connector { config, tls })
    }

    fn tls(&self) -> Result<MakeRustlsConnect, PgOpenError> {
        let mut roots = rustls::RootCertStore::empty();
        match &self.root_certificates {
            Some(pem) => {
                for certificate in CertificateDer::pem_slice_iter(pem) {
                    let certificate =
                        certificate.map_err(|source| PgOpenError::Certificates(source.into()))?;
                    roots
                        .add(certificate)
                        .map_err(|source| PgOpenError::Certificates(source.into()))?;
                }
            }
            None => {
                // A system without certificates can still connect in plain text with `sslmode=prefer`.
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            }
        }
        let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|source| PgOpenError::Certificates(source.into()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(MakeRustlsConnect::new(config))
    }
}

impl fmt::Debug for PgConfig {
    /// Leaves out the address, which may have a password, and the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PgConfig")
            .field("application_name", &self.application_name)
            .field("namespace", &self.namespace)
            .field("connections", &self.connections)
            .finish_non_exhaustive()
    }
}
