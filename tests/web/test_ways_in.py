"""Every way in: codes, passkeys, accounts elsewhere, and apps that ask to be let in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import json
import re
from urllib.parse import parse_qs, urlencode, urlsplit

from playwright.sync_api import Page, Route
import pyotp
import pytest

from tests.auth import provider as providers
from tests.auth.provider import CLIENT, SECRET, Provider
from tests.auth.test_apps import BACK, App
from tests.live import PASSWORD, Live, running
from tests.web.conftest import Member
from tests.web.own import Make, prove, settings, sign_out

pytestmark = pytest.mark.timeout(600)  # the first builds the app, and may install a browser


def test_a_code_is_asked_for_once_an_authenticator_is_set_up(member: Make) -> None:
    ada = member("Ada")
    ada.sign_up()
    settings(ada, "sign-in", "Signing in")
    ada.page.get_by_role("button", name="Set up an authenticator").click()
    prove(ada, "Go on", "not it at all")
    ada.page.get_by_text("The password is not right.").wait_for()
    prove(ada, "Go on")
    dialog = ada.page.get_by_role("dialog")
    dialog.get_by_role("img", name="A QR code with the key").wait_for()
    ada.check_access()
    app = pyotp.TOTP(dialog.locator("code").inner_text().replace(" ", ""))
    dialog.get_by_label("Code the app shows now").fill("000000")
    dialog.get_by_role("button", name="Turn it on").click()
    dialog.get_by_text("That is not the code for now.").wait_for()
    dialog.get_by_label("Code the app shows now").fill(app.now())
    dialog.get_by_role("button", name="Turn it on").click()
    codes = dialog.get_by_label("Recovery codes", exact=True).inner_text().split()
    assert len(codes) == 10
    with ada.page.expect_download() as saved:
        dialog.get_by_role("button", name="Save as a file").click()
    assert saved.value.path().read_text().split() == codes
    dialog.get_by_role("button", name="I kept them").click()
    ada.page.get_by_text("10 left.").wait_for()
    ada.check_access()
    sign_out(ada)
    ada.sign_in()
    ada.page.get_by_role("heading", name="Code of your second factor").wait_for()
    ada.check_access()
    ada.page.get_by_role("textbox", name="Code of your second factor").fill("000000")
    ada.page.get_by_role("button", name="Sign in").click()
    ada.page.get_by_text("That code is not right").wait_for()
    ada.page.get_by_role("textbox", name="Code of your second factor").fill(codes[0])
    ada.page.get_by_role("button", name="Sign in").click()
    ada.page.get_by_role("heading", name="Welcome, Ada").wait_for()
    settings(ada, "sign-in", "Signing in")
    ada.page.get_by_text("9 left.").wait_for()
    # A recovery code shows who it is, too; then the password alone signs in.
    ada.page.get_by_role("button", name="Turn off").click()
    ada.page.get_by_role("button", name="Use a code instead").click()
    dialog.get_by_label("Code of your second factor").fill(codes[1])
    dialog.get_by_role("button", name="Turn off").click()
    ada.page.get_by_text("Off: your password alone signs you in.").wait_for()
    sign_out(ada)
    ada.sign_in()
    ada.page.get_by_role("heading", name="Welcome, Ada").wait_for()


def device(member: Member) -> None:
    """Give a browser a device that keeps passkeys, and unlocks itself."""
    session = member.page.context.new_cdp_session(member.page)
    session.send("WebAuthn.enable")
    session.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )


def test_a_passkey_signs_in_and_shows_who_it_is_until_it_is_deleted(member: Make) -> None:
    ada = member("Ada")
    ada.sign_up()
    device(ada)
    settings(ada, "sign-in", "Signing in")
    ada.page.get_by_role("button", name="Add a passkey").click()
    ada.page.get_by_label("What to call it").fill("My laptop")
    ada.check_access()
    prove(ada, "Go on")
    keys = ada.page.get_by_role("list", name="Passkeys")
    keys.get_by_text("not used yet").wait_for()
    ada.page.get_by_role("button", name="Add a passkey").click()
    prove(ada, "Go on")
    ada.page.get_by_text("This device has a passkey of yours already.").wait_for()
    ada.page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    keys.get_by_role("button", name="Rename My laptop").click()
    ada.page.get_by_role("dialog").get_by_label("What to call it").fill("The laptop")
    ada.page.get_by_role("dialog").get_by_role("button", name="Save").click()
    keys.get_by_text("The laptop").wait_for()
    sign_out(ada)
    ada.check_access()
    ada.page.get_by_role("button", name="Continue with a passkey").click()
    ada.page.get_by_role("heading", name="Welcome, Ada").wait_for()
    settings(ada, "sign-in", "Signing in")
    keys.get_by_text("last used").wait_for()
    keys.get_by_role("button", name="Delete The laptop").click()
    ada.page.get_by_role("dialog").get_by_role("button", name="Confirm with a passkey").click()
    ada.page.get_by_text("You have none yet.").wait_for()
    sign_out(ada)
    ada.page.get_by_role("button", name="Continue with a passkey").click()
    ada.page.get_by_text("This passkey signs nobody in here.").wait_for()


def arrivals(page: Page) -> list[str]:
    """Where an app's people arrive: every address they are sent to."""
    found: list[str] = []

    def arrive(route: Route) -> None:
        found.append(route.request.url)
        route.fulfill(body="Back at the app")

    page.route(f"{BACK}*", arrive)
    return found


