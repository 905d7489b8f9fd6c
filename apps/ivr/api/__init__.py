"""IVRs, their questions and web hooks, and exchanges over the REST API."""
