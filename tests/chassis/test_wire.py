"""An update changes exactly what it says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from google.protobuf.field_mask_pb2 import FieldMask
from hypothesis import given
from hypothesis import strategies as st
import pytest

from chassis.errors import Invalid
from chassis.wire import changes, timestamp
from creavio.user.v1.user_service_pb2 import UpdateMeRequest

EDITABLE = {"display_name", "bio"}
fields = st.dictionaries(st.sampled_from(sorted(EDITABLE)), st.text(max_size=5))


def with_fields(present: dict[str, str]) -> UpdateMeRequest:
    request = UpdateMeRequest()
    for name, value in present.items():
        setattr(request, name, value)
    return request


@given(fields)
def test_without_a_mask_what_is_present_changes(present: dict[str, str]) -> None:
    assert changes(with_fields(present), EDITABLE) == present


@given(fields, st.lists(st.sampled_from(sorted(EDITABLE)), min_size=1, unique=True))
def test_a_mask_says_what_changes_and_clears_what_is_absent(
    present: dict[str, str], masked: list[str]
) -> None:
    request = with_fields(present)
    request.update_mask.CopyFrom(FieldMask(paths=masked))
    assert changes(request, EDITABLE) == {name: present.get(name) for name in masked}


@pytest.mark.parametrize("path", ["id", "handle", "user.bio", "update_mask", "*", ""])
def test_a_mask_cannot_name_another_field(path: str) -> None:
    request = UpdateMeRequest(bio="x", update_mask=FieldMask(paths=["bio", path]))
    with pytest.raises(Invalid) as refused:
        changes(request, EDITABLE)
    assert refused.value.fields[0][0] == "update_mask"


@given(
    st.datetimes(datetime(1970, 1, 2), datetime(9999, 12, 30)),
    st.integers(-12, 12).map(lambda hours: timezone(timedelta(hours=hours))),
)
def test_a_moment_is_written_whatever_its_time_zone(moment: datetime, zone: timezone) -> None:
    local = moment.replace(tzinfo=zone)
    assert timestamp(local).ToDatetime(UTC) == local
