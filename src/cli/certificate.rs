//! Self-signed certificates, for `init` and `demo`.

use std::time::Duration;

use rcgen::KeyUsagePurpose;
use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair};
use zeroize::Zeroizing;

use crate::clock;

/// A certificate and its key, both PEM.
pub struct SelfSigned {
    /// The certificate, which clients are told to trust.
    pub chain: String,
    /// The private key.
    pub key: Zeroizing<String>,
}

impl std::fmt::Debug for SelfSigned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SelfSigned").field("chain", &self.chain).finish_non_exhaustive()
    }
}

/// For how long they are good: the most that the stricter clients accept.
const DAYS: u64 = 825;

/// Makes a certificate on P-256 for `names`: host names and addresses.
///
/// # Errors
///
/// A name that no certificate can hold, or no randomness.
pub fn self_signed(names: Vec<String>) -> Result<SelfSigned, rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, "doorward, self-signed");
    let mut parameters = CertificateParams::new(names)?;
    let now = rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(clock::unix_seconds());
    parameters.not_before = now - Duration::from_hours(1); // clocks differ
    parameters.not_after = now + Duration::from_hours(24 * DAYS);
    parameters.distinguished_name = subject;
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let certificate = parameters.self_signed(&key)?;
    Ok(SelfSigned { chain: certificate.pem(), key: Zeroizing::new(key.serialize_pem()) })
}
