CREATE TABLE api_keys (
    id TEXT PRIMARY KEY,
    hash BYTEA NOT NULL UNIQUE, -- SHA-256 of the whole text
    owner TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT, -- NULL: until it is ended
    record TEXT NOT NULL -- JSON
);
CREATE INDEX api_keys_by_owner ON api_keys (owner, created_at);
CREATE INDEX api_keys_by_expiry ON api_keys (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE families (
    id TEXT PRIMARY KEY,
    user_name TEXT NOT NULL,
    api_key TEXT,
    began_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    tokens_until BIGINT NOT NULL,
    details TEXT NOT NULL,
    current_hash BYTEA NOT NULL UNIQUE, -- of the one refresh token that can be used
    rotations BIGINT NOT NULL
);
CREATE INDEX families_by_user ON families (user_name, began_at);
CREATE INDEX families_by_api_key ON families (api_key) WHERE api_key IS NOT NULL;
CREATE INDEX families_by_expiry ON families (expires_at);

CREATE TABLE spent_tokens (
    hash BYTEA PRIMARY KEY,
    family TEXT NOT NULL REFERENCES families (id) ON DELETE CASCADE
);
CREATE INDEX spent_tokens_by_family ON spent_tokens (family);

CREATE TABLE revocations (
    kind BIGINT NOT NULL, -- 1 token, 2 family, 3 user
    subject TEXT NOT NULL,
    since_ms BIGINT NOT NULL, -- of a user; 0 otherwise
    until BIGINT NOT NULL,
    PRIMARY KEY (kind, subject)
);
CREATE INDEX revocations_by_expiry ON revocations (until);

CREATE TABLE totp (
    user_name TEXT PRIMARY KEY,
    sealed BYTEA NOT NULL, -- the secret, encrypted
    last_step BIGINT NOT NULL,
    pending_until BIGINT -- NULL: confirmed
);
CREATE INDEX totp_by_expiry ON totp (pending_until) WHERE pending_until IS NOT NULL;

CREATE TABLE recovery_codes (
    user_name TEXT NOT NULL REFERENCES totp (user_name) ON DELETE CASCADE,
    hash BYTEA NOT NULL,
    PRIMARY KEY (user_name, hash)
);

CREATE TABLE challenges (
    id BYTEA PRIMARY KEY, -- SHA-256 of what the client shows
    user_name TEXT NOT NULL,
    tries BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    details TEXT NOT NULL
);
CREATE INDEX challenges_by_user ON challenges (user_name, expires_at);
CREATE INDEX challenges_by_expiry ON challenges (expires_at);
