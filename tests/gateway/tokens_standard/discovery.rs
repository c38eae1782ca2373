use serde_json::json;

use super::*;
use crate::support::tokens::ISSUER;

#[test]
fn a_client_finds_out_where_everything_is() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream)
        .section("endpoints.tokens", "dialect = \"standard\"\nissuer = \"local\"\npath = \"/auth\"")
        .signing_with("EdDSA")
        .start();

    let ask = |path: &str| gateway.send_tls("GET", path, &[], b"");
    let response = ask("/auth/.well-known/oauth-authorization-server");

    assert_eq!(response.status, 200, "{}", response.text());
    assert_eq!(response.header("content-type"), Some("application/json"));
    assert_eq!(response.header("cache-control"), Some("public, max-age=300"));
    let metadata = response.json();
    assert_eq!(metadata["issuer"], ISSUER);
    assert_eq!(metadata["token_endpoint"], "https://files.test/auth/oauth2/token");
    assert_eq!(metadata["revocation_endpoint"], "https://files.test/auth/oauth2/revoke");
    assert_eq!(metadata["introspection_endpoint"], "https://files.test/auth/oauth2/introspect");
    assert_eq!(metadata["jwks_uri"], "https://files.test/auth/.well-known/jwks.json");
    assert_eq!(metadata["response_types_supported"], json!([]));
    let grants = metadata["grant_types_supported"].as_array().unwrap();
    for grant in ["password", "refresh_token", "client_credentials", API_KEY, MFA_OTP] {
        assert!(grants.contains(&json!(grant)), "{grant}");
    }
    assert_eq!(ask("/auth/account").status, 401);
    assert_eq!(ask("/.well-known/jwks.json").status, 401); // a path of the upstream
}

#[test]
fn keys_are_published_without_their_private_half() {
    let upstream = TestUpstream::start();
    for (algorithm, kty) in [("EdDSA", "OKP"), ("RS256", "RSA")] {
        let gateway = before(&upstream).signing_with(algorithm).start();

        let response = gateway.send_tls("GET", "/.well-known/jwks.json", &[], b"");

        assert_eq!(response.header("cache-control"), Some("public, max-age=300"));
        let keys = response.json();
        let key = &keys["keys"][0];
        assert_eq!((&key["kid"], &key["alg"]), (&json!("first"), &json!(algorithm)), "{keys}");
        assert_eq!((&key["kty"], &key["use"]), (&json!(kty), &json!("sig")));
        for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            assert_eq!(key.get(private), None, "{private}");
        }
    }
}

#[test]
fn a_shared_secret_is_not_published() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();

    let response = gateway.send_tls("GET", "/.well-known/jwks.json", &[], b"");

    assert_eq!((response.status, response.text()), (200, "{\"keys\":[]}".to_owned()));
}

#[test]
fn the_document_describes_this_gateway() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream)
        .section("endpoints.tokens", "dialect = \"standard\"\nissuer = \"local\"\npath = \"/auth\"")
        .start();

    let response = gateway.send_tls("GET", "/auth/openapi.json", &[], b"");

    let document = response.json();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["servers"][0]["url"], "https://files.test/auth");
    assert!(document["paths"]["/oauth2/token"]["post"].is_object());
}
