"""The demo: an agency with three clients, a receiver that plays their CRMs, a simulated switch.

`world` says what exists, `seeding` and `history` make it, `calls` and `expected` say what happens
and what must arrive, `switch` posts it, `receiver` and `ledger` take it in, `balance` compares, and
`run` is all of it for `manage.py demo`. What is expected owes nothing to the code that is watched.
"""
