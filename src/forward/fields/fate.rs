//! Which of a client's fields may pass.
//!
//! Identity is only ever told by us. A client's field that any upstream might take for the
//! gateway's word is dropped whatever its spelling: `X_Forwarded_User` and `X.Forwarded.User`
//! reach a CGI or WSGI application under the same name as `X-Forwarded-User`, and some servers
//! turn every byte that is no letter or digit into an underscore.

use http::{HeaderName, header};

/// What becomes of a client's field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// A credential where the route takes API keys, else the upstream's own.
    ApiKey {
        /// Written otherwise than `X-Api-Key`.
        is_alias: bool,
    },
    Credential,
    Drop,
    Pass,
    /// Told by a trusted proxy in front of us, dropped from anybody else.
    Proxy,
}

/// Families whose members are ours to set, as folded prefixes of a field name.
const OURS_BY_PREFIX: [&str; 23] = [
    "remote-",
    "x-forwarded-",
    "x-auth-",
    "x-authenticated-",
    "x-authentik-",
    "x-amzn-oidc-",
    "x-client-cert",
    "x-consumer-",
    "x-credential-",
    "x-doorward-",
    "x-forward-auth-",
    "x-goog-authenticated-",
    "x-goog-iap-",
    "x-jwt-",
    "x-ms-client-principal",
    "x-ms-token-",
    "x-original-",
    "x-pomerium-",
    "x-remote-",
    "x-ssl-client-",
    "x-vouch-",
    "x-webauth-",
    "ssl-client-",
];

/// Single names that are ours to set or must not come from a client.
const OURS_BY_NAME: [&str; 22] = [
    "cf-connecting-ip",
    "client-ip",
    "fastly-client-ip",
    "forwarded",
    "http2-settings",
    "proxy",
    "proxy-authorization",
    "proxy-connection",
    "keep-alive",
    "true-client-ip",
    "x-access-token",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-http-method",
    "x-http-method-override",
    "x-id-token",
    "x-method-override",
    "x-middleware-subrequest",
    "x-real-ip",
    "x-request-id",
    "x-rewrite-url",
    "x-user",
];

/// Says what becomes of a client's field, by its folded name.
pub(super) fn fate(name: &HeaderName) -> Fate {
    // Standard names compare as small integers; they are most of what clients send.
    if *name == header::ACCEPT
        || *name == header::USER_AGENT
        || *name == header::ACCEPT_ENCODING
        || *name == header::ACCEPT_LANGUAGE
        || *name == header::CONTENT_TYPE
        || *name == header::RANGE
        || *name == header::IF_NONE_MATCH
        || *name == header::IF_MODIFIED_SINCE
    {
        return Fate::Pass;
    }
    if *name == header::HOST
        || *name == header::CONNECTION
        || *name == header::CONTENT_LENGTH
        || *name == header::TRANSFER_ENCODING
        || *name == header::TE
        || *name == header::TRAILER
        || *name == header::UPGRADE
        || *name == header::EXPECT
        || *name == header::COOKIE
    {
        return Fate::Drop; // written by us, or handled apart
    }
    if *name == header::AUTHORIZATION {
        return Fate::Credential;
    }
    fate_of_folded(name.as_str())
}

fn fate_of_folded(name: &str) -> Fate {
    let mut folded = [0_u8; 64];
    let name = name.as_bytes();
    // A longer name is compared by its first 64 bytes: all of ours are shorter.
    let length = name.len().min(folded.len());
    for (to, from) in folded.iter_mut().zip(name) {
        *to = if from.is_ascii_alphanumeric() { from.to_ascii_lowercase() } else { b'-' };
    }
    let folded = folded.get(..length).unwrap_or_default();
    let is_alias = name.iter().any(|&byte| byte != b'-' && !byte.is_ascii_alphanumeric());
    match folded {
        b"x-forwarded-for" | b"x-forwarded-proto" | b"x-forwarded-host" | b"x-forwarded-port"
        | b"x-real-ip" | b"forwarded"
            if !is_alias =>
        {
            return Fate::Proxy;
        }
        b"x-auth-token" => {
            return if is_alias { Fate::Drop } else { Fate::Credential };
        }
        b"x-api-key" => return Fate::ApiKey { is_alias },
        b"destination" | b"if" => return Fate::Drop, // written from their canonical form
        _ => {}
    }
    if is_alias
        && matches!(
            folded,
            b"authorization"
                | b"content-encoding"
                | b"content-length"
                | b"content-type"
                | b"transfer-encoding"
                | b"host"
                | b"connection"
                | b"cookie"
                | b"expect"
                | b"upgrade"
                | b"te"
        )
    {
        return Fate::Drop;
    }
    let is_ours = match folded.first() {
        Some(b'x' | b's' | b'r') => {
            OURS_BY_PREFIX.iter().any(|prefix| folded.starts_with(prefix.as_bytes()))
        }
        _ => false,
    };
    if is_ours || OURS_BY_NAME.iter().any(|ours| folded == ours.as_bytes()) {
        return Fate::Drop;
    }
    Fate::Pass
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_spelling_of_an_identity_field_passes() {
        for name in [
            "x-forwarded-user",
            "x_forwarded_user",
            "x.forwarded.user",
            "x-forwarded_user",
            "remote-user",
            "remote_user",
            "remote.user",
            "x-auth-request-email",
            "x_auth_request_email",
            "x-original-url",
            "x-rewrite-url",
            "x-http-method-override",
            "x-middleware-subrequest",
            "x_real_ip",
            "x.forwarded.for",
            "x_auth_token",
            "content_length",
            "transfer_encoding",
            "proxy",
            "x-webauth-user",
            "remote-roles",
            "remote-home",
            "remote_home",
            "x!forwarded!user",
            "x~auth~user",
            "remote'user",
            "x-auth-username",
        ] {
            let name = HeaderName::from_static(name);
            assert_eq!(fate(&name), Fate::Drop, "{name}");
        }
    }

    #[test]
    fn an_api_key_is_known_in_any_spelling() {
        for (name, is_alias) in [("x-api-key", false), ("x_api_key", true), ("x.api-key", true)] {
            assert_eq!(fate(&HeaderName::from_static(name)), Fate::ApiKey { is_alias }, "{name}");
        }
    }

    #[test]
    fn ordinary_fields_pass() {
        for name in [
            "accept",
            "x-custom",
            "depth",
            "overwrite",
            "qualifier",
            "bucket",
            "sec-websocket-key",
            "x_custom",
        ] {
            assert_eq!(fate(&HeaderName::from_static(name)), Fate::Pass, "{name}");
        }
    }
}
