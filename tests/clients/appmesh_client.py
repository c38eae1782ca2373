"""App Mesh's own client against a gateway: login, second factor, permissions, renewal, logout."""

import base64
import hashlib
import hmac
import struct
import sys
import time

from appmesh import AppMeshClient
from appmesh.exceptions import AppMeshAuthError

url, authority, user, password = sys.argv[1:5]


def code(secret, steps=0):
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    step = int(time.time()) // 30 + steps
    tag = hmac.new(key, struct.pack(">Q", step), hashlib.sha1).digest()
    at = tag[19] & 15
    return f"{(struct.unpack('>I', tag[at:at + 4])[0] & 0x7FFFFFFF) % 1000000:06}"


def client(**options):
    return AppMeshClient(base_url=url, ssl_verify=authority, **options)


def refused(what, *arguments):
    try:
        what(*arguments)
    except AppMeshAuthError as error:
        return error.status_code
    raise AssertionError(f"{what} was not refused")


# Login: the token comes by the cookie.
first = client()
assert first.login(user, password) is None
token = first._get_access_token()
assert token and token.count(".") == 2
assert refused(client().login, user, "wrong") == 401
assert refused(client().login, "nobody", password) == 401

# Authenticate, with and without a permission.
good, said = first.authenticate(token, "app-view")
assert good, said
good, said = first.authenticate(token, "user-add", update_session=False)
assert not good and "lacks required permission" in said
assert not client().authenticate("a.b.c")[0]
assert first.get_current_user()["name"] == user
assert "app-view" in first.get_user_permissions()

# Renew: the old token ends.
first.renew_token()
renewed = first._get_access_token()
assert renewed != token
assert first.authenticate(renewed, update_session=False)[0]
assert not first.authenticate(token, update_session=False)[0]

# The second factor: enrolled, then asked for.
secret = first.get_totp_secret()
assert refused(first.enable_totp, "000000") == 401
first.enable_totp(code(secret, -1))
assert first.get_current_user()["mfa_enabled"]
second = client()
challenge = second.login(user, password)
assert challenge, "a login without a code must be challenged"
assert refused(second.validate_totp, user, challenge, "000000") == 401
second.validate_totp(user, challenge, code(secret))
assert second.get_current_user()["name"] == user
third = client()
assert third.login(user, password, totp_code=code(secret, 1)) is None
assert third._get_access_token()
third.disable_totp()
assert client().login(user, password) is None

# A refresh token, used without any access token.
fourth = client(use_refresh_token=True)
fourth.login(user, password)
held = fourth._refresh_token
assert held
fourth.session.cookies.clear()
fourth.renew_token()
assert fourth._refresh_token and fourth._refresh_token != held
assert fourth.get_current_user()["name"] == user

# Logout.
last = fourth._get_access_token()
assert fourth.logout()
assert not client().authenticate(last)[0]
assert first.logout()
assert not first.logout()

# Users and roles, as an administrator.
admin = client()
admin.login("admin", sys.argv[5])
admin.add_user("python", {"key": "a password of python", "roles": ["member"], "group": "g"})
assert admin.list_users()["python"]["group"] == "g"
python = client()
python.login("python", "a password of python")
python.update_password("a password of python", "another one")
assert refused(client().login, "python", "a password of python") == 401
python.login("python", "another one")
admin.lock_user("python")
assert refused(client().login, "python", "another one") == 401
admin.unlock_user("python")
python.login("python", "another one")
assert "g" in admin.list_groups()
admin.update_role("fresh", ["app-view"])
assert admin.list_roles()["fresh"] == ["app-view"]
admin.delete_role("fresh")
assert "fresh" not in admin.list_roles()
assert "user-list" in admin.list_permissions()
admin.delete_user("python")
assert "python" not in admin.list_users()
print("all is well")
