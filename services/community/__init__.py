"""Communities, their channels, who belongs to them, and the way in.

Owns: communities, categories, channels, members, invites, bans, emoji, calendars, templates,
onboarding, the audit logs.
Calls: rbac, before it acknowledges that somebody joined or left or owns a community; user,
for who is a bot.
Emits: CommunityCreated, CommunityUpdated, ChannelCreated, ChannelUpdated, ChannelDeleted,
CategoryCreated, CategoryUpdated, CategoryDeleted, MemberJoined, MemberRemoved, EmojiCreated,
EmojiUpdated, EmojiDeleted, CalendarEventSaved, ChannelCalendarEventSaved, OnboardingUpdated,
OnboardingCompleted, OnboardingAnswered, PersonErased.
Consumes: MemberTimedOut, MemberTimeoutEnded and PolicyDeed, into the audit logs; UserErased.
"""
