"""auth, put together."""

from __future__ import annotations

from typing import Final

from chassis.config import ConfigError
from chassis.service import Chassis, Service, every
from creavio.auth.v1.account_service_pb2_grpc import add_AccountServiceServicer_to_server
from creavio.auth.v1.key_service_pb2_grpc import add_KeyServiceServicer_to_server
from creavio.auth.v1.session_service_pb2_grpc import add_SessionServiceServicer_to_server
from services.auth.engine import Accounts, Issuer, Passwords, SigningKey
from services.auth.handler import AccountHandler, KeyHandler, SessionHandler

RESUME_SECONDS: Final = 5.0


def app(chassis: Chassis) -> Service:
    """The service, from its parts."""
    config, database = chassis.config, chassis.database
    if config.signing_key_file is None:
        raise ConfigError("CREAVIO_SIGNING_KEY_FILE: auth needs a key to sign tokens with")
    key, passwords = SigningKey(config.signing_key_file), Passwords()
    accounts = Accounts(database, chassis.clients)
    parts = (database, passwords, accounts, Issuer(config, key, chassis.tokens))
    return Service(
        authorizer=chassis.authorizer(),
        handlers=[
            (add_AccountServiceServicer_to_server, AccountHandler(*parts)),
            (add_SessionServiceServicer_to_server, SessionHandler(*parts)),
            (add_KeyServiceServicer_to_server, KeyHandler(key)),
        ],
        background=[every(RESUME_SECONDS, accounts.resume, chassis.telemetry)],
        fetch_keys=key.key_set,
    )
