"""The long-lived machinery of the event stream.

`hub` delivers what the feeds bring; `crowd` knows whose streams are open and
what they may see (`community`, by masks); `stream` is what one reader is still to
be told; `recent` and `replay` tell what was missed, from where a `tokens` token
says; `presence` and `typists` are what nothing is kept of.
"""
