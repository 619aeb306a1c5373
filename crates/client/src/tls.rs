use std::sync::{Arc, OnceLock};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};

use crate::ClientError;

/// TLS that trusts the authorities of the operating system and those in `ca`, certificates in PEM.
pub(crate) fn config(ca: &[u8]) -> Result<ClientConfig, ClientError> {
    let mut roots = system_roots().clone();
    for certificate in CertificateDer::pem_slice_iter(ca) {
        let certificate = certificate.map_err(|error| ClientError::InvalidCa(error.to_string()))?;
        roots
            .add(certificate)
            .map_err(|error| ClientError::InvalidCa(error.to_string()))?;
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| ClientError::InvalidCa(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}

/// Authorities of the operating system, read once. A system without any can still reach servers in plain text, and with
/// certificates of other authorities.
fn system_roots() -> &'static RootCertStore {
    static ROOTS: OnceLock<RootCertStore> = OnceLock::new();
    ROOTS.get_or_init(|| {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        roots
    })
}
