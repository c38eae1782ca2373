-- What wrk sends, and how it tells of it. COMPARE_REQUESTS: a file of "TOKEN PATH" lines, sent in
-- turn; COMPARE_BODY: bytes of each request's body.
local list = os.getenv("COMPARE_REQUESTS")
local size = tonumber(os.getenv("COMPARE_BODY") or 0)

if size > 0 then
  wrk.method = "POST"
  wrk.body = string.rep("z", size)
end

if list then
  local made, at = {}, 0

  function init()
    for line in io.lines(list) do
      local token, path = line:match("^(%S+) (%S+)$")
      made[#made + 1] = wrk.format("GET", path, { Host = "localhost", Authorization = "Bearer " .. token })
    end
  end

  function request()
    at = at % #made + 1
    return made[at]
  end
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format("\n@ %d %d %d %d\n", summary.requests, summary.duration, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout))
end