def test_an_app_is_let_in_by_who_signs_in_for_it_and_put_out_again(
    member: Make, live: Live
) -> None:
    app = App(live.sign_up("maker"), name="<b>Clocks</b>")
    asks = f"/oauth2/authorize?{urlencode(app.asks())}"
    ada = member("Ada")
    ada.sign_up()
    sign_out(ada)
    arrived = arrivals(ada.page)
    ada.go(asks)
    ada.page.get_by_role("heading", name="Welcome back").wait_for()
    ada.sign_in()
    ada.page.get_by_role("heading", name="Let <b>Clocks</b> in?").wait_for()
    ada.page.get_by_text("app.example.org").wait_for()
    ada.check_access()
    ada.page.get_by_role("button", name="No", exact=True).click()
    ada.page.get_by_text("Back at the app").wait_for()
    assert parse_qs(urlsplit(arrived[-1]).query)["error"] == ["access_denied"]
    ada.go(asks)
    ada.page.get_by_role("button", name="Let it in").click()
    ada.page.get_by_text("Back at the app").wait_for()
    query = parse_qs(urlsplit(arrived[-1]).query)
    assert query["state"] == ["xyz"]
    assert query["code"][0]
    # A yes is remembered: nobody is asked twice.
    ada.go(asks)
    ada.page.get_by_text("Back at the app").wait_for()
    assert parse_qs(urlsplit(arrived[-1]).query)["code"] != query["code"]
    settings(ada, "apps", "Apps")
    ada.check_access()
    ada.page.get_by_role("button", name="Take back what <b>Clocks</b> may do").click()
    ada.page.get_by_role("dialog").get_by_role("button", name="Take back", exact=True).click()
    ada.page.get_by_text("No app acts for you.").wait_for()
    ada.go(asks)
    ada.page.get_by_role("button", name="Let it in").wait_for()


@pytest.mark.parametrize(
    "lie",
    [
        {"redirect_uri": "javascript:document.title='taken'"},
        {"redirect_uri": "https://evil.example/back"},
        {"client_id": "app_00000000000000000000000000"},
        {"client_id": "x" * 5000},
        {"redirect_uri": [BACK, "https://evil.example/back"]},
    ],
    ids=lambda lie: f"{next(iter(lie))}-{len(str(lie))}",
)
def test_a_request_that_is_none_sends_nobody_anywhere(
    member: Make, live: Live, lie: dict[str, str | list[str]]
) -> None:
    app = App(live.sign_up("maker"))
    ada = member("Ada")
    ada.sign_up()
    ada.go(f"/oauth2/authorize?{urlencode({**app.asks(), **lie}, doseq=True)}")
    ada.page.get_by_role("heading", name="This request cannot be answered").wait_for()
    assert ada.page.get_by_role("button", name="Let it in").count() == 0
    assert ada.page.title() == "Creavio"
    assert urlsplit(ada.page.url).path == "/oauth2/authorize"
    ada.check_access()


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with providers.running() as found:
        yield found


@pytest.fixture(scope="module")
def federated(app: object, provider: Provider) -> Iterator[Live]:
    """A platform that names the provider."""
    named = {
        "id": "corp",
        "name": "Corp",
        "issuer": provider.url,
        "client_id": CLIENT,
        "client_secret": SECRET,
    }
    with running(CREAVIO_OIDC_PROVIDERS=json.dumps([named])) as platform:
        yield platform


