//! TLS for the server: its certificate, and the authority that vouches for its clients.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;

use crate::ledger::LedgerError;

/// The files of a TLS server.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// Its certificate and those between it and the authority (PEM).
    pub certificate: PathBuf,
    /// Its private key (PEM).
    pub key: PathBuf,
    /// Certificates of the authority that vouches for clients (PEM).
    pub client_ca: Option<PathBuf>,
}

impl TlsFiles {
    /// Reads the files. A client may come without a certificate: the source that needs one asks
    /// for it.
    pub(super) fn acceptor(&self) -> Result<TlsAcceptor, LedgerError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let chain = certificates(&self.certificate)?;
        let key = PrivateKeyDer::from_pem_file(&self.key);
        let key = key.map_err(|e| wrong(&self.key, format!("no private key: {e}")))?;
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|e| wrong(&self.certificate, e.to_string()))?;
        let builder = match &self.client_ca {
            None => builder.with_no_client_auth(),
            Some(path) => {
                let mut roots = RootCertStore::empty();
                for certificate in certificates(path)? {
                    roots.add(certificate).map_err(|e| wrong(path, e.to_string()))?;
                }
                let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider)
                    .allow_unauthenticated()
                    .build()
                    .map_err(|e| wrong(path, e.to_string()))?;
                builder.with_client_cert_verifier(verifier)
            }
        };
        let config = builder.with_single_cert(chain, key);
        let mut config = config.map_err(|e| wrong(&self.certificate, e.to_string()))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, LedgerError> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    let all: Vec<_> = read.map_err(|e| wrong(path, format!("no certificates: {e}")))?;
    if all.is_empty() {
        return Err(wrong(path, "holds no certificate".to_owned()));
    }
    Ok(all)
}

fn wrong(path: &Path, problem: String) -> LedgerError {
    LedgerError::Settings { path: path.to_owned(), problem }
}
