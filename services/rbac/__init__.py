"""Who may do what, where.

Owns: roles, what they allow, who has which, what channels override, who is timed out,
who administrates the instance, and the revision all of it stands at.
Calls: nobody.
Emits: PolicyChanged, BindingChanged, and what people see of roles and timeouts; says
Heartbeat four times a second; PersonErased.
Consumes: UserErased. Whoever changes membership calls, so that it holds at once.
"""
