"""Authlib's OAuth2Session: a user's tokens that keep themselves fresh, and a program with a key.

Arguments: the origin of the gateway, user, password, the id of an API key, the key. REQUESTS_CA_BUNDLE
names the authority.
"""

import sys
import time

import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata

ORIGIN, USER, PASSWORD, KEY_ID, KEY = sys.argv[1:]

metadata = AuthorizationServerMetadata(
    requests.get(f"{ORIGIN}/.well-known/oauth-authorization-server", timeout=20).json()
)
# There is no authorization endpoint, so that `response_types_supported` is there and empty.
assert metadata["response_types_supported"] == []
metadata.validate_grant_types_supported()
metadata.validate_jwks_uri()
TOKEN = metadata["token_endpoint"]
assert TOKEN == f"{ORIGIN}/oauth2/token", TOKEN

updates = []
session = OAuth2Session(
    "a-script",
    token_endpoint=TOKEN,
    token_endpoint_auth_method="none",
    update_token=lambda token, **old: updates.append((token, old)),
)
session.fetch_token(TOKEN, grant_type="password", username=USER, password=PASSWORD)
first = dict(session.token)
assert first["token_type"] == "Bearer" and first["refresh_token"], first
assert session.get(f"{ORIGIN}/files/x").status_code == 200
assert not updates

# The day after: the session refreshes by itself, twice, each time with the newest refresh token.
for count in (1, 2):
    session.token["expires_at"] = int(time.time()) - 10
    assert session.get(f"{ORIGIN}/files/x").status_code == 200
    assert len(updates) == count, updates
assert session.token["refresh_token"] != first["refresh_token"]
assert session.token["access_token"] != first["access_token"]

program = OAuth2Session(KEY_ID, KEY, token_endpoint=TOKEN)  # by Basic
program.fetch_token(TOKEN, grant_type="client_credentials")
assert program.get(f"{ORIGIN}/files/x").status_code == 200
posting = OAuth2Session(KEY_ID, KEY, token_endpoint_auth_method="client_secret_post")
posting.fetch_token(TOKEN, grant_type="client_credentials")

answer = program.introspect_token(
    metadata["introspection_endpoint"], token=session.token["access_token"]
)
assert answer.status_code == 200 and answer.json()["active"] is True, answer.text
assert answer.json()["username"] == USER, answer.text

revoked = session.revoke_token(
    metadata["revocation_endpoint"],
    token=session.token["refresh_token"],
    token_type_hint="refresh_token",
)
assert revoked.status_code == 200, revoked.text
answer = program.introspect_token(
    metadata["introspection_endpoint"], token=session.token["access_token"]
)
assert answer.json() == {"active": False}, answer.text
assert session.get(f"{ORIGIN}/files/x").status_code == 401
print("authlib: well")
