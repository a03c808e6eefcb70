"""BotService."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from google.protobuf.empty_pb2 import Empty

from chassis.calls import principal
from chassis.database import Database
from creavio.auth.v1 import bot_pb2, bot_service_pb2, token_pb2
from creavio.auth.v1.bot_service_pb2_grpc import BotServiceServicer
from services.auth import convert, domain
from services.auth.domain import Standing
from services.auth.domain.bots import BOT_TOKEN_LASTS, Bot, may_have, new_bot
from services.auth.domain.tokens import Scope, new_token
from services.auth.engine.bots import Bots
from services.auth.engine.credentials import Issuer
from services.auth.engine.departures import Departures
from services.auth.engine.sessions import Revocations
from services.auth.handler.step_up import StepUp
from services.auth.store import accounts, bots, tokens


class BotHandler(BotServiceServicer):
    """Serves bots to those who made them."""

    def __init__(
        self,
        database: Database,
        made: Bots,
        step_up: StepUp,
        issuer: Issuer,
        revocations: Revocations,
        departures: Departures,
    ) -> None:
        self._database = database
        self._bots = made
        self._step_up = step_up
        self._issuer = issuer
        self._revocations = revocations
        self._departures = departures

    async def CreateBot(
        self, request: bot_service_pb2.CreateBotRequest, context: object
    ) -> bot_pb2.Bot:
        me = convert.account_id(principal().user_id)
        wanted = new_bot(me, request.handle, request.display_name, datetime.now(UTC))
        async with self._database.transaction() as tx:
            # Nobody makes another at the same time.
            await accounts.account_to_change(tx, me)
            bot = await bots.add_bot(tx, wanted)
            may_have(len(await bots.bots_of(tx, me)))
        await self._bots.finish_creating(bot)
        (reply,) = await self._shown([bot])
        return reply

    async def ListBots(
        self, request: bot_service_pb2.ListBotsRequest, context: object
    ) -> bot_service_pb2.ListBotsResponse:
        async with self._database.reading() as tx:
            mine = await bots.bots_of(tx, convert.account_id(principal().user_id))
        return bot_service_pb2.ListBotsResponse(bots=await self._shown(mine))

    async def UpdateBot(
        self, request: bot_service_pb2.UpdateBotRequest, context: object
    ) -> bot_pb2.Bot:
        me = convert.account_id(principal().user_id)
        async with self._database.transaction() as tx:
            bot = await bots.bot_to_change(tx, me, convert.bot_id(request.bot_id))
        if request.HasField("display_name"):
            await self._bots.rename(bot.id, request.display_name)
        (reply,) = await self._shown([bot])
        return reply

    async def RotateBotToken(
        self, request: bot_service_pb2.RotateBotTokenRequest, context: object
    ) -> token_pb2.IssuedToken:
        account = (await self._step_up.prove_by(request.proof)).account
        lifetime = BOT_TOKEN_LASTS
        if request.HasField("lifetime_days"):
            lifetime = timedelta(days=request.lifetime_days)
        async with self._database.transaction() as tx:
            if not await accounts.password_is(tx, account.id, account.password_hash):
                raise domain.WrongCredentials
            bot = await bots.bot_to_change(tx, account.id, convert.bot_id(request.bot_id))
            await self._revocations.end_tokens(tx, account.id, bot.id)
            scopes = convert.scopes(request.scopes) or list(Scope)
            token = new_token(account.id, bot.id, bot.handle, scopes, datetime.now(UTC), lifetime)
            await tokens.add_token(tx, token)
        await self._revocations.tell(tx)
        return token_pb2.IssuedToken(
            token=convert.token(token), access_token=self._issuer.access_token(token)
        )

    async def DeleteBot(self, request: bot_service_pb2.DeleteBotRequest, context: object) -> Empty:
        me = convert.account_id(principal().user_id)
        async with self._database.reading() as tx:
            bot = await bots.bot_of(tx, me, convert.bot_id(request.bot_id))
        if bot is not None:
            await self._departures.may_go(bot.id)
            await self._departures.close_bot(bot)
        return Empty()

    async def _shown(self, found: Sequence[Bot]) -> list[bot_pb2.Bot]:
        profiles = await self._bots.profiles(found)
        async with self._database.reading() as tx:
            held = {bot.id: await tokens.tokens_of(tx, bot.owner_id, bot.id) for bot in found}
        return [
            convert.bot(bot, profiles[bot.id], held[bot.id][0] if held[bot.id] else None)
            for bot in found
            if bot.id in profiles and bot.standing is not Standing.LEAVING
        ]
