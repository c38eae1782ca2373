-- Tokens for nginx: signature by libcrypto, then expiry, issuer, audience, and whether the path lies
-- in the home of the subject.
local ffi = require "ffi"
local base64 = require "ngx.base64"
local json = require "cjson.safe"

ffi.cdef [[
typedef struct evp_md_st EVP_MD;
typedef struct evp_md_ctx_st EVP_MD_CTX;
typedef struct evp_pkey_st EVP_PKEY;
typedef struct bio_st BIO;
const EVP_MD *EVP_sha256(void);
EVP_MD_CTX *EVP_MD_CTX_new(void);
int EVP_MD_CTX_reset(EVP_MD_CTX *ctx);
int EVP_DigestVerifyInit(EVP_MD_CTX *ctx, void **pctx, const EVP_MD *type, void *e, EVP_PKEY *pkey);
int EVP_DigestVerify(EVP_MD_CTX *ctx, const unsigned char *sig, size_t siglen,
                     const unsigned char *tbs, size_t tbslen);
unsigned char *HMAC(const EVP_MD *md, const void *key, int key_len, const unsigned char *data,
                    size_t data_len, unsigned char *out, unsigned int *out_len);
int CRYPTO_memcmp(const void *a, const void *b, size_t len);
BIO *BIO_new_mem_buf(const void *buf, int len);
EVP_PKEY *PEM_read_bio_PUBKEY(BIO *bp, EVP_PKEY **x, void *cb, void *u);
void ERR_clear_error(void);
]]

local crypto = ffi.C
local settings, key, public, known
local context = crypto.EVP_MD_CTX_new()
local mac, mac_length = ffi.new("unsigned char[64]"), ffi.new("unsigned int[1]")

local jwt = {}

function jwt.setup(given)
  settings = given
  local file = assert(io.open(given.key, "rb"))
  key = file:read("*a")
  file:close()
  if given.algorithm ~= "HS256" then
    public = crypto.PEM_read_bio_PUBKEY(crypto.BIO_new_mem_buf(key, #key), nil, nil, nil)
    assert(public ~= nil, "not a public key")
  end
  if given.remembered > 0 then
    known = require("resty.lrucache").new(given.remembered)
  end
end

-- JWS has the two numbers of an ECDSA signature side by side, libcrypto wants DER.
local function der_number(bytes)
  bytes = bytes:gsub("^%z+", "")
  if bytes == "" or bytes:byte() > 127 then
    bytes = "\0" .. bytes
  end
  return "\2" .. string.char(#bytes) .. bytes
end

local function der(signature)
  if #signature ~= 64 then
    return nil
  end
  local both = der_number(signature:sub(1, 32)) .. der_number(signature:sub(33))
  return "\48" .. string.char(#both) .. both
end

local function is_signed(text, signature)
  if settings.algorithm == "HS256" then
    crypto.HMAC(crypto.EVP_sha256(), key, #key, text, #text, mac, mac_length)
    return #signature == 32 and crypto.CRYPTO_memcmp(mac, signature, 32) == 0
  end
  if settings.algorithm == "ES256" then
    signature = der(signature)
    if not signature then
      return false
    end
  end
  local digest = settings.algorithm ~= "EdDSA" and crypto.EVP_sha256() or nil
  crypto.EVP_MD_CTX_reset(context)
  if crypto.EVP_DigestVerifyInit(context, nil, digest, nil, public) ~= 1 then
    crypto.ERR_clear_error()
    return false
  end
  local holds = crypto.EVP_DigestVerify(context, signature, #signature, text, #text) == 1
  if not holds then
    crypto.ERR_clear_error()
  end
  return holds
end

local function decoded(part)
  local text = base64.decode_base64url(part)
  return text and json.decode(text)
end

-- The claims that count, or nil.
local function verified(token)
  local head, payload, signature = token:match("^([%w_-]+)%.([%w_-]+)%.([%w_-]+)$")
  if not head then
    return nil
  end
  local header = decoded(head)
  if type(header) ~= "table" or header.alg ~= settings.algorithm then
    return nil
  end
  local bytes = base64.decode_base64url(signature)
  if not bytes or not is_signed(token:sub(1, #head + 1 + #payload), bytes) then
    return nil
  end
  local claims = decoded(payload)
  if type(claims) ~= "table" or claims.iss ~= settings.issuer or claims.aud ~= settings.audience then
    return nil
  end
  if type(claims.exp) ~= "number" or type(claims.sub) ~= "string" or claims.sub == "" then
    return nil
  end
  return { subject = claims.sub, home = "/home/" .. claims.sub .. "/", expires = claims.exp }
end

function jwt.admit()
  local value = ngx.var.http_authorization
  local token = value and value:match("^[Bb]earer ([^ ]+)$")
  if not token then
    return ngx.exit(401)
  end
  local who = known and known:get(token)
  if not who then
    who = verified(token)
    if who and known and who.expires > ngx.time() then
      known:set(token, who, who.expires - ngx.time())
    end
  end
  if not who or who.expires <= ngx.time() then
    return ngx.exit(401)
  end
  if ngx.var.uri:sub(1, #who.home) ~= who.home then
    return ngx.exit(403)
  end
  ngx.req.set_header("X-Forwarded-User", who.subject)
  ngx.req.clear_header("Authorization")
end

return jwt
