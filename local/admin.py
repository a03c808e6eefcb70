"""`creavio admin`: who administrates the instance and gets in, from the machine it runs on.

Whoever can read the home needs no account to say it. The changes go through the
public API, in the name of an administrator there is; the first one is made with the
code of the first start, as anybody would be.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
import secrets
import sys
from typing import Annotated

from rich.table import Table
import typer

from local.console import console, fail, not_running
from local.credentials import Credentials
from local.home import Home
from local.rest import Rest, RestError, address

_ADMINISTRATORS = "/v1/instance/administrators"
_REFUSALS = {
    "LAST_ADMINISTRATOR": "somebody has to administrate the instance: promote another one first",
    "CLAIM_REFUSED": "somebody else has just claimed the instance: try again",
    "LIMIT_REACHED": "there are 100 administrators already: demote one first",
}

app = typer.Typer(no_args_is_help=True, help="Who administrates the instance, and who gets in.")
sessions = typer.Typer(no_args_is_help=True, help="Who is signed in.")
app.add_typer(sessions, name="sessions")
keys = typer.Typer(no_args_is_help=True, help="What access tokens are signed with.")
app.add_typer(keys, name="keys")
Handle = Annotated[str, typer.Argument(help="Whose.", show_default=False)]


class Mode(StrEnum):
    """Who may sign up."""

    OPEN = "open"
    INVITE = "invite"
    CLOSED = "closed"


@app.command()
def create(
    handle: Annotated[str, typer.Argument(help="The handle to give.", show_default=False)],
    email: Annotated[str, typer.Option(help="Where to reach the person.", prompt=True)],
    name: Annotated[str, typer.Option(help="The name to show; the handle when empty.")] = "",
) -> None:
    """Create an account that administrates; asks for its password.

    When the input is no terminal its first line is the password; an empty one has a
    password made and shown.
    """
    from local import recovery

    with _running() as (home, rest):
        password, made = _password()
        account = {
            "handle": handle,
            "email": email,
            "password": password,
            "display_name": name,
            "sign_up_code": recovery.sign_up_code(home),
        }
        try:
            session = rest.post("/v1/accounts", account)
        except RestError as error:
            if error.reason == "HANDLE_TAKEN":
                fail(f"{handle} is an account already: creavio admin promote {handle}")
            raise
        _promote(home, rest, session["user"]["id"], session["access_token"])
    console().print(f"{handle} administrates the instance", markup=False)
    if made:
        console().print(f"with the password {password}", markup=False)


@app.command()
def promote(handle: Handle) -> None:
    """Make somebody an administrator; again changes nothing."""
    from local import operator

    with _running() as (home, rest):
        user_id = operator.user_of(home, handle)
        _promote(home, rest, user_id, operator.token_for(home, user_id))
    console().print(f"{handle} administrates the instance", markup=False)


@app.command()
def demote(handle: Handle) -> None:
    """Take the administration from somebody; again changes nothing."""
    from local import operator

    with _running() as (home, rest):
        user_id = operator.user_of(home, handle)
        actor = operator.administrator(home)
        if actor is not None:
            acting = rest.signed_in(operator.token_for(home, actor))
            acting.call("DELETE", f"{_ADMINISTRATORS}/{user_id}")
    console().print(f"{handle} does not administrate the instance", markup=False)


@app.command()
def registration(
    mode: Annotated[Mode, typer.Argument(help="Who may sign up.", show_default=False)],
) -> None:
    """Say who may sign up: anybody, those with a sign-up code, or nobody."""
    with _running() as (home, rest):
        acting = _administrating(home, rest)
        body = {"mode": f"REGISTRATION_MODE_{mode.value.upper()}"}
        acting.call("PATCH", "/v1/instance/registration", body)
    console().print(f"registration is {mode.value}", markup=False)


@app.command()
def reset(
    handle: Handle,
    second_factor: Annotated[
        bool, typer.Option("--second-factor", help="Forget their second factor, too.")
    ] = False,
) -> None:
    """Print a link to set somebody's password with: good once, for an hour."""
    from local import recovery

    with _running() as (home, _):
        link = recovery.reset_link(home, handle)
        if second_factor:
            recovery.forget_second_factor(home, handle)
    console().print(link, markup=False)


@sessions.command()
def end(
    handle: Annotated[str, typer.Argument(help="Whose.", show_default=False)] = "",
    everybody: Annotated[bool, typer.Option("--all", help="Everybody's.")] = False,
) -> None:
    """End the sessions of somebody, or everybody's: they have to sign in again."""
    from local import operator

    if bool(handle) == everybody:
        fail("say whose sessions: a handle, or --all")
    with _running() as (home, rest):
        acting = _administrating(home, rest)
        whose = "everybody" if everybody else operator.user_of(home, handle)
        acting.post("/v1/instance/sessions:end", {"user_id": whose})
    who = "everybody" if everybody else handle
    console().print(f"{who} has to sign in again", markup=False)


@app.command()
def erasures() -> None:
    """Show who deleted their account, and which services have not forgotten them yet."""
    from local import operator

    with _running() as (home, _):
        found = operator.erasures(home)
    shown = Table("person", "since", "forgotten by", "not yet by", box=None, pad_edge=False)
    for one in found:
        shown.add_row(
            one.user_id,
            f"{one.since:%Y-%m-%d %H:%M:%S}",
            str(len(one.forgotten)),
            ", ".join(one.missing) or "nobody: it is done",
        )
    console().print(shown)


@keys.command()
def rotate(
    withdraw: Annotated[
        bool,
        typer.Option("--withdraw", help="Refuse what was signed before: a key may be known."),
    ] = False,
) -> None:
    """Have another key sign access tokens, a minute from now."""
    with _running() as (home, rest):
        _administrating(home, rest).post("/v1/instance/keys:rotate", {"withdraw": withdraw})
    console().print("another key signs in a minute", markup=False)


def _administrating(home: Home, rest: Rest) -> Rest:
    """Calls as an administrator there is; without one, says what to do."""
    from local import operator

    actor = operator.administrator(home)
    if actor is None:
        fail("nobody administrates the instance yet: creavio admin create HANDLE")
    return rest.signed_in(operator.token_for(home, actor))


def _promote(home: Home, rest: Rest, user_id: str, token: str) -> None:
    """Make a person an administrator; the first by the claim code, as themselves."""
    from local import operator

    actor = operator.administrator(home)
    if actor is None:
        code = Credentials(home.secrets).password("claim_code")
        rest.signed_in(token).post("/v1/instance:claim", {"code": code})
        return
    acting = rest.signed_in(operator.token_for(home, actor))
    acting.post(_ADMINISTRATORS, {"user_id": user_id})


def _password() -> tuple[str, bool]:
    """The password to give, and whether it was made here."""
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True)), False
    given = sys.stdin.readline().rstrip("\n")
    return (given, False) if given else (secrets.token_urlsafe(16), True)


@contextmanager
def _running() -> Iterator[tuple[Home, Rest]]:
    """The home and its platform; says in one line what went wrong, and exits."""
    import psycopg

    from local.operator import UnknownHandleError

    home = Home.from_environment()
    try:
        rest = Rest(address(home))
    except OSError:
        not_running(home)
    try:
        yield home, rest
    except RestError as error:
        fail(_REFUSALS.get(error.reason, str(error)))
    except UnknownHandleError as error:
        fail(str(error))
    except (psycopg.Error, OSError) as error:
        fail(f"{(str(error).strip().splitlines() or ['PostgreSQL is away'])[0]}: creavio doctor")
