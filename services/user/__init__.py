"""People and what they tell about themselves.

Owns: profiles, and with them who has which handle; blocks; settings; who was erased.
Calls: nobody.
Emits: UserUpdated, UserBlocked, UserUnblocked, SettingsUpdated, UserErased.
Consumes: that the others have erased somebody.
"""
