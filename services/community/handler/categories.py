"""CategoryService."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from google.protobuf.empty_pb2 import Empty

from chassis import idempotency
from chassis.calls import principal
from chassis.database import Database, Transaction
from creavio.community.v1 import category_pb2, category_service_pb2
from creavio.community.v1.category_service_pb2_grpc import CategoryServiceServicer
from services.community import convert, domain, events, store
from services.community.domain import order
from services.community.domain.audit import Action, Deed, Difference, differences

_EDITED: Final = ("name", "after_category_id")


class CategoryHandler(CategoryServiceServicer):
    """Creates, shows, renames, orders and deletes categories."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def CreateCategory(
        self, request: category_service_pb2.CreateCategoryRequest, context: object
    ) -> category_pb2.Category:
        community_id = convert.community_id(request.community_id)
        async with self._database.transaction() as tx:
            claim = await idempotency.claim(tx, category_pb2.Category)
            if claim.reply is not None:
                return claim.reply
            await store.community_to_change(tx, community_id)
            others = await store.categories_of(tx, community_id)
            domain.may_have_another_category(len(others))
            category = domain.new_category(community_id, request.name, 0, datetime.now(UTC))
            await store.add_category(tx, category)
            placed = order.joined([(c.id, c.position) for c in others], [category.id])
            for each in await store.place_categories(tx, placed):
                if each.id == category.id:
                    category = each
                else:
                    tx.emit(events.category_updated(each))
            tx.emit(events.category_created(category))
            await store.write_down(tx, _deed(category, Action.CATEGORY_CREATED))
            return await claim.keep(convert.category(category))

    async def ListCategories(
        self, request: category_service_pb2.ListCategoriesRequest, context: object
    ) -> category_service_pb2.ListCategoriesResponse:
        async with self._database.reading() as tx:
            found = await store.categories_of(tx, convert.community_id(request.community_id))
        return category_service_pb2.ListCategoriesResponse(
            categories=[convert.category(category) for category in found]
        )

    async def UpdateCategory(
        self, request: category_service_pb2.UpdateCategoryRequest, context: object
    ) -> category_pb2.Category:
        community_id = convert.community_id(request.community_id)
        category_id = convert.category_id(request.category_id)
        assert category_id is not None, "the contract demands one"
        fields = convert.fields_to_change(request, request.update_mask, _EDITED)
        after_id = convert.category_id(request.after_category_id, "after_category_id")
        async with self._database.transaction() as tx:
            await store.community_to_change(tx, community_id)
            before = await store.category(tx, community_id, category_id)
            domain.unchanged(request.etag, before.etag, "the category")
            category = domain.renamed(before, request.name if "name" in fields else None)
            if category != before:
                await store.rename_category(tx, category)
            changed = [category] if category != before else []
            if "after_category_id" in fields:
                others = await store.categories_of(tx, community_id)
                standing = [(c.id, c.position) for c in others if c.id != category_id]
                if after_id is not None and after_id not in {one for one, _ in standing}:
                    raise domain.CategoryNotFound
                placed = order.placed(standing, category_id, after_id)
                changed = list(await store.place_categories(tx, placed))
            category = next((each for each in changed if each.id == category_id), category)
            for each in changed:
                tx.emit(events.category_updated(each))
            if category != before:
                said = differences(before, category, ("name", "position"))
                await store.write_down(tx, _deed(category, Action.CATEGORY_UPDATED, said))
        return convert.category(category)

    async def DeleteCategory(
        self, request: category_service_pb2.DeleteCategoryRequest, context: object
    ) -> Empty:
        community_id = convert.community_id(request.community_id)
        category_id = convert.category_id(request.category_id)
        assert category_id is not None, "the contract demands one"
        async with self._database.transaction() as tx:
            await store.community_to_change(tx, community_id)
            try:
                category = await store.category(tx, community_id, category_id)
            except domain.CategoryNotFound:
                return Empty()
            await _let_out(tx, category)
            await store.delete_category(tx, category_id)
            tx.emit(events.category_deleted(category))
            await store.write_down(tx, _deed(category, Action.CATEGORY_DELETED))
        return Empty()


async def _let_out(tx: Transaction, category: domain.Category) -> None:
    """Put the channels of a category after those that are in none."""
    inside = await store.standing_in(tx, category.community_id, category.id)
    if inside:
        others = await store.standing_in(tx, category.community_id, None)
        placed = order.joined(others, [channel_id for channel_id, _ in inside])
        for channel in await store.place_channels(tx, placed, None):
            tx.emit(events.channel_updated(channel))


def _deed(category: domain.Category, action: Action, said: tuple[Difference, ...] = ()) -> Deed:
    return Deed(
        category.community_id,
        convert.user_id(principal().user_id),
        action,
        convert.category_text(category.id),
        category.name,
        differences=said,
    )
