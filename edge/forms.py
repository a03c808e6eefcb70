"""OAuth 2.0 at the edge: forms in, and its own errors out (RFC 6749, 4.1.3 and 5.2).

The protocol's endpoints are RPCs whose REST path begins with `/oauth2/`. Their requests
may be forms, which become the JSON every other call is made of; of a field that is said
twice there is no form (RFC 6749, 3.2). A reply that names an HTTP status is answered with
it, with a body of the protocol's own. Both are a few lines of Lua: no other filter of
Envoy reads a form, or lets a service choose a status.
"""

from __future__ import annotations

from envoy_data_plane.envoy.config.core.v3 import DataSource
from envoy_data_plane.envoy.extensions.filters.http.lua.v3 import Lua, LuaPerRoute

from chassis.contract import Rpc

FILTER = "envoy.filters.http.lua"
PREFIX = "/oauth2/"
STATUS = "x-creavio-status"
"""In the metadata of a reply: the HTTP status to answer with."""

_CODE = r"""
local function quoted(text)
  return '"' .. text:gsub('[%c"\\\127]', function(c)
    return string.format('\\u%04x', c:byte())
  end) .. '"'
end

local function plain(text)
  return (text:gsub('+', ' '):gsub('%%(%x%x)', function(digits)
    return string.char(tonumber(digits, 16))
  end))
end

function envoy_on_request(handle)
  local headers = handle:headers()
  local kind = headers:get('content-type') or ''
  if kind:lower():find('application/x-www-form-urlencoded', 1, true) ~= 1 then
    return
  end
  local body = handle:body()
  local form = body and body:getBytes(0, body:length()) or ''
  local seen, fields = {}, {}
  for name, value in form:gmatch('([^&=]*)=?([^&]*)') do
    name = plain(name)
    if name ~= '' then
      if seen[name] then
        handle:respond({[':status'] = '400'}, '')
        return
      end
      seen[name] = true
      fields[#fields + 1] = quoted(name) .. ':' .. quoted(plain(value))
    end
  end
  local json = '{' .. table.concat(fields, ',') .. '}'
  if body then
    body:setBytes(json)
    headers:replace('content-length', tostring(#json))
  end
  headers:replace('content-type', 'application/json')
end

function envoy_on_response(handle)
  local headers = handle:headers()
  local status = headers:get('@STATUS@')
  if status then
    headers:remove('@STATUS@')
    local kind = headers:get('content-type') or ''
    if kind:find('application/grpc', 1, true) ~= 1 then
      headers:replace(':status', status)
    end
  end
end
"""


def speaks_oauth(rpc: Rpc) -> bool:
    """Whether an RPC is an endpoint of the protocol."""
    return any(rule.post.startswith(PREFIX) for rule in rpc.http)


def forms() -> LuaPerRoute:
    """Reads forms, and answers with the status a reply names."""
    code = _CODE.replace("@STATUS@", STATUS)
    return LuaPerRoute(source_code=DataSource(inline_string=code))


def no_forms() -> Lua:
    """Leaves every other route alone."""
    return Lua()