@contextmanager
def there(member: Member, provider: Provider, subject: str) -> Iterator[None]:
    """Somebody signs in at the provider at once when they are sent there."""

    def answer(route: Route) -> None:
        said = provider.authorize(route.request.url, subject)
        back = parse_qs(urlsplit(route.request.url).query)["redirect_uri"][0]
        route.fulfill(status=302, headers={"location": f"{back}?{urlencode(said)}"})

    pattern = re.compile(re.escape(f"{provider.url}/authorize"))
    member.page.route(pattern, answer)
    yield
    member.page.unroute(pattern)


def test_an_account_elsewhere_signs_up_in_and_is_unlinked(
    member: Make, federated: Live, provider: Provider
) -> None:
    ada = member("Ada", live=federated)
    with there(ada, provider, ada.handle):
        ada.go("/sign-in")
        ada.page.get_by_role("button", name="Continue with Corp").click()
        ada.page.get_by_role("heading", name="Make an account").wait_for()
        assert "code=" not in ada.page.url
        ada.check_access()
        ada.page.get_by_label("Name", exact=True).fill("Ada")
        ada.page.get_by_label("Handle", exact=True).fill(ada.handle)
        ada.page.get_by_label("E-mail address").fill(ada.email)
        ada.page.get_by_role("button", name="Make my account").click()
        ada.page.get_by_role("heading", name="Welcome, Ada").wait_for()
        sign_out(ada)
        ada.check_access()
        ada.page.get_by_role("button", name="Continue with Corp").click()
        ada.page.get_by_role("heading", name="Welcome, Ada").wait_for()
        # Who never had a password shows at the provider who they are, and may choose one.
        settings(ada, "sign-in", "Signing in")
        ada.page.get_by_role("button", name="Change password").click()
        ada.page.get_by_role("button", name="Confirm at Corp").click()
        ada.page.get_by_role("dialog").wait_for(state="detached")
        ada.page.get_by_role("heading", name="Signing in").wait_for()
        ada.page.get_by_role("button", name="Change password").click()
        dialog = ada.page.get_by_role("dialog")
        dialog.get_by_text("You showed just now who you are.").wait_for()
        ada.check_access()
        dialog.get_by_label("New password").fill(PASSWORD)
        dialog.get_by_role("button", name="Change password").click()
        ada.page.get_by_text("Your password is changed.").wait_for()
    sign_out(ada)
    ada.sign_in()
    ada.page.get_by_role("heading", name="Welcome, Ada").wait_for()
    ken = member("Ken", live=federated)
    ken.sign_up()
    settings(ken, "sign-in", "Signing in")
    with there(ken, provider, ada.handle):
        ken.page.get_by_role("button", name="Link Corp").click()
        prove(ken, "Go to Corp")
        ken.page.get_by_text("that account is linked to somebody else here").wait_for()
        ken.page.get_by_role("button", name="Back").click()
    with there(ken, provider, ken.handle):
        ken.page.get_by_role("button", name="Link Corp").click()
        prove(ken, "Go to Corp")
        ken.page.get_by_role("list", name="Accounts elsewhere").get_by_text("Linked").wait_for()
        ken.check_access()
    ken.page.get_by_role("button", name="Unlink Corp").click()
    prove(ken, "Unlink")
    ken.page.get_by_role("button", name="Link Corp").wait_for()


def test_an_answer_this_window_did_not_ask_for_signs_nobody_in(
    member: Make, federated: Live, provider: Provider
) -> None:
    ada = member("Ada", live=federated)
    ada.go("/sign-in/corp?code=forged&state=forged")
    ada.page.get_by_text("This window did not ask for it.").wait_for()
    ada.check_access()
    provider.forge = "stranger"
    try:
        with there(ada, provider, ada.handle):
            ada.page.get_by_role("button", name="Sign in").click()
            ada.page.get_by_role("button", name="Continue with Corp").click()
            ada.page.get_by_text("The answer from there is over, or was not for here.").wait_for()
    finally:
        provider.forge = ""
    ada.go("/sign-in/corp?error=access_denied")
    ada.page.get_by_role("heading", name="That did not work").wait_for()
