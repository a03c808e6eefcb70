"""The live event stream: one per browser.

Owns: open streams, what of the others' events each may see, who is there, who writes.
Calls: rbac, for who may see what; community, for where a channel belongs; chat, for
the members of a conversation; everybody, for what they keep of somebody who asks.
Emits: nothing that is kept.
Consumes: nothing durably; follows everything that may reach a browser.
"""
