"""chat, put together."""

from __future__ import annotations

from functools import partial
from typing import Final

from chassis.person import Personal, confirming
from chassis.service import Chassis, Service, every
from creavio.chat.v1 import chat_events_pb2, person_service_pb2
from creavio.chat.v1.bookmark_service_pb2_grpc import add_BookmarkServiceServicer_to_server
from creavio.chat.v1.conversation_service_pb2_grpc import add_ConversationServiceServicer_to_server
from creavio.chat.v1.draft_service_pb2_grpc import add_DraftServiceServicer_to_server
from creavio.chat.v1.forward_service_pb2_grpc import add_ForwardServiceServicer_to_server
from creavio.chat.v1.message_service_pb2_grpc import add_MessageServiceServicer_to_server
from creavio.chat.v1.person_service_pb2_grpc import add_PersonServiceServicer_to_server
from creavio.chat.v1.pin_service_pb2_grpc import add_PinServiceServicer_to_server
from creavio.chat.v1.poll_service_pb2_grpc import add_PollServiceServicer_to_server
from creavio.chat.v1.post_service_pb2_grpc import add_PostServiceServicer_to_server
from creavio.chat.v1.reaction_service_pb2_grpc import add_ReactionServiceServicer_to_server
from creavio.chat.v1.read_state_service_pb2_grpc import add_ReadStateServiceServicer_to_server
from creavio.chat.v1.scheduled_message_service_pb2_grpc import (
    add_ScheduledMessageServiceServicer_to_server,
)
from creavio.chat.v1.slow_mode_service_pb2_grpc import add_SlowModeServiceServicer_to_server
from creavio.chat.v1.thread_service_pb2_grpc import add_ThreadServiceServicer_to_server
from services.chat.consumer import CommunityConsumer, UserConsumer
from services.chat.domain.message import Fingerprints
from services.chat.engine.clock import Clock
from services.chat.engine.eraser import Eraser
from services.chat.engine.forgetting import Forgetting
from services.chat.engine.places import Places
from services.chat.engine.posts import Forums, Poster, TagSweeper
from services.chat.engine.reach import Reach
from services.chat.engine.submission import Submission
from services.chat.engine.threads import ThreadKeeper
from services.chat.engine.writer import Writer
from services.chat.handler.browsing import Browser
from services.chat.handler.conversations import ConversationHandler
from services.chat.handler.forwards import ForwardHandler
from services.chat.handler.kept import BookmarkHandler, DraftHandler
from services.chat.handler.messages import MessageHandler
from services.chat.handler.pins import PinHandler
from services.chat.handler.polls import PollHandler
from services.chat.handler.posts import PostHandler
from services.chat.handler.reactions import ReactionHandler
from services.chat.handler.reading import ReadStateHandler
from services.chat.handler.scheduled import ScheduledMessageHandler
from services.chat.handler.slow_mode import SlowModeHandler
from services.chat.handler.threads import ThreadHandler
from services.chat.store import person
from services.chat.store.places import forget_paces

THREADS_SECONDS: Final = 0.5
CLOCK_SECONDS: Final = 0.5
ERASE_SECONDS: Final = 5.0
SWEEP_SECONDS: Final = 2.0
FORGET_SECONDS: Final = 60.0


def app(chassis: Chassis) -> Service:
    """The service, from its parts."""
    database, tokens, telemetry = chassis.database, chassis.tokens, chassis.telemetry
    places = Places(database, chassis.clients)
    authorizer = chassis.authorizer(places)
    writer = Writer(database, chassis.outbox, telemetry)
    fingerprints = Fingerprints(chassis.config.token_key.get_secret_value())
    submission = Submission(database, writer, places, fingerprints, authorizer)
    browser = Browser(database, authorizer, tokens)
    messages = MessageHandler(database, submission, browser, tokens, telemetry)
    forwards = ForwardHandler(database, authorizer, submission)
    conversations = ConversationHandler(database, Reach(chassis.clients), tokens)
    read_states = ReadStateHandler(database, places, chassis.clients, authorizer, tokens)
    threads = ThreadHandler(database, places, authorizer, tokens)
    forums = Forums(chassis.clients)
    poster = Poster(chassis.outbox)
    posts = PostHandler(database, places, submission, forums, poster, tokens)
    scheduled = ScheduledMessageHandler(database, places)

    async def forget() -> bool:
        async with database.transaction() as tx:
            return await forget_paces(tx)

    bookmarks = BookmarkHandler(database, authorizer, tokens)
    return Service(
        authorizer=authorizer,
        handlers=[
            (add_MessageServiceServicer_to_server, messages),
            (add_ForwardServiceServicer_to_server, forwards),
            (add_ReactionServiceServicer_to_server, ReactionHandler(database)),
            (add_PinServiceServicer_to_server, PinHandler(database)),
            (add_ConversationServiceServicer_to_server, conversations),
            (add_SlowModeServiceServicer_to_server, SlowModeHandler(database)),
            (add_ReadStateServiceServicer_to_server, read_states),
            (add_ThreadServiceServicer_to_server, threads),
            (add_PollServiceServicer_to_server, PollHandler(database, submission, tokens)),
            (add_DraftServiceServicer_to_server, DraftHandler(database, tokens)),
            (add_BookmarkServiceServicer_to_server, bookmarks),
            (add_ScheduledMessageServiceServicer_to_server, scheduled),
            (add_PostServiceServicer_to_server, posts),
        ],
        consumers={"community": CommunityConsumer(), "user": UserConsumer()},
        background=[
            writer.run,
            every(THREADS_SECONDS, ThreadKeeper(database).look, telemetry),
            every(CLOCK_SECONDS, Clock(database, submission).strike, telemetry),
            every(ERASE_SECONDS, Eraser(database).erase, telemetry),
            every(SWEEP_SECONDS, TagSweeper(database, forums).sweep, telemetry),
            every(FORGET_SECONDS, forget, telemetry),
            partial(places.follow, chassis.bus),
        ],
        drain=messages.end_all,
        personal=Personal(
            person.PARTS,
            add_PersonServiceServicer_to_server,
            person_service_pb2.ExportPersonResponse,
            confirming(chat_events_pb2.PersonErased),
            before=Forgetting(database).forget,
            besides=person.part_from,
        ),
    )
