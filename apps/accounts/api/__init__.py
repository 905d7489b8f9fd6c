"""Accounts, places, people and keys over the REST API."""
