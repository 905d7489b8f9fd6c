"""The wizard: from a pasted sample to a working webhook, step by step, kept in a draft."""
