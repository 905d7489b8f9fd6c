"""The engine: claim what is due, render, sign, send, record, and go on until nothing is due.

`drain.Drain` is the whole of it; it reads in the order of the flow: `claims`, `lanes`, `senders`,
`requests`, `judging`, `recorder`, `records`. What is between claim and record is in `hold`.
"""
