"""The two HTTP clients behind the egress guard.

`batch_client` sends many requests at once for the batch engine; `waiting_client` sends the one
that somebody waits for. Same request, same outcome, same promises.
"""
