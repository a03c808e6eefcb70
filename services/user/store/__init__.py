"""Where profiles, blocks and settings are kept."""

from services.user.store.blocks import (
    add_block,
    apart_from,
    blocking,
    blocks_of,
    remove_block,
    take_untold,
)
from services.user.store.profiles import (
    add,
    by_handle,
    profile_of,
    profile_to_change,
    profiles_of,
    rename,
    save,
    set_deactivated,
)
from services.user.store.settings import keep_settings, settings_of

__all__ = [
    "add",
    "add_block",
    "apart_from",
    "blocking",
    "blocks_of",
    "by_handle",
    "keep_settings",
    "profile_of",
    "profile_to_change",
    "profiles_of",
    "remove_block",
    "rename",
    "save",
    "set_deactivated",
    "settings_of",
    "take_untold",
]
