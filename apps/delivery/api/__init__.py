"""Webhooks with all that they do, calls, deliveries, replays and alerts over the REST API."""
