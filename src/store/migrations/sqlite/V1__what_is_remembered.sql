CREATE TABLE api_keys (
    id TEXT PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE, -- SHA-256 of the whole text
    owner TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER, -- NULL: until it is ended
    record TEXT NOT NULL -- JSON
) STRICT;
CREATE INDEX api_keys_by_owner ON api_keys (owner, created_at);
CREATE INDEX api_keys_by_expiry ON api_keys (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE families (
    id TEXT PRIMARY KEY,
    user_name TEXT NOT NULL,
    api_key TEXT,
    began_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    tokens_until INTEGER NOT NULL,
    details TEXT NOT NULL,
    current_hash BLOB NOT NULL UNIQUE, -- of the one refresh token that can be used
    rotations INTEGER NOT NULL
) STRICT;
CREATE INDEX families_by_user ON families (user_name, began_at);
CREATE INDEX families_by_api_key ON families (api_key) WHERE api_key IS NOT NULL;
CREATE INDEX families_by_expiry ON families (expires_at);

CREATE TABLE spent_tokens (
    hash BLOB PRIMARY KEY,
    family TEXT NOT NULL REFERENCES families (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX spent_tokens_by_family ON spent_tokens (family);

CREATE TABLE revocations (
    kind INTEGER NOT NULL, -- 1 token, 2 family, 3 user
    subject TEXT NOT NULL,
    since_ms INTEGER NOT NULL, -- of a user; 0 otherwise
    until INTEGER NOT NULL,
    PRIMARY KEY (kind, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX revocations_by_expiry ON revocations (until);

CREATE TABLE totp (
    user_name TEXT PRIMARY KEY,
    sealed BLOB NOT NULL, -- the secret, encrypted
    last_step INTEGER NOT NULL,
    pending_until INTEGER -- NULL: confirmed
) STRICT;
CREATE INDEX totp_by_expiry ON totp (pending_until) WHERE pending_until IS NOT NULL;

CREATE TABLE recovery_codes (
    user_name TEXT NOT NULL REFERENCES totp (user_name) ON DELETE CASCADE,
    hash BLOB NOT NULL,
    PRIMARY KEY (user_name, hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE challenges (
    id BLOB PRIMARY KEY, -- SHA-256 of what the client shows
    user_name TEXT NOT NULL,
    tries INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    details TEXT NOT NULL
) STRICT;
CREATE INDEX challenges_by_user ON challenges (user_name, expires_at);
CREATE INDEX challenges_by_expiry ON challenges (expires_at);

CREATE TABLE probe (
    id INTEGER PRIMARY KEY,
    count INTEGER NOT NULL
) STRICT;
