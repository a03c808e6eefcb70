"""A browser's refresh token stands in a cookie that no script reads and no other site uses."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from http.cookies import SimpleCookie
import struct

import httpx
import pytest

from chassis import calls
from chassis.calls import CURRENT
from creavio.auth.v1.session_pb2 import Session
from creavio.auth.v1.session_service_pb2 import RefreshSessionRequest
from services.auth.engine.cookies import MODE_HEADER, NAME, PATHS, Cookies, CrossSite
from tests.auth.mailing import coming_from
from tests.live import PASSWORD, Live, refusal

OURS = {"sec-fetch-site": "same-origin"}
WANTED = {**OURS, MODE_HEADER: "cookie"}
REFRESH = "/v1/sessions:refresh"


def sign_in(live: Live, handle: str) -> httpx.Response:
    """Sign in as a page of the instance does."""
    body = {"login": handle, "password": PASSWORD}
    reply = httpx.post(f"{live.url}/v1/sessions", json=body, headers=WANTED, timeout=15)
    assert reply.is_success, reply.text
    return reply


def kept(reply: httpx.Response) -> str:
    """The cookie a browser keeps of a reply, for each path the same."""
    found = [SimpleCookie(one)[NAME] for one in reply.headers.get_list("set-cookie")]
    assert sorted(one["path"] for one in found) == sorted(PATHS)
    (value,) = {one.value for one in found}
    for one in found:
        assert (one["httponly"], one["samesite"], one["secure"]) == (True, "Strict", "")
    return value


def refresh(live: Live, token: str, **headers: str) -> httpx.Response:
    cookie = {"cookie": f"theme=dark; {NAME}={token}"}
    sent = {name.replace("_", "-"): value for name, value in headers.items()} or OURS
    return httpx.post(f"{live.url}{REFRESH}", json={}, headers=cookie | sent, timeout=15)


def test_no_script_sees_the_refresh_token(live: Live) -> None:
    ada = live.sign_up("ada")
    reply = sign_in(live, ada.handle)
    token = kept(reply)
    assert reply.json()["refresh_token"] == ""
    assert reply.json()["access_token"]
    renewed = refresh(live, token)
    assert renewed.json()["refresh_token"] == ""
    assert kept(renewed) not in ("", token)
    assert refresh(live, kept(renewed)).is_success


def test_another_sites_page_does_nothing_with_it(live: Live) -> None:
    ada = live.sign_up("ada")
    token = kept(sign_in(live, ada.handle))
    for origin in ("https://evil.example", "null", f"{live.url}.evil.example"):
        assert refusal(refresh(live, token, origin=origin)) == (403, "CROSS_SITE")
        crossing = refresh(live, token, origin=origin, sec_fetch_site="cross-site")
        assert refusal(crossing) == (403, "CROSS_SITE")
    assert refusal(refresh(live, token, accept="*/*")) == (403, "CROSS_SITE")
    body = {"login": ada.handle, "password": PASSWORD}
    evil = {MODE_HEADER: "cookie", "origin": "https://evil.example"}
    reply = httpx.post(f"{live.url}/v1/sessions", json=body, headers=evil, timeout=15)
    assert refusal(reply) == (403, "CROSS_SITE")
    assert "set-cookie" not in reply.headers
    assert refresh(live, token).is_success


def test_two_tabs_that_refresh_at_once_go_on_with_one_cookie(live: Live) -> None:
    token = kept(sign_in(live, live.sign_up("ada").handle))
    with ThreadPoolExecutor(4) as tabs:
        for _ in range(3):
            replies = list(tabs.map(refresh, [live] * 4, [token] * 4))
            (token,) = {kept(reply) for reply in replies}


def test_over_grpc_web_it_is_the_same(live: Live) -> None:
    token = kept(sign_in(live, live.sign_up("ada").handle))
    message = RefreshSessionRequest().SerializeToString()
    reply = httpx.post(
        f"{live.url}{PATHS[1]}",
        content=struct.pack(">BI", 0, len(message)) + message,
        headers={
            "content-type": "application/grpc-web+proto",
            "x-grpc-web": "1",
            "cookie": f"{NAME}={token}",
            **OURS,
        },
        timeout=15,
    )
    size = struct.unpack(">I", reply.content[1:5])[0]
    session = Session.FromString(reply.content[5 : 5 + size])
    assert session.access_token
    assert session.refresh_token == ""
    assert refresh(live, kept(reply)).is_success


def test_signing_out_takes_the_cookie_back(live: Live) -> None:
    reply = sign_in(live, live.sign_up("ada").handle)
    token = kept(reply)
    headers = {**WANTED, "authorization": f"Bearer {reply.json()['access_token']}"}
    gone = httpx.delete(f"{live.url}/v1/sessions/current", headers=headers, timeout=15)
    assert kept(gone) == ""
    assert all("Max-Age=0" in one for one in gone.headers.get_list("set-cookie"))
    assert refusal(refresh(live, token)) == (401, "INVALID_REFRESH_TOKEN")


def test_who_asks_for_no_cookie_gets_none(live: Live) -> None:
    ada = live.sign_up("ada")
    body = {"login": ada.handle, "password": PASSWORD}
    reply = httpx.post(f"{live.url}/v1/sessions", json=body, headers=OURS, timeout=15)
    assert "set-cookie" not in reply.headers
    assert reply.json()["refresh_token"]
    assert refusal(refresh(live, "")) == (401, "INVALID_REFRESH_TOKEN")


@pytest.mark.parametrize("public", ["https://talk.example.org", "https://talk.example.org/app"])
def test_over_https_it_is_sent_over_https_alone(public: str) -> None:
    cookies = Cookies(public)
    with coming_from("192.0.2.1"):
        call = CURRENT.get()
        assert isinstance(call, calls.Call)
        call.metadata = {MODE_HEADER: "cookie", "origin": "https://talk.example.org"}
        cookies.check()
        cookies.hand_out(Session(refresh_token="x.y"))
        assert len(call.headers) == len(PATHS)
        assert all(name == "set-cookie" and "; Secure" in value for name, value in call.headers)
        call.metadata = {MODE_HEADER: "cookie", "origin": "http://talk.example.org"}
        with pytest.raises(CrossSite):
            cookies.check()
