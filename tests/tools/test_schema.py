"""Published limits are the enforced ones, and none is dropped."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from google.protobuf import message_factory
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
import pytest

from chassis import catalog as catalogs
from chassis import contract as contracts
from tests.tools.enforced import refused_fields
from tools import failures, paths, proto, reader, schema
from tools.model import EnumValue, Field, Message, Model
from tools.paths import TemplateError, Variable
from tools.schema import UnrenderedRuleError

MODEL = reader.load((proto.ROOT / proto.DESCRIPTORS).read_bytes())
CONTRACT = contracts.load(catalogs.load())
TEXTS = sorted(
    (rpc.path, field.name)
    for rpc in MODEL.public_rpcs
    for field in MODEL.messages[rpc.request].fields
    # An address is what the platform says it is; JSON Schema's format is a hint.
    if field.kind == "string" and not field.repeated and field.name != "email"
)


def field(kind: str = "string", **options: Any) -> Field:
    default: dict[str, Any] = {
        "name": "it",
        "kind": kind,
        "type": "",
        "comment": "",
        "repeated": False,
        "presence": False,
        "oneof": "",
        "rules": {},
    }
    return Field(**(default | options))


@pytest.mark.parametrize(("path", "name"), TEXTS)
# Most rules stand on many fields: what a few texts miss on one, they meet on another.
@settings(max_examples=30)
@given(data=st.data())
def test_a_text_is_accepted_exactly_when_the_schema_accepts_it(
    path: str, name: str, data: st.DataObject
) -> None:
    rpc = CONTRACT.rpcs[path]
    described = MODEL.messages[rpc.descriptor.input_type.full_name]
    one = next(field for field in described.fields if field.name == name)
    published = schema.of_field(MODEL, one)
    pattern = published.get("pattern", "")
    assert isinstance(pattern, str)
    texts = st.text(max_size=40) | st.text(alphabet="aZ0_.-\x1f\x7fé", max_size=40)
    text = data.draw(texts | st.from_regex(pattern) if pattern else texts)
    # Python's `$` also matches before a last newline; ECMA-262's and RE2's do not.
    text = text.rstrip("\n")
    request = message_factory.GetMessageClass(rpc.descriptor.input_type)(**{name: text})
    refused = refused_fields(request)
    assert Draft202012Validator(published).is_valid(text) == (name not in refused)


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (field("int64"), {"type": "string", "format": "int64"}),
        (
            field("int64", rules={"int64": {"gte": 1}}),
            {"type": "string", "format": "int64", "x-creavio-minimum": 1},
        ),
        (
            field("uint32", rules={"uint32": {"lte": 9}}),
            {"type": "integer", "minimum": 0, "maximum": 9},
        ),
        (field("double", rules={"double": {"gt": 0}}), {"type": "number", "exclusiveMinimum": 0}),
        (field("bool"), {"type": "boolean"}),
        (
            field("bytes", rules={"bytes": {"max_len": 32}}),
            {"type": "string", "contentEncoding": "base64", "maxLength": 44},
        ),
        (
            field(rules={"string": {"uri": True, "max_len": 9}}),
            {"type": "string", "format": "uri", "maxLength": 9},
        ),
        (
            field(rules={"string": {"in": ["a", "b"]}}),
            {"type": "string", "enum": ["a", "b"]},
        ),
        (
            field(
                repeated=True,
                rules={"repeated": {"max_items": 3, "items": {"string": {"max_len": 5}}}},
            ),
            {"type": "array", "maxItems": 3, "items": {"type": "string", "maxLength": 5}},
        ),
        (
            field("message", type="google.protobuf.Timestamp", presence=True, comment="When."),
            {"type": "string", "format": "date-time", "description": "When."},
        ),
        (
            field("enum", type="creavio.a.v1.Kind", rules={"enum": {"not_in": [0]}}),
            {"$ref": "#/components/schemas/a.v1.Kind", "not": {"pattern": "_UNSPECIFIED$"}},
        ),
    ],
)
def test_a_field_in_json_schema(one: Field, expected: dict[str, Any]) -> None:
    described = schema.of_field(Model(), one)
    assert described == expected
    Draft202012Validator.check_schema(described)


def test_a_map_is_an_object() -> None:
    entry = Message("creavio.a.v1.It.NamesEntry", "", "", (field(), field("int32")), True, None)
    model = Model(messages={entry.name: entry})
    one = field("message", type=entry.name, repeated=True)
    expected = {"type": "object", "additionalProperties": {"type": "integer", "format": "int32"}}
    assert schema.of_field(model, one) == expected


@pytest.mark.parametrize(
    "one",
    [
        field(rules={"string": {"prefix": "x"}}),
        field(rules={"cel": [{"id": "x"}]}),
        field("int32", rules={"int32": {"not_in": [1]}}),
        field("bytes", rules={"bytes": {"ip": True}}),
        field("enum", type="creavio.a.v1.Kind", rules={"enum": {"in": [1]}}),
        field(repeated=True, rules={"repeated": {"max_items": 1, "cel": []}}),
    ],
)
def test_a_limit_that_cannot_be_published_is_an_error(one: Field) -> None:
    with pytest.raises(UnrenderedRuleError):
        schema.of_field(Model(), one)


@pytest.mark.parametrize(
    ("one", "required"),
    [
        (field(), False),
        (field(rules={"string": {"max_len": 5}}), False),
        (field(rules={"string": {"min_len": 1}}), True),
        (field(rules={"string": {"min_len": 1}}, presence=True), False),
        (field(rules={"required": True}, presence=True), True),
        (field(rules={"string": {"pattern": "^a"}}), True),
        (field(rules={"string": {"pattern": "^a*$"}}), False),
        (field(rules={"string": {"uuid": True}}), True),
        (field(rules={"string": {"in": ["a"]}}), True),
        (field(rules={"string": {"in": ["", "a"]}}), False),
        (field("int64", rules={"int64": {"gte": 1}}), True),
        (field("int32", rules={"int32": {"gte": 0, "lte": 5}}), False),
        (field("int32", rules={"int32": {"gt": 0}}), True),
        (field("int32", rules={"int32": {"lt": 0}}), True),
        (field("enum", type="creavio.a.v1.Kind", rules={"enum": {"not_in": [0]}}), True),
        (field(repeated=True, rules={"repeated": {"min_items": 1}}), True),
        (field(repeated=True, rules={"repeated": {"max_items": 1}}), False),
    ],
)
def test_required_is_what_may_not_be_empty(one: Field, required: bool) -> None:
    assert schema.is_required(one) == required


def test_one_of_several_is_said() -> None:
    pair = tuple(field(name=name, oneof="how", presence=True) for name in ("a", "b"))
    described = schema.of_message(
        Model(), Message("creavio.a.v1.It", "", "It.", pair, False, None), sent=False
    )
    assert described["description"] == "It.\n\nAt most one is present (how): `a`, `b`."
    assert "required" not in described


@pytest.mark.parametrize(
    ("path", "published", "variables"),
    [
        ("/v1/users/me", "/v1/users/me", []),
        ("/v1/invites/{code}:accept", "/v1/invites/{code}:accept", ["code"]),
        ("/v1/{name=*}", "/v1/{name}", ["name"]),
        ("/v1/{name=rooms/*}:close", "/v1/rooms/{name}:close", ["name"]),
        ("/v1/{name=rooms/*/seats/*}", "/v1/rooms/{name}/seats/{name_2}", ["name", "name_2"]),
        ("/v1/files/{path=**}", "/v1/files/{path}", ["path"]),
        ("/v1/{it.id}/parts/{part}", "/v1/{it.id}/parts/{part}", ["it.id", "part"]),
    ],
)
def test_a_path_in_openapi(path: str, published: str, variables: list[str]) -> None:
    template = paths.parse(path)
    assert template.openapi == published
    assert [variable.name for variable in template.variables] == variables


def test_a_part_of_a_field_says_of_what() -> None:
    (variable,) = paths.parse("/v1/files/{path=files/**}").variables
    expected = "Its part of `path`, which is `files/**`. May hold slashes."
    assert variable == Variable("path", "path", expected)


def test_a_wildcard_without_a_field_is_refused() -> None:
    with pytest.raises(TemplateError):
        paths.parse("/v1/*/parts")


def test_every_reason_has_a_status() -> None:
    assert set(failures.reasons(MODEL)) == set(failures.STATUS)


def test_a_reason_without_a_status_is_refused() -> None:
    enum = MODEL.enums[failures.REASONS]
    more = (*enum.values, EnumValue("REASON_OUT_OF_PAPER", 99, "No paper."))
    model = Model(MODEL.services, MODEL.messages, {enum.name: replace(enum, values=more)})
    rpc = replace(MODEL.public_rpcs[0], comment="Fails with OUT_OF_PAPER.")
    assert failures.unknown(model, rpc) == ("OUT_OF_PAPER",)
