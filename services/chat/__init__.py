"""Messages, conversations, and the order of everything that happens in a channel.

Owns: messages, who is mentioned in them, what they said before, reactions, pins,
conversations, threads and who follows them, drafts, bookmarks, messages that wait, each
place's sequence and slow mode, and what people have read.
Calls: community, for a channel it has not heard of; rbac, for who may do what, and for
somebody's roles.
Emits: MessageCreated, MessageUpdated, MessageDeleted, ReactionAdded, ReactionRemoved,
ConversationCreated, ReadStateUpdated, SlowModeChanged, ThreadCreated, ThreadUpdated,
ThreadDeleted, ThreadFollowChanged, ConversationUpdated, ConversationMemberRemoved,
PersonErased, DraftSaved, DraftDeleted, BookmarkAdded, BookmarkRemoved,
ScheduledMessageChanged, ScheduledMessageRemoved, PollUpdated.
Consumes: community's ChannelCreated, ChannelDeleted and MemberJoined; user's UserBlocked,
UserUnblocked and UserErased.
"""
