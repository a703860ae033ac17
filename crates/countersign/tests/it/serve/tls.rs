//! TLS, and clients that show who they are by a certificate.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, SanType,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use sha2::{Digest as _, Sha256};

use super::client::{Answer, Served, connect, exchange, request};
use super::{check, envelopes};
use crate::support::{Bench, audit_line};

/// A certificate and its key, in PEM.
struct Identity {
    certificate: String,
    key: String,
}

/// An authority that makes certificates.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = named(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("signed").pem();
        Self { issuer: Issuer::new(params, key), certificate }
    }

    fn signs(&self, name: &str, sans: Vec<SanType>, usage: ExtendedKeyUsagePurpose) -> Identity {
        let mut params = named(name);
        (params.subject_alt_names, params.extended_key_usages) = (sans, vec![usage]);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("signed").pem();
        Identity { certificate, key: key.serialize_pem() }
    }

    fn client(&self, name: &str, san: &str) -> Identity {
        let sans = vec![SanType::DnsName(san.try_into().expect("a name"))];
        self.signs(name, sans, ExtendedKeyUsagePurpose::ClientAuth)
    }
}

fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

impl Identity {
    fn fingerprint(&self) -> String {
        let der = CertificateDer::from_pem_slice(self.certificate.as_bytes()).expect("PEM");
        Sha256::digest(&der).iter().map(|b| format!("{b:02X}")).collect::<Vec<_>>().join(":")
    }
}

/// Posts over TLS, with or without a client's certificate.
fn post(
    server: &Served,
    authority: &Authority,
    client: Option<&Identity>,
    path: &str,
    body: &str,
) -> Option<Answer> {
    let mut roots = RootCertStore::empty();
    let root = CertificateDer::from_pem_slice(authority.certificate.as_bytes()).expect("PEM");
    roots.add(root).expect("a root");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots);
    let config = match client {
        None => builder.with_no_client_auth(),
        Some(client) => {
            let chain = CertificateDer::from_pem_slice(client.certificate.as_bytes()).expect("PEM");
            let key = PrivateKeyDer::from_pem_slice(client.key.as_bytes()).expect("PEM");
            builder.with_client_auth_cert(vec![chain], key).expect("a pair")
        }
    };
    let name = ServerName::try_from("countersign.bank.example").expect("a name");
    let tls = ClientConnection::new(Arc::new(config), name).expect("a client");
    let stream = StreamOwned::new(tls, connect(server.address));
    exchange(stream, &request("POST", path, &[], body.as_bytes()))
}

#[test]
fn client_certificates() {
    let bench = Bench::new();
    let (ours, foreign) = (Authority::new("bank"), Authority::new("bank"));
    let sans = vec![SanType::DnsName("countersign.bank.example".try_into().expect("a name"))];
    let own = ours.signs("countersign", sans, ExtendedKeyUsagePurpose::ServerAuth);
    let cert = bench.write("tls.crt", own.certificate.as_bytes());
    let key = bench.write("tls.key", own.key.as_bytes());
    let ca = bench.write("ca.crt", ours.certificate.as_bytes());
    let apiserver = ours.client("kube-apiserver", "api.prod.bank.example");
    let other = ours.client("kubelet", "node.prod.bank.example");
    let stranger = foreign.client("kube-apiserver", "api.prod.bank.example");
    let pinned = apiserver.fingerprint();
    let source = |name: &str, wanted: &str| {
        format!(
            "[[source]]\nname = \"{name}\"\nchannel = \"kubernetes-audit\"\nauth = {{ client-certificate = {{ {wanted} }} }}\n"
        )
    };
    let sources = [
        source("cn", "common-name = \"kube-apiserver\""),
        source("dns", "dns = \"API.prod.bank.example\""),
        source("pin", &format!("sha256 = \"{pinned}\"")),
    ];
    let options = ["--tls-cert", &cert, "--tls-key", &key, "--client-ca", &ca];
    let server = Served::start(&bench, &sources.concat(), &options);
    let mut accepted = 0;
    for name in ["cn", "dns", "pin"] {
        let path = format!("/ingest/{name}");
        let body = audit_line(name, "p@x.example", "");
        let good = post(&server, &ours, Some(&apiserver), &path, &body).expect("an answer");
        assert_eq!(good.counts(), [1, 0, 0, 0], "{name}");
        accepted += 1;
        let wrong = post(&server, &ours, Some(&other), &path, &body).expect("an answer");
        assert_eq!(wrong.status, 401, "{name}");
        assert!(wrong.body.contains("not the one of this source"), "{wrong:?}");
        let none = post(&server, &ours, None, &path, &body).expect("an answer");
        assert_eq!(none.status, 401, "{name}");
        assert!(none.body.contains("a client certificate is expected"), "{none:?}");
        // A certificate of the same name by another authority does not get through the handshake.
        assert!(post(&server, &ours, Some(&stranger), &path, &body).is_none(), "{name}");
    }
    // Who speaks plain HTTP is no TLS client.
    let plain = request("POST", "/ingest/cn", &[], b"{}");
    assert!(exchange(connect(server.address), &plain).is_none_or(|a| a.status != 200));
    let (status, said) = server.stop();
    assert!(status.success() && said.contains("TLS handshake failed"), "{said}");
    assert_eq!(check(&bench), accepted);
    assert!(envelopes(&bench.ledger()).iter().all(|e| e.auth.id() == "client-certificate"));
}

#[test]
fn tls_files_that_are_none_are_told() {
    let bench = Bench::new();
    let authority = Authority::new("bank");
    let own = authority.signs("countersign", Vec::new(), ExtendedKeyUsagePurpose::ServerAuth);
    let sources =
        bench.write("sources.toml", b"[[source]]\nname = \"s\"\nauth = \"none-loopback-only\"\n");
    let cert = bench.write("tls.crt", own.certificate.as_bytes());
    let key = bench.write("tls.key", own.key.as_bytes());
    let ca = bench.write("ca.crt", authority.certificate.as_bytes());
    let text = bench.write("text", b"hello\n");
    let table = [
        ([&text, &key, &ca], "text: holds no certificate"),
        ([&cert, &text, &ca], "text: no private key"),
        ([&cert, &key, &text], "text: holds no certificate"),
    ];
    for ([cert, key, ca], words) in table {
        let options = ["--tls-cert", cert, "--tls-key", key, "--client-ca", ca];
        let ran = bench.run(&[&["serve", "--sources", &sources][..], &options[..]].concat());
        assert!(ran.code == 5 && ran.err.contains(words), "{words}: {}", ran.err);
    }
}
