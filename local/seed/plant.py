"""Brings a scene to a running platform, as its people: over the public API alone.

Whatever is there already is left as it is, so doing it again changes nothing, and
doing it after it was cut off does the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from local.rest import Rest, RestError
from local.seed.scene import Aside, Line, Part, Room, Scene

_REPLAYED = "seed"
Tell = Callable[[str], None]


class Planter:
    """Plants one scene."""

    def __init__(self, scene: Scene, rest: Rest, password: str, tell: Tell) -> None:
        self._scene = scene
        self._rest = rest
        self._password = password
        self._tell = tell
        self._people: dict[str, Rest] = {}
        self._ids: dict[str, str] = {}
        self.made = 0
        """How many things were not there before: people, places, roles, messages."""

    def plant(self) -> None:
        """Plant what is missing. Raises `RestError`."""
        for person in self._scene.people:
            self._tell(self._scene.people[person].name)
            self._enter(person)
        community = self._found()
        self._show(community)
        self._gather(community)
        roles = self._cast(community)
        for room in self._scene.rooms:
            self._tell(room.name)
            self._speak(self._open(community, room, roles), room.lines)
        for aside in self._scene.asides:
            self._speak(self._begin(aside), aside.lines)

    def _enter(self, person: str) -> None:
        who = self._scene.people[person]
        login = {"login": who.handle, "password": self._password}
        try:
            session = self._rest.post("/v1/sessions", login)
        except RestError as error:
            if error.status not in (400, 401, 404):
                raise
            session = self._sign_up(person)
        self._people[person] = self._rest.signed_in(session["access_token"])
        self._ids[person] = session["user"]["id"]
        if self._people[person].get("/v1/users/me").get("bio", "") != who.bio:
            self._people[person].call("PATCH", "/v1/users/me", {"bio": who.bio})

    def _sign_up(self, person: str) -> Any:
        who = self._scene.people[person]
        account = {
            "handle": who.handle,
            "email": f"{who.handle}@example.org",
            "password": self._password,
            "display_name": who.name,
        }
        try:
            session = self._rest.post("/v1/accounts", account)
        except RestError as error:
            if error.reason != "HANDLE_TAKEN":
                raise
            raise RestError(
                f"{who.handle} is an account here already, with another password: "
                "its password has to be the one in secrets/demo.password"
            ) from error
        self.made += 1
        return session

    def _found(self) -> str:
        founder = self._people[self._scene.founder]
        for community in founder.pages("/v1/communities", "communities"):
            if community["name"] == self._scene.name:
                return str(community["id"])
        self.made += 1
        founded = founder.post("/v1/communities", {"name": self._scene.name}, key=_REPLAYED)
        return str(founded["id"])

    def _show(self, community: str) -> None:
        """Open it to everybody: who comes to the platform finds people there."""
        founder, path = self._people[self._scene.founder], f"/v1/communities/{community}"
        about = {"description": self._scene.about, "visibility": "VISIBILITY_PUBLIC"}
        if founder.get(path)["visibility"] != about["visibility"]:
            founder.call("PATCH", path, about)
            self.made += 1

    def _gather(self, community: str) -> None:
        founder = self._people[self._scene.founder]
        missing = [
            caller
            for caller in self._people.values()
            if all(c["id"] != community for c in caller.pages("/v1/communities", "communities"))
        ]
        if missing:
            code = founder.post(f"/v1/communities/{community}/invites")["code"]
            for caller in missing:
                caller.post(f"/v1/invites/{code}:accept")
                self.made += 1

    def _cast(self, community: str) -> dict[str, str]:
        """The ids of the roles, by name."""
        founder, path = self._people[self._scene.founder], f"/v1/communities/{community}"
        there = {r["name"]: r["id"] for r in founder.get(f"{path}/roles")["roles"]}
        for part in reversed(self._scene.parts):  # A new role stands above the others.
            if part.name not in there:
                there[part.name] = self._make(part, path)
            for player in part.players:
                members = f"{path}/members/{self._ids[player]}/roles"
                held = founder.get(members).get("role_ids", ())
                if there[part.name] not in held:
                    founder.post(members, {"role_id": there[part.name]})
                    self.made += 1
        return there

    def _make(self, part: Part, path: str) -> str:
        self.made += 1
        role = {"name": part.name, "color": part.color, "allow": list(part.allow)}
        key = f"{_REPLAYED} {part.name}"
        return str(self._people[self._scene.founder].post(f"{path}/roles", role, key=key)["id"])

    def _open(self, community: str, room: Room, roles: dict[str, str]) -> str:
        founder, path = self._people[self._scene.founder], f"/v1/communities/{community}/channels"
        there = {channel["name"]: channel["id"] for channel in founder.pages(path, "channels")}
        if room.name not in there:
            self.made += 1
            asked = {"name": room.name, "topic": room.topic, "private": bool(room.only)}
            made = founder.post(path, asked, key=f"{_REPLAYED} {room.name}")
            there[room.name] = made["id"]
        channel = str(there[room.name])
        if room.only:
            overrides = f"{path}/{channel}/overrides"
            role, known = roles[room.only], founder.get(overrides).get("overrides", ())
            if all(override["target_id"] != role for override in known):
                self.made += 1
                let_in = {"allow": ["PERMISSION_VIEW_CHANNEL", "PERMISSION_SEND_MESSAGES"]}
                founder.call("PUT", f"{overrides}/{role}", let_in)
        return channel

    def _begin(self, aside: Aside) -> str:
        first = self._people[aside.people[0]]
        members = {self._ids[person] for person in aside.people}
        for conversation in first.pages("/v1/conversations", "conversations"):
            if set(conversation["member_ids"]) == members:
                return str(conversation["id"])
        self.made += 1
        others = [self._ids[person] for person in aside.people[1:]]
        key = " ".join((_REPLAYED, *aside.people))
        return str(first.post("/v1/conversations", {"user_ids": others}, key=key)["id"])

    def _speak(self, channel: str, lines: Iterable[Line]) -> None:
        path = f"/v1/channels/{channel}/messages"
        said: dict[tuple[str, str], Any] = {}
        lines = tuple(lines)
        if lines:
            reader = self._people[lines[0].who]
            for message in reader.pages(path, "messages"):
                said[message["author_id"], message["content"]] = message
        for line in lines:
            known = said.get((self._ids[line.who], line.text))
            message = known or self._say(path, line, said)
            said[self._ids[line.who], line.text] = message
            self._react(f"{path}/{message['id']}", line, message)

    def _say(self, path: str, line: Line, said: dict[tuple[str, str], Any]) -> Any:
        self.made += 1
        body = {"content": line.text}
        if line.answers:
            answered = next(m for (_, text), m in said.items() if text.startswith(line.answers))
            body["reply_to_id"] = answered["id"]
        return self._people[line.who].post(path, body)

    def _react(self, path: str, line: Line, message: Any) -> None:
        there = {r["emoji"]: int(r["count"]) for r in message.get("reactions", ())}
        for emoji, people in line.reactions.items():
            if there.get(emoji, 0) < len(people):
                for person in people:
                    self._people[person].post(f"{path}:react", {"emoji": emoji})
                self.made += 1
        if line.pinned and not message.get("pin_time"):
            self._people[self._scene.founder].post(f"{path}:pin")
            self.made += 1
