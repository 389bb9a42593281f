"""The REST API: shapes of requests and answers; what may be done is decided in services and selectors."""
