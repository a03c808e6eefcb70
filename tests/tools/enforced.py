"""What services enforce, asked of the validator they use."""

from __future__ import annotations

from google.protobuf.message import Message
import protovalidate

_VALIDATOR = protovalidate.Validator()


def refused_fields(message: Message) -> set[str]:
    """The fields of a request that break a rule."""
    return {
        violation.proto.field.elements[0].field_name
        for violation in _VALIDATOR.collect_violations(message)
        if violation.proto.field is not None
    }
