"""The live event stream: one per browser.

Owns: open streams, and what of the others' events each may see.
Calls: community, for where a person belongs and for a channel it has not heard of.
Emits: nothing.
Consumes: nothing durably; follows everything that may reach a browser.
"""
