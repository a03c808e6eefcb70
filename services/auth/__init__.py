"""Who can sign in, and who is signed in.

Owns: accounts, passwords, sessions, the keys of access tokens.
Calls: user, for the profile that comes with an account.
Emits: nothing.
Consumes: nothing.
"""
