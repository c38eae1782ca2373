"""PyJWT's PyJWKClient: a service that checks tokens for itself.

Arguments: the URL of a key set, a token, its issuer, its audience, its subject. SSL_CERT_FILE names
the authority.
"""

import ssl
import sys

import jwt

KEYS, TOKEN, ISSUER, AUDIENCE, SUBJECT = sys.argv[1:]

keys = jwt.PyJWKClient(KEYS, ssl_context=ssl.create_default_context())
assert keys.get_signing_keys(), "no key"
key = keys.get_signing_key_from_jwt(TOKEN)
claims = jwt.decode(
    TOKEN,
    key.key,
    algorithms=[key.algorithm_name],
    audience=AUDIENCE,
    issuer=ISSUER,
    options={"require": ["exp", "iat"]},
)
assert claims.get("sub", claims.get("identifier")) == SUBJECT, claims
try:
    jwt.decode(TOKEN[:-6] + "AAAAAA", key.key, algorithms=[key.algorithm_name], audience=AUDIENCE)
    raise AssertionError("a signature that is none was taken for one")
except jwt.InvalidSignatureError:
    pass
print("pyjwt: well")
