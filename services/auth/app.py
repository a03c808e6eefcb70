"""auth, put together."""

from __future__ import annotations

from typing import Final

from chassis.auth import Verifier
from chassis.config import ConfigError
from chassis.person import Personal, confirming
from chassis.service import Chassis, Service, every
from chassis.sessions import HEARTBEAT_SUBJECT, Sessions
from creavio.auth.v1 import auth_events_pb2, person_service_pb2
from creavio.auth.v1.account_service_pb2_grpc import add_AccountServiceServicer_to_server
from creavio.auth.v1.app_service_pb2_grpc import add_AppServiceServicer_to_server
from creavio.auth.v1.bot_service_pb2_grpc import add_BotServiceServicer_to_server
from creavio.auth.v1.consent_service_pb2_grpc import add_ConsentServiceServicer_to_server
from creavio.auth.v1.email_service_pb2_grpc import add_EmailServiceServicer_to_server
from creavio.auth.v1.identity_service_pb2_grpc import add_IdentityServiceServicer_to_server
from creavio.auth.v1.key_service_pb2_grpc import add_KeyServiceServicer_to_server
from creavio.auth.v1.oauth_service_pb2_grpc import add_OAuthServiceServicer_to_server
from creavio.auth.v1.passkey_service_pb2_grpc import add_PasskeyServiceServicer_to_server
from creavio.auth.v1.password_service_pb2_grpc import add_PasswordServiceServicer_to_server
from creavio.auth.v1.person_service_pb2_grpc import add_PersonServiceServicer_to_server
from creavio.auth.v1.registration_service_pb2_grpc import (
    add_RegistrationServiceServicer_to_server,
)
from creavio.auth.v1.revocation_service_pb2_grpc import (
    add_RevocationServiceServicer_to_server,
)
from creavio.auth.v1.second_factor_service_pb2_grpc import (
    add_SecondFactorServiceServicer_to_server,
)
from creavio.auth.v1.session_service_pb2_grpc import add_SessionServiceServicer_to_server
from creavio.auth.v1.token_service_pb2_grpc import add_TokenServiceServicer_to_server
from services.auth.engine import settings
from services.auth.engine.accounts import Accounts
from services.auth.engine.bots import Bots
from services.auth.engine.cookies import Cookies
from services.auth.engine.credentials import Issuer, Links, Passwords
from services.auth.engine.departures import Departures
from services.auth.engine.guesses import Allowances, Guesses
from services.auth.engine.handles import Handles
from services.auth.engine.keys import Keyring
from services.auth.engine.letters import Letters
from services.auth.engine.oauth import OAuth
from services.auth.engine.outgoing import outgoing
from services.auth.engine.passkeys import Passkeys
from services.auth.engine.post import Post
from services.auth.engine.providers import Providers
from services.auth.engine.second_factors import SecondFactors
from services.auth.engine.sessions import Revocations
from services.auth.engine.sign_in import SignIn
from services.auth.engine.usage import LastUses
from services.auth.handler.accounts import AccountHandler
from services.auth.handler.apps import AppHandler
from services.auth.handler.bots import BotHandler
from services.auth.handler.consents import ConsentHandler
from services.auth.handler.emails import EmailHandler
from services.auth.handler.identities import IdentityHandler
from services.auth.handler.keys import KeyHandler, RevocationHandler
from services.auth.handler.oauth import OAuthHandler
from services.auth.handler.passkeys import PasskeyHandler
from services.auth.handler.passwords import PasswordHandler
from services.auth.handler.registration import RegistrationHandler
from services.auth.handler.second_factors import SecondFactorHandler
from services.auth.handler.sessions import SessionHandler
from services.auth.handler.step_up import StepUp
from services.auth.handler.tokens import TokenHandler
from services.auth.store import person

RESUME_SECONDS: Final = 5.0
HEARTBEAT_SECONDS: Final = 0.5
POST_SECONDS: Final = 1.0
KEYS_SECONDS: Final = 5.0
TEND_SECONDS: Final = 600.0
USES_SECONDS: Final = 1.0


