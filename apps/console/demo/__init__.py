"""The demo: an agency with three clients, a receiver that plays their CRMs, a simulated switch.

`world` says what exists, `seeding` makes it, `calls` and `expected` say what happens and what must
arrive, `switch` posts it, `receiver` and `ledger` take it in, `balance` compares. Only `seeding`
knows Django, so that what is expected owes nothing to the code that is watched.
"""
