"""One RPC of the reference: what it promises, takes, answers, and how it fails."""

from __future__ import annotations

from collections.abc import Sequence

from tools import failures, paths
from tools.html import code, escape, facts, inline, prose, table
from tools.limits import limits_of, type_of
from tools.model import PACKAGE, Field, Model, Rpc
from tools.permissions import condition
from tools.prose import paragraphs
from tools.samples import Samples
from tools.schema import component, is_required

_OPTIONS = "creavio.options.v1"
_EMPTY = "google.protobuf.Empty"


def field_rows(model: Model, fields: Sequence[Field], *, sent: bool) -> str:
    """A table of fields; of those that are sent, it says which must be."""
    return table(
        ("Field", "Type", "Meaning"),
        [
            (
                code(field.name)
                + ('<span class="needed">required</span>' if sent and is_required(field) else ""),
                f'<span class="kind">{type_of(model, field)}</span>',
                inline(paragraphs(field.comment))
                + (
                    f'<span class="limit">{limit}</span>'
                    if (limit := limits_of(model, field))
                    else ""
                ),
            )
            for field in fields
        ],
    )


class Operations:
    """Renders the RPCs of one model and remembers what they answer with."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._samples = Samples(model)

    def render(self, rpc: Rpc) -> str:
        """The article about one RPC."""
        anchor = escape(f"{component(rpc.service)}.{rpc.name}")
        ways = "".join(
            f'<p class="wire"><b class="{b.verb}">{b.verb.upper()}</b>'
            f"{code(paths.parse(b.path).openapi)}</p>"
            for b in rpc.http
        )
        fields = self._model.messages[rpc.request].fields
        request = field_rows(self._model, fields, sent=True)
        return (
            f'<article id="{anchor}"><header>'
            f'<h3><a href="#{anchor}">{escape(rpc.name)}</a></h3>'
            f'<span class="kind">{code(rpc.path.removeprefix("/"))}</span></header>\n'
            f'<div class="columns"><div>{ways}{prose(rpc.comment)}{self._facts(rpc)}'
            + (f"<h4>Request</h4>{request}" if request else "")
            + f"<h4>Errors</h4>{self._errors(rpc)}</div>\n"
            f'<div class="samples">{self._sample(rpc)}</div></div></article>'
        )

    def objects(self) -> list[str]:
        """The messages and enums that answers, events and requests lead to, by full name."""
        found: set[str] = set()
        requests = [self._model.messages[rpc.request] for rpc in self._model.public_rpcs]
        waiting = [rpc.response for rpc in self._model.public_rpcs]
        waiting += [field.type for request in requests for field in request.fields]
        waiting += [field.type for event in self._model.events for field in event.fields]
        events = {event.name for event in self._model.events}
        while waiting:
            name = waiting.pop()
            if name in found or not name.startswith(PACKAGE):
                continue
            found.add(name)
            message = self._model.messages.get(name)
            waiting += [field.type for field in message.fields] if message else []
        return sorted(found - events)

    def _facts(self, rpc: Rpc) -> str:
        policy = rpc.policy
        if policy.access == "PERMISSION":
            who = condition(policy.scope, policy.scope_field, policy.permission)
        else:
            who = self._means("Access", "ACCESS", policy.access)
        return facts(
            (
                ("Who may call", who),
                ("Sent twice", self._repeated(rpc)),
                ("Counted as", self._means("RateLimit", "RATE_LIMIT", policy.rate_limit)),
                ("Takes at most", f"{policy.deadline:g} s" if policy.deadline else "open end"),
                ("Request up to", f"{policy.max_request_bytes:,} bytes"),
            )
        )

    def _repeated(self, rpc: Rpc) -> str:
        if rpc.policy.idempotency != "KEYED":
            return self._means("Idempotency", "IDEMPOTENCY", rpc.policy.idempotency)
        return (
            f"Name the request in {code(rpc.policy.idempotency_field)} or the "
            f"{code('Idempotency-Key')} header: within a day it is done once."
        )

    def _means(self, enum: str, prefix: str, name: str) -> str:
        values = self._model.enums[f"{_OPTIONS}.{enum}"].values
        comment = next(v.comment for v in values if v.name == f"{prefix}_{name}")
        return inline(paragraphs(comment))

    def _errors(self, rpc: Rpc) -> str:
        return table(
            ("Status", "Reason", "When"),
            [
                (f'<span class="status">{status}</span>', code(reason), inline(meaning))
                for status, reasons in failures.of_rpc(self._model, rpc).items()
                for reason, meaning in reasons.items()
            ],
            kind="errors",
        )

    def _sample(self, rpc: Rpc) -> str:
        binding = rpc.http[0] if rpc.http else None
        if binding is None:
            within: frozenset[str] = frozenset()
            lines = [f"gRPC {rpc.path.removeprefix('/')}"]
        else:
            template = paths.parse(binding.path)
            within = template.fields
            lines = [f"{binding.verb.upper()} {self._samples.path(rpc.request, template.openapi)}"]
        if rpc.policy.access != "ANONYMOUS":
            lines.append("Authorization: Bearer eyJhbGciOi…")
        events = rpc.streaming and binding is not None
        if events:
            lines.append("Accept: text/event-stream")
        sends = binding is None or binding.body
        body = self._samples.sent(rpc.request, within) if sends else ""
        sent = "\n".join(lines) + (f"\n\n{body}" if body else "")
        answer = "{}" if rpc.response == _EMPTY else self._samples.answered(rpc.response)
        if events:
            answer = "data: " + " ".join(answer.split())
        more = ""
        if rpc.response != _EMPTY:
            target = escape(component(rpc.response))
            more = f' <a href="#{target}">{escape(target.rpartition(".")[2])}</a>'
        return (
            f"<h4>Request</h4><pre><code>{escape(sent)}</code></pre>"
            f"<h4>Answer{more}</h4><pre><code>{escape(answer)}</code></pre>"
        )
