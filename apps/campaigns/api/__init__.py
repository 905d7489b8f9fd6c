"""Numbers, campaigns, treatments and attachments over the REST API."""
