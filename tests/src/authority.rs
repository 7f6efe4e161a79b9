//! A certificate authority for tests, and servers' certificates, good and bad.

use std::fmt;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// An authority that nobody trusts but whoever is told to.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authority(…)")
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

/// When a certificate holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    /// From 1975 to 4096.
    Now,
    /// It ended in 2001.
    Expired,
    /// It begins in 4000.
    NotYet,
}

/// What a server shows to its clients: a certificate, and the key for it.
#[derive(Clone, Debug)]
pub struct Identity(pub(crate) Arc<ServerConfig>);

impl Authority {
    /// A new authority.
    pub fn new() -> Self {
        Self::named("the authority of the test")
    }

    /// A new authority that calls itself so.
    pub fn named(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// Its certificate, for `SSL_CERT_FILE`.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// An identity with a certificate for `name`, a DNS name or an address.
    pub fn identity(&self, name: &str, validity: Validity) -> Identity {
        let key = KeyPair::generate().unwrap();
        let certificate = params(name, validity).signed_by(&key, &self.0).unwrap();
        Identity::new(certificate.der(), &key)
    }
}

impl Identity {
    /// A certificate for `name` that only its own key vouches for.
    pub fn self_signed(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = params(name, Validity::Now).self_signed(&key).unwrap();
        Self::new(certificate.der(), &key)
    }

    fn new(certificate: &CertificateDer<'static>, key: &KeyPair) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key)
            .unwrap();
        Self(Arc::new(config))
    }
}

fn params(name: &str, validity: Validity) -> CertificateParams {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    match validity {
        Validity::Now => {}
        Validity::Expired => params.not_after = date_time_ymd(2001, 1, 1),
        Validity::NotYet => params.not_before = date_time_ymd(4000, 1, 1),
    }
    params
}