def app(chassis: Chassis) -> Service:
    """The service, from its parts."""
    config, database = chassis.config, chassis.database
    if config.signing_key_file is None:
        raise ConfigError("CREAVIO_SIGNING_KEY_FILE: auth needs a key to sign tokens with")
    keys = Keyring(database, config, config.signing_key_file, chassis.telemetry)
    passwords = Passwords()
    accounts = Accounts(database, chassis.clients)
    issuer = Issuer(config, keys, chassis.tokens)
    bots = Bots(database, chassis.clients)
    announcer, links = chassis.announcer, Links(chassis.tokens)
    told = settings.load(config.env_file)
    revocations = Revocations(database, announcer.tell)
    guesses = Guesses(database, config, Allowances())
    cookies = Cookies(told.public_url)
    second_factors = SecondFactors(database, config)
    sign_in = SignIn(database, issuer, accounts, second_factors, chassis.tokens, cookies)
    browsers = Passkeys(chassis.tokens, told.public_url)
    providers = Providers(config, chassis.tokens, told.oidc_providers, told.public_url)
    step_up = StepUp(database, passwords, guesses, second_factors, browsers, providers)
    departures = Departures(database, chassis.clients, revocations, guesses, accounts)
    handles = Handles(database, chassis.clients, guesses)
    verifier = Verifier(config.jwt_issuer, config.jwt_audience, keys.key_set)
    oauth = OAuth(issuer, revocations, verifier, told.public_url)

    async def heartbeat() -> None:
        beat = auth_events_pb2.SessionsHeartbeat(revision=await revocations.revision())
        await announcer.beat(HEARTBEAT_SUBJECT, beat)

    background = [
        every(RESUME_SECONDS, accounts.resume, chassis.telemetry),
        every(RESUME_SECONDS, bots.resume, chassis.telemetry),
        every(RESUME_SECONDS, departures.resume, chassis.telemetry),
        every(RESUME_SECONDS, handles.resume, chassis.telemetry),
        every(KEYS_SECONDS, keys.load, chassis.telemetry),
        every(TEND_SECONDS, keys.tend, chassis.telemetry),
        every(HEARTBEAT_SECONDS, heartbeat, chassis.telemetry),
        every(USES_SECONDS, LastUses(database, chassis.bus).keep, chassis.telemetry),
    ]
    if way_out := outgoing(told):
        letters = Letters(told.public_url)
        post = Post(database, links, letters, way_out, told.mail_from, chassis.telemetry)
        background.append(every(POST_SECONDS, post.deliver, chassis.telemetry))
    else:
        chassis.telemetry.log.warning("no way out for mail: set CREAVIO_SMTP_HOST")
    return Service(
        authorizer=chassis.authorizer(),
        handlers=[
            (
                add_AccountServiceServicer_to_server,
                AccountHandler(
                    database, passwords, accounts, sign_in, step_up, departures, handles
                ),
            ),
            (
                add_SessionServiceServicer_to_server,
                SessionHandler(
                    database, passwords, accounts, issuer, revocations, guesses, sign_in, cookies
                ),
            ),
            (
                add_EmailServiceServicer_to_server,
                EmailHandler(database, step_up, links, revocations),
            ),
            (
                add_PasswordServiceServicer_to_server,
                PasswordHandler(database, passwords, step_up, links, revocations, guesses),
            ),
            (
                add_TokenServiceServicer_to_server,
                TokenHandler(database, step_up, issuer, revocations),
            ),
            (add_RegistrationServiceServicer_to_server, RegistrationHandler(database)),
            (
                add_SecondFactorServiceServicer_to_server,
                SecondFactorHandler(database, step_up, second_factors, revocations),
            ),
            (
                add_BotServiceServicer_to_server,
                BotHandler(database, bots, step_up, issuer, revocations, departures),
            ),
            (add_AppServiceServicer_to_server, AppHandler(database, step_up, revocations)),
            (add_ConsentServiceServicer_to_server, ConsentHandler(database, oauth, revocations)),
            (add_OAuthServiceServicer_to_server, OAuthHandler(database, oauth, revocations)),
            (
                add_PasskeyServiceServicer_to_server,
                PasskeyHandler(database, step_up, browsers, sign_in),
            ),
            (
                add_IdentityServiceServicer_to_server,
                IdentityHandler(database, providers, accounts, passwords, sign_in, step_up),
            ),
            (add_RevocationServiceServicer_to_server, RevocationHandler(revocations)),
            (add_KeyServiceServicer_to_server, KeyHandler(keys)),
        ],
        background=background,
        fetch_keys=keys.key_set,
        prepare=keys.start,
        sessions=Sessions(revocations, chassis.telemetry),
        personal=Personal(
            person.PARTS,
            add_PersonServiceServicer_to_server,
            person_service_pb2.ExportPersonResponse,
            confirming(auth_events_pb2.PersonErased),
            before=departures.forget_bots,
            besides=departures.forget,
        ),
    )
