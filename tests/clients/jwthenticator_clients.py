"""JWThenticator's own clients: InternalClient registers a key, Client lives on it.

Arguments: the URL of the endpoints, a protected URL. SSL_CERT_FILE names the authority.
"""

import asyncio
import sys
from uuid import uuid4

import jwt as pyjwt
from jwthenticator.client import Client, InternalClient
from jwthenticator.exceptions import AuthenticationError, RegisterKeyError
from jwthenticator.server_utils import verify_jwt

ENDPOINTS, PROTECTED = sys.argv[1:]


async def status(client):
    return (await client.get_with_auth(PROTECTED)).status


async def main():
    identifier, key = uuid4(), uuid4().hex
    internal = InternalClient(ENDPOINTS, identifier)
    assert not await internal.is_key_registered(key)
    await internal.register_key(key)
    await internal.register_key(key)
    assert await internal.is_key_registered(key)

    client = Client(ENDPOINTS, identifier, key=key)
    assert await status(client) == 200, "a key is exchanged on the first request"
    first = client.jwt
    claims = pyjwt.decode(first, options={"verify_signature": False})
    assert claims["identifier"] == str(identifier), claims
    assert not client.is_jwt_expired
    assert await verify_jwt(ENDPOINTS, first)

    await client.refresh(auth_on_fail=False)
    await client.refresh(auth_on_fail=False)
    assert client.jwt != first and await status(client) == 200

    # What only looks fresh is refused with 401, upon which the client refreshes by itself.
    client.jwt = first[:-8] + "AAAAAAAA"
    assert not await verify_jwt(ENDPOINTS, client.jwt)
    assert await status(client) == 200, "after a 401 it refreshes and tries again"

    # A refresh token alone is enough, and is good for nobody else.
    heir = Client(ENDPOINTS, identifier, refresh_token=client.refresh_token)
    assert await status(heir) == 200
    thief = Client(ENDPOINTS, uuid4(), refresh_token=client.refresh_token)
    try:
        await thief.refresh()
        raise AssertionError("a refresh token was good for another identifier")
    except TypeError:
        pass  # it was told 401, forgot the token, and has no key to fall back to
    assert thief.refresh_token is None

    for stranger in (Client(ENDPOINTS, identifier, key="no key"), Client(ENDPOINTS, uuid4(), key=key)):
        try:
            await stranger.authenticate()
            raise AssertionError("a key was good that is not")
        except AuthenticationError:
            pass
    try:
        await InternalClient(ENDPOINTS, uuid4()).register_key(key)
        raise AssertionError("a key was registered for a second identifier")
    except RegisterKeyError:
        pass


asyncio.run(main())
print("jwthenticator: well")
