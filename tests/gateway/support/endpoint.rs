//! Requests to the gateway's own endpoints, over TLS as their clients send them; and what an
//! authenticator app computes.

use std::fmt::Write as _;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::hmac;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;

use super::client::Response;
use super::configuration::Builder;
use super::gateway::TestGateway;
use super::tokens;

/// What seals the secrets of second factors and the sessions.
pub(crate) const STORE_SECRET: &str = "a-secret-of-the-store-that-is-long-enough";

/// `application/x-www-form-urlencoded`.
pub(crate) fn form(parameters: &[(&str, &str)]) -> String {
    let mut form = String::new();
    for (name, value) in parameters {
        let _ = write!(form, "{}{name}=", if form.is_empty() { "" } else { "&" });
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() {
                form.push(char::from(byte));
            } else {
                let _ = write!(form, "%{byte:02X}");
            }
        }
    }
    form
}

impl TestGateway {
    /// Sends a form over TLS, with more headers.
    #[track_caller]
    pub(crate) fn post_form(
        &self,
        target: &str,
        parameters: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Response {
        let form_type = ("Content-Type", "application/x-www-form-urlencoded");
        let headers = [headers, &[form_type]].concat();
        self.send_tls("POST", target, &headers, form(parameters).as_bytes())
    }

    /// Sends JSON over TLS, with more headers.
    #[track_caller]
    pub(crate) fn post_json(
        &self,
        target: &str,
        body: &Value,
        headers: &[(&str, &str)],
    ) -> Response {
        let headers = [headers, &[("Content-Type", "application/json")]].concat();
        self.send_tls("POST", target, &headers, body.to_string().as_bytes())
    }

    /// Sends whatever over TLS.
    #[track_caller]
    pub(crate) fn send_tls(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Response {
        let mut ask = self.ask(method, target).body(body);
        for (name, value) in headers {
            ask = ask.header(name, value);
        }
        if body.is_empty() && method == "POST" {
            ask = ask.header("Content-Length", "0");
        }
        ask.send_over(&mut self.connect_tls())
    }
}

impl Builder {
    /// The issuer `local` signs with a key pair of its own, `keys/first.pem`.
    pub(crate) fn signing_with(self, algorithm: &str) -> Self {
        let der = match algorithm {
            "EdDSA" => Ed25519KeyPair::generate().unwrap().to_pkcs8().unwrap().as_ref().to_vec(),
            "RS256" => {
                let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
                pair.as_der().unwrap().as_ref().to_vec()
            }
            other => panic!("no key pair for {other}"),
        };
        let pem =
            format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", wrapped(&der));
        let issuer = format!(
            "keys = \"keys\"\nalgorithms = [\"{algorithm}\"]\nissuer = \"{}\"\naudience = [\"{}\"]",
            tokens::ISSUER,
            tokens::AUDIENCE
        );
        self.file("keys/first.pem", pem).section("issuers.local", &issuer)
    }
}

fn wrapped(der: &[u8]) -> String {
    let encoded = STANDARD.encode(der);
    let lines =
        encoded.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into_owned());
    lines.collect::<Vec<_>>().join("\n")
}

/// The claims of a token, unverified.
#[track_caller]
pub(crate) fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap_or_else(|| panic!("no token: {token}"));
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

/// The code of RFC 6238 for a secret in base32, so many steps from now.
pub(crate) fn one_time_code(secret: &str, steps: i64) -> String {
    let secret = data_encoding::BASE32_NOPAD.decode(secret.trim_end_matches('=').as_bytes());
    let step = i64::try_from(tokens::now() / 30).unwrap() + steps;
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &secret.unwrap());
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let at = usize::from(tag[19] & 15);
    let number = u32::from_be_bytes(tag[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}
