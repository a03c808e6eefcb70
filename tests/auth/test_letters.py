"""Mail says what it is to say, and nothing that whoever caused it made up."""

from __future__ import annotations

from email import message_from_bytes, policy

from hypothesis import given
from hypothesis import strategies as st
import pytest

from chassis import ids
from creavio.auth.v1.password_service_pb2 import RequestPasswordResetRequest
from services.auth.domain import MailKind
from services.auth.engine.letters import Letters, NoAddressError, message
from tests.tools.enforced import refused_fields

SENDER = "Creavio <no-reply@example.org>"
HEADERS = {
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "Content-Type",
    "Content-Transfer-Encoding",
    "MIME-Version",
}
LETTERS = Letters("https://talk.example.org")
NOTICES = sorted(
    set(MailKind)
    - {
        MailKind.VERIFY_EMAIL,
        MailKind.CHANGE_EMAIL,
        MailKind.RESET_PASSWORD,
        MailKind.PASSWORD_CHANGED,
        MailKind.EMAIL_CHANGED,
    }
)
ADDRESSES = st.one_of(
    st.text(max_size=60),
    st.emails(),
    st.tuples(
        st.emails(),
        st.sampled_from(["\r\n", "\n", "\r", "\0", ", ", ";", "<", "\r\nBcc: "]),
        st.emails(),
    ).map("".join),
)


@given(ADDRESSES)
def test_an_address_is_the_only_one_mail_is_for_or_there_is_no_mail(address: str) -> None:
    try:
        made = message(ids.new(), SENDER, address, LETTERS.verify("ada", "token"))
    except NoAddressError:
        return
    for accepted in [made, message_from_bytes(made.as_bytes(), policy=policy.default)]:
        assert set(accepted.keys()) == HEADERS
        assert len(accepted.keys()) == len(HEADERS)
        (to,) = accepted["To"].addresses
        assert to.addr_spec == made["To"].addresses[0].addr_spec


@given(st.emails())
def test_what_the_contract_takes_can_be_written_to(address: str) -> None:
    if not refused_fields(RequestPasswordResetRequest(email=address)):
        made = message(ids.new(), SENDER, address, LETTERS.reset("ada", "token"))
        (to,) = message_from_bytes(made.as_bytes(), policy=policy.default)["To"].addresses
        assert to.addr_spec == address


@pytest.mark.parametrize(
    "address",
    [
        "ada@example.org\r\nBcc: eve@example.org",
        "ada@example.org\nSubject: x",
        "ada@example.org, eve@example.org",
        "ada@example.org\r\n\r\nbody",
        "",
        "@",
    ],
)
def test_no_address_begins_a_header_or_names_another(address: str) -> None:
    with pytest.raises(NoAddressError):
        message(ids.new(), SENDER, address, LETTERS.known("ada"))
    assert "email" in refused_fields(RequestPasswordResetRequest(email=address))


@pytest.mark.parametrize(
    "address",
    [
        '""@example.org',
        "ada(a comment)@example.org",
        "ada@[example.org",
        "ada@[ ",
        f'"a, eve@example.org {"x" * 60}"@example.org',
        "ada@ex\u00e4mple.org",
        f"ada@{'b' * 250}.org",
    ],
)
def test_what_mail_cannot_be_for_gets_none(address: str) -> None:
    with pytest.raises(NoAddressError):
        message(ids.new(), SENDER, address, LETTERS.known("ada"))


def test_a_token_stands_where_no_server_sees_it() -> None:
    for page, letter in {
        "verify-email": LETTERS.verify("ada", "to.ken"),
        "reset-password": LETTERS.reset("ada", "to.ken"),
    }.items():
        assert f"https://talk.example.org/{page}#token=to.ken\n" in letter.body
        read = message_from_bytes(
            message(ids.new(), SENDER, "ada@example.org", letter).as_bytes(), policy=policy.default
        )
        # Whole: a link that is broken over lines leads nowhere.
        assert f"https://talk.example.org/{page}#token=to.ken\n" in read.get_content().replace(
            "\r\n", "\n"
        )


@pytest.mark.parametrize("kind", NOTICES)
def test_every_notice_says_whose_account_and_what_to_do(kind: MailKind) -> None:
    letter = LETTERS.notice(kind, "ada")
    assert letter.subject
    assert "@ada" in letter.body
    assert "reset your password now" in letter.body


def test_mail_answers_nobody_and_is_answered_by_no_machine() -> None:
    made = message(ids.new(), SENDER, "ada@example.org", LETTERS.password_changed("ada"))
    assert made["Auto-Submitted"] == "auto-generated"
    assert "@ada" in made.get_content()
