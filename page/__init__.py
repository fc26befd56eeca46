"""The explorer as a page of static files: the solver in any browser, without a server."""
