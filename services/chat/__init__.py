"""Messages, and the order of everything that happens in a channel.

Owns: messages, and each channel's sequence.
Calls: community, for a channel it has not heard of.
Emits: MessageCreated, MessageUpdated, MessageDeleted.
Consumes: community's ChannelCreated.
"""
