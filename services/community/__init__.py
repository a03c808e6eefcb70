"""Communities, their channels, who belongs to them, and the way in.

Owns: communities, channels, members, invites.
Calls: rbac, before it acknowledges that somebody joined or left.
Emits: CommunityCreated, ChannelCreated, MemberJoined, MemberRemoved.
Consumes: nothing.
"""
