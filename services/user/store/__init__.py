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
    take_untold_standings,
)
from services.user.store.settings import direct_messages_of, keep_settings, settings_of

__all__ = [
    "add",
    "add_block",
    "apart_from",
    "blocking",
    "blocks_of",
    "by_handle",
    "direct_messages_of",
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
    "take_untold_standings",
]
