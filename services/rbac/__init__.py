"""Who may do what, where.

Owns: roles, what they allow, who has which, and the revision all of it stands at.
Calls: nobody.
Emits: PolicyChanged, BindingChanged; says Heartbeat four times a second.
Consumes: nothing: whoever changes membership calls, so that it holds at once.
"""
