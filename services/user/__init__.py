"""People and what they tell about themselves.

Owns: profiles, and with them who has which handle.
Calls: nobody.
Emits: UserUpdated.
Consumes: nothing.
"""
