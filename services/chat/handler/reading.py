"""ReadStateService."""

from __future__ import annotations

from uuid import UUID

from chassis import ids
from chassis.authz import Authorizer
from chassis.calls import principal
from chassis.clients import Clients
from chassis.database import Database
from chassis.tokens import Tokens, page_size
from creavio.chat.v1 import read_state_pb2, read_state_service_pb2
from creavio.chat.v1.read_state_service_pb2_grpc import ReadStateServiceServicer
from creavio.rbac.v1 import role_service_pb2
from creavio.rbac.v1.role_service_pb2_grpc import RoleServiceStub
from services.chat import convert, events
from services.chat.domain.reading import Reader
from services.chat.engine.places import Places
from services.chat.store import reading


class ReadStateHandler(ReadStateServiceServicer):
    """Serves how far people have read, and what is new to them."""

    def __init__(
        self,
        database: Database,
        known_places: Places,
        clients: Clients,
        authorizer: Authorizer,
        tokens: Tokens,
    ) -> None:
        self._database = database
        self._places = known_places
        self._clients = clients
        self._roles = RoleServiceStub(clients.channel)
        self._authorizer = authorizer
        self._tokens = tokens

    async def MarkRead(
        self, request: read_state_service_pb2.MarkReadRequest, context: object
    ) -> read_state_pb2.ReadState:
        place = convert.place(request.channel_id)
        community_id = (await self._places.scope_of(request.channel_id)).community_id
        reader = Reader(convert.user_id(principal().user_id))
        async with self._database.transaction() as tx:
            kept = await reading.mark(tx, place, reader.user_id, request.sequence)
            if kept is not None:
                tx.emit(events.read_on(principal().user_id, place, kept))
            if community_id is not None:
                await reading.settle(tx, reader.user_id, community_id)
            state = await reading.state(tx, reader, place)
        if state and community_id is not None:
            # Roles are asked for only where there is something they may be mentioned in.
            reader = await self._reader(ids.text(ids.Kind.COMMUNITY, community_id))
            async with self._database.reading() as tx:
                state = await reading.state(tx, reader, place)
        return convert.read_state(state)

    async def ListReadStates(
        self, request: read_state_service_pb2.ListReadStatesRequest, context: object
    ) -> read_state_service_pb2.ListReadStatesResponse:
        caller, size = principal().user_id, page_size(request.page_size)
        purpose = ("read states", caller, request.community_id)
        after = self._after(request.page_token, *purpose)
        user_id, community_id = convert.user_id(caller), convert.community(request.community_id)
        async with self._database.reading() as tx:
            found = await reading.lively(tx, user_id, community_id, after, size + 1)
        page = {ids.text(ids.Kind.CHANNEL, channel): channel for channel in found[:size]}
        reply = read_state_service_pb2.ListReadStatesResponse()
        if len(found) > size:
            reply.next_page_token = self._tokens.next_page(str(found[size - 1]), *purpose)
        # Asked between the questions to the database: no call leaves while one is held.
        seen = await self._authorizer.visible(caller, request.community_id, page.keys())
        if not seen:
            return reply
        reader = await self._reader(request.community_id)
        async with self._database.reading() as tx:
            states = await reading.states(tx, reader, [page[channel] for channel in seen])
        reply.read_states.extend(convert.read_state(state) for state in states if state)
        return reply

    async def ListThreadReadStates(
        self, request: read_state_service_pb2.ListThreadReadStatesRequest, context: object
    ) -> read_state_service_pb2.ListThreadReadStatesResponse:
        caller, size = principal().user_id, page_size(request.page_size)
        purpose = ("threads' read states", caller, request.community_id)
        after = self._after(request.page_token, *purpose)
        user_id, community_id = convert.user_id(caller), convert.community(request.community_id)
        async with self._database.reading() as tx:
            found = await reading.lively_threads(tx, user_id, community_id, after, size + 1)
        page = {
            thread: ids.text(ids.Kind.CHANNEL, channel)
            for thread, channel in list(found.items())[:size]
        }
        reply = read_state_service_pb2.ListThreadReadStatesResponse()
        if len(found) > size:
            reply.next_page_token = self._tokens.next_page(str(list(page)[-1]), *purpose)
        seen = await self._authorizer.visible(caller, request.community_id, set(page.values()))
        if not seen:
            return reply
        reader = await self._reader(request.community_id)
        async with self._database.reading() as tx:
            states = await reading.states(
                tx, reader, [thread for thread, channel in page.items() if channel in seen]
            )
        reply.read_states.extend(convert.read_state(state) for state in states if state)
        return reply

    async def ListConversationReadStates(
        self, request: read_state_service_pb2.ListConversationReadStatesRequest, context: object
    ) -> read_state_service_pb2.ListConversationReadStatesResponse:
        caller, size = principal().user_id, page_size(request.page_size)
        purpose = ("conversations' read states", caller)
        after = self._after(request.page_token, *purpose)
        reader = Reader(convert.user_id(caller))
        async with self._database.reading() as tx:
            found = await reading.lively_conversations(tx, reader.user_id, after, size + 1)
            states = await reading.states(tx, reader, found[:size])
        reply = read_state_service_pb2.ListConversationReadStatesResponse(
            read_states=[convert.read_state(state) for state in states if state]
        )
        if len(found) > size:
            reply.next_page_token = self._tokens.next_page(str(found[size - 1]), *purpose)
        return reply

    def _after(self, page_token: str, *purpose: str) -> UUID | None:
        start: str | None = self._tokens.page_start(page_token, *purpose)
        return None if start is None else UUID(start)

    async def _reader(self, community_id: str) -> Reader:
        """The caller, and their roles in a community."""
        caller = principal().user_id
        request = role_service_pb2.GetMemberRolesRequest(community_id=community_id, user_id=caller)
        held = await self._clients.call(self._roles.GetMemberRoles, request)
        roles = tuple(ids.parse(ids.Kind.ROLE, role, field="role_ids") for role in held.role_ids)
        return Reader(convert.user_id(caller), roles)
