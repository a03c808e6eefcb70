"""The beginning of the reference: how to call, and how calls fail."""

from __future__ import annotations

from typing import Final

from tools import failures
from tools.html import code, escape, inline, table
from tools.model import Model

MARK: Final = (
    '<svg class="mark" viewBox="0 0 32 32" fill="none" aria-hidden="true">'
    '<path class="ring" stroke-width="4.6" stroke-linecap="round" '
    'd="M23.4 8.3A11 11 0 1 0 23.4 23.7"/><circle class="guest" cx="26.5" cy="16" r="3.3"/></svg>'
)
_SIGN_IN: Final = """\
curl http://127.0.0.1:8080/v1/sessions \\
  -H 'content-type: application/json' \\
  -d '{"login": "ada", "password": "…"}'"""
_SEND: Final = """\
curl http://127.0.0.1:8080/v1/channels/$CHANNEL/messages \\
  -H "authorization: Bearer $TOKEN" \\
  -H 'content-type: application/json' \\
  -H 'idempotency-key: 1' \\
  -d '{"content": "Good morning!"}'"""
_LISTEN: Final = """\
curl -N http://127.0.0.1:8080/v1/events \\
  -H "authorization: Bearer $TOKEN" \\
  -H 'accept: text/event-stream'"""
_ERROR: Final = """\
{
  "code": 7,
  "message": "You cannot do this here.",
  "details": [{
    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
    "reason": "PERMISSION_DENIED",
    "domain": "creavio"
  }]
}"""


def render(model: Model) -> str:
    """The first two sections."""
    return (
        "<h1>Build on Creavio</h1>\n"
        '<p class="lead">Every call is there as REST, gRPC and gRPC-Web, from one contract. What '
        "this page says of a call is what the platform enforces: limits, permissions, errors and "
        "deadlines come from the same source.</p>\n"
        '<section id="start" aria-labelledby="start-title">\n'
        '<header><h2 id="start-title">Start here</h2></header>\n<div class="start">'
        + _step(
            "Sign in",
            "The answer carries an `access_token` for a few minutes, and a "
            "`refresh_token` for the next one.",
            _SIGN_IN,
        )
        + _step(
            "Say something",
            "With an idempotency key, a request that is sent again is still done once.",
            _SEND,
        )
        + _step(
            "Listen",
            "One stream tells everything its person may see. Keep the latest "
            "`resume_token`: with it nothing is missed.",
            _LISTEN,
        )
        + _conventions()
        + "</div>\n</section>\n"
        '<section id="errors" aria-labelledby="errors-title">\n'
        '<header><h2 id="errors-title">Errors</h2><p>Every failure has this shape, whoever noticed '
        "it. Branch on the reason: it is never renamed. The message is for people and may "
        "change.</p></header>\n"
        f"<pre><code>{escape(_ERROR)}</code></pre>\n"
        + table(
            ("Status", "Reason", "Meaning"),
            [
                (
                    f'<span class="status">{failures.STATUS[reason]}</span>',
                    code(reason),
                    inline(text),
                )
                for reason, text in failures.reasons(model).items()
            ],
            kind="errors",
        )
        + "</section>\n"
    )


def _step(title: str, text: str, sample: str) -> str:
    return (
        f"<div><h3>{title}</h3><p>{inline(text)}</p>"
        f"<pre><code>{escape(sample)}</code></pre></div>\n"
    )


def _conventions() -> str:
    return (
        "<div><h3>What holds everywhere</h3><p>Fields are named as here. 64-bit integers travel as "
        "strings, times as RFC 3339 in UTC. Every field of an answer is present, also when it is "
        "empty; only objects, and times that never came, are left out.</p><p>Lists come in pages: "
        f"{code('next_page_token')} of one answer is {code('page_token')} of the next request, and "
        f"an empty one ends the list.</p><p>{code('PATCH')} changes exactly the fields that are "
        f"present; {code('update_mask')} names fields to clear.</p></div>\n"
    )
