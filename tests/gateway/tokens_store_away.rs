//! The store is away: nothing is issued, each dialect says so in its own words, and what was
//! issued goes on being good.

use serde_json::json;

use crate::support::gateway::TestGateway;
use crate::support::postgres::TestPostgres;
use crate::support::tokens::Token;
use crate::support::upstream::TestUpstream;

const IDENTIFIER: &str = "0f3c2a9e-1111-4222-8333-444455556666";

#[test]
fn nothing_is_issued_and_verification_goes_on() {
    let Some(mut server) = TestPostgres::start() else { return };
    let upstream = TestUpstream::start();
    let store = &format!("postgres = \"{}\"\ntimeout = \"1s\"", server.address());
    let gateway = TestGateway::before(&upstream)
        .section("endpoints.tokens", "dialect = \"standard\"\nissuer = \"local\"")
        .section("endpoints.omegaml", "dialect = \"omegaml\"\nissuer = \"local\"")
        .section(
            "endpoints.jwt",
            "dialect = \"jwthenticator\"\nissuer = \"local\"\npath = \"/jwt\"\nsets = [\"external\", \"internal\"]",
        )
        .section("store", store)
        .start();
    server.kill();
    let away = |response: &crate::support::client::Response, body: &str| {
        assert_eq!((response.status, &*response.text()), (503, body));
        assert!(response.header("retry-after").unwrap().parse::<u64>().unwrap() > 0);
    };

    let token = Token::of("alice").claim("jti", "one").signed();
    assert_eq!(gateway.get("/x").token(&token).send().status, 200);
    let grant =
        [("grant_type", "password"), ("username", "alice"), ("password", "wonderland-of-alice")];
    let error = r#"{"error":"temporarily_unavailable","error_description":"try again later"}"#;
    away(&gateway.post_form("/oauth2/token", &grant, &[]), error);
    away(&gateway.post_form("/oauth2/revoke", &[("token", &token)], &[]), error);
    let login = json!({ "username": "alice", "password": "wonderland-of-alice" });
    let error = r#"{"errors": {"__all__": ["Try again later."]}}"#;
    away(&gateway.post_json("/token-auth/", &login, &[]), error);
    let key = json!({ "key": "a-key", "identifier": IDENTIFIER });
    away(&gateway.post_json("/jwt/register_key", &key, &[]), "{}");
    let response = gateway.post_json("/jwt/validate", &json!({ "jwt": token }), &[]);
    assert_eq!(response.status, 200, "{}", response.text());
    assert_eq!(gateway.get("/x").token(&token).send().status, 200);
}
