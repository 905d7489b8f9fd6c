"""Templates and webhooks over the REST API."""
