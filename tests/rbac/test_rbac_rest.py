"""Roles over REST, through the edge, as a person's client sees them."""

from __future__ import annotations

from tests.live import Live


def test_roles_are_made_given_explained_and_taken(live: Live) -> None:
    ada, bob = live.sign_up("ada"), live.sign_up("bob")
    community = ada.found()["id"]
    channel = ada.open_channel(community)["id"]
    bob.accept(ada.invite(community))
    base = f"/v1/communities/{community}"

    role = ada.do(
        "POST",
        f"{base}/roles",
        json={"name": "mod", "allow": ["PERMISSION_MANAGE_ROLES", "PERMISSION_MANAGE_MESSAGES"]},
    )
    listed = bob.do("GET", f"{base}/roles")["roles"]
    assert [found["name"] for found in listed] == ["owner", "mod", "member"]
    assert bob.ask("POST", f"{base}/roles", json={"name": "mine"}).status_code == 403
    patched = ada.do("PATCH", f"{base}/roles/{role['id']}", json={"color": 255})
    assert (patched["color"], patched["name"]) == (255, "mod")
    stale = {"name": "x", "etag": role["etag"]}
    assert ada.ask("PATCH", f"{base}/roles/{role['id']}", json=stale).status_code == 409

    given = ada.do("POST", f"{base}/members/{bob.id}/roles", json={"role_id": role["id"]})
    assert given["role_ids"] == [role["id"], listed[-1]["id"]]
    mine = bob.do("POST", f"{base}/roles", json={"name": "mine"})
    order = bob.ask("POST", f"{base}/roles:reorder", json={"role_ids": [mine["id"], role["id"]]})
    assert order.status_code == 403
    assert order.json()["details"][0]["reason"] == "ROLE_TOO_HIGH"

    override = f"{base}/channels/{channel}/overrides/{listed[-1]['id']}"
    ada.do("PUT", override, json={"deny": ["PERMISSION_SEND_MESSAGES"]})
    silenced = bob.ask("POST", f"/v1/channels/{channel}/messages", json={"content": "?"})
    assert silenced.status_code == 403
    asked = {"permission": "PERMISSION_SEND_MESSAGES", "channel_id": channel}
    why = bob.do("GET", f"{base}/permissions:explain", params=asked)
    assert (why["allowed"], why["steps"][-1]["role_name"]) == (False, "member")
    assert why["steps"][-1]["channel_id"] == channel
    assert bob.do("GET", f"{base}/permissions:who", params=asked)["user_ids"] == [ada.id]
    case = {"channel_id": channel, "may_not": ["PERMISSION_SEND_MESSAGES"]}
    assert bob.do("POST", f"{base}/permissions:test", json={"cases": [case]})["passed"]
    held = bob.do("GET", f"{base}/permissions", params={"channel_id": channel})["permissions"]
    assert "PERMISSION_MANAGE_MESSAGES" in held
    assert "PERMISSION_SEND_MESSAGES" not in held
    shown = ada.do("GET", f"{base}/channels/{channel}/overrides")["overrides"]
    assert [found["target_id"] for found in shown] == [listed[-1]["id"]]
    ada.do("DELETE", override)
    bob.send(channel, "again")

    ada.do("DELETE", f"{base}/members/{bob.id}/roles/{role['id']}")
    assert bob.ask("DELETE", f"{base}/roles/{mine['id']}").status_code == 403
    ada.do("DELETE", f"{base}/roles/{role['id']}")
    roles = ada.do("GET", f"{base}/members/{bob.id}/roles")["role_ids"]
    assert roles == [listed[-1]["id"]]


def test_administration_is_not_open(live: Live) -> None:
    ada = live.sign_up("ada")
    assert ada.ask("GET", "/v1/instance/administrators").status_code == 403
    refused = ada.ask("POST", "/v1/instance:claim", json={"code": "guess"})
    assert refused.status_code == 403
    assert refused.json()["details"][0]["reason"] == "CLAIM_REFUSED"
