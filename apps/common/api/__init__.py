"""What the views of the REST API are built on."""
