"""Who can sign in, and who is signed in.

Owns: accounts, their addresses and passwords, sessions, the keys of access tokens, and
the mail that goes with them.
Calls: user, for the profile that comes with an account and goes with it; rbac, for what
hangs on somebody who wants to go.
Emits: that a session was ended; PersonErased.
Consumes: UserErased.
"""
