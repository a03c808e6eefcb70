"""What is read from the contracts is what they say."""

from __future__ import annotations

from chassis import catalog as catalogs
from chassis import contract as contracts
from chassis.contract import Contract, field_at
from chassis.subjects import filters_for, subject_for
from creavio.chat.v1 import chat_events_pb2, message_pb2, message_service_pb2
from creavio.options.v1 import permission_pb2, rpc_pb2


def test_every_rpc_of_every_service_is_there(contract: Contract) -> None:
    catalog = catalogs.load()
    for name, entry in catalog.services.items():
        methods = {
            f"/{service.full_name}/{method.name}"
            for file in contract.files
            if file.package == entry.contract
            for service in file.services_by_name.values()
            for method in service.methods
        }
        assert methods
        assert {rpc.path for rpc in contract.rpcs_of(name)} == methods


def test_an_rpc_carries_its_policy(contract: Contract) -> None:
    rpc = contract.rpcs["/creavio.chat.v1.MessageService/CreateMessage"]
    assert (rpc.service, rpc.deadline, rpc.public, rpc.repeatable) == ("chat", 5.0, True, False)
    assert rpc.policy.access == rpc_pb2.ACCESS_PERMISSION
    assert rpc.policy.permission.require == permission_pb2.PERMISSION_SEND_MESSAGES
    assert rpc.policy.idempotency_field == "nonce"
    assert rpc.http[0].post == "/v1/channels/{channel_id}/messages"


def test_a_live_stream_has_no_deadline(contract: Contract) -> None:
    assert contract.rpcs["/creavio.gateway.v1.GatewayService/Subscribe"].deadline == 0


def test_only_what_anybody_may_read_is_open_to_every_service(contract: Contract) -> None:
    opened = {rpc.path for rpc in contract.rpcs.values() if rpc.open_to_services}
    assert opened == {
        "/creavio.auth.v1.IdentityService/BeginProviderSignIn",
        "/creavio.auth.v1.IdentityService/ListProviders",
        "/creavio.auth.v1.KeyService/GetKeySet",
        "/creavio.auth.v1.OAuthService/GetServerMetadata",
        "/creavio.auth.v1.PasskeyService/BeginPasskeySignIn",
        "/creavio.auth.v1.RegistrationService/GetRegistration",
        "/creavio.auth.v1.RevocationService/ListRevocations",
    }


def test_an_event_carries_its_policy_and_its_type(contract: Contract) -> None:
    event = contract.events["creavio.chat.v1.MessageCreated"]
    assert event.message is chat_events_pb2.MessageCreated
    assert (event.service, event.type) == ("chat", "creavio.chat.v1.MessageCreated")
    assert list(event.policy.subject_fields) == ["community_id", "message.channel_id"]


def test_what_has_no_event_option_is_no_event(contract: Contract) -> None:
    assert message_pb2.Message.DESCRIPTOR.full_name not in contract.events
    assert "creavio.rbac.v1.Heartbeat" not in contract.events


def test_every_field_a_policy_names_exists(contract: Contract) -> None:
    for event in contract.events.values():
        body = event.message()
        for path in (*event.policy.subject_fields, *(v.field for v in event.policy.visible_to)):
            assert isinstance(field_at(body, path), str), f"{event.type}.{path}"


def test_a_subject_names_the_event_and_its_scopes(contract: Contract) -> None:
    body = chat_events_pb2.MessageCreated(
        message=message_pb2.Message(channel_id="chn_1"), community_id="com_1"
    )
    event = contract.events[body.DESCRIPTOR.full_name]
    assert subject_for(event, body) == "creavio.chat.v1.message_created.com_1.chn_1"
    assert filters_for([event.type]) == ["creavio.chat.v1.message_created.>"]


def test_a_contract_is_read_once() -> None:
    assert contracts.load(catalogs.load()) is contracts.load(catalogs.load())


def test_a_request_message_belongs_to_one_rpc(contract: Contract) -> None:
    inputs = [rpc.descriptor.input_type.full_name for rpc in contract.rpcs.values()]
    assert len(inputs) == len(set(inputs))
    assert message_service_pb2.CreateMessageRequest.DESCRIPTOR.full_name in inputs
