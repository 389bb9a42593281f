"""How the OpenAPI document of the API is made and shown."""

SPECTACULAR_SETTINGS = {
    "TITLE": "Pastiche",
    "DESCRIPTION": "Competitions of style-transfer generators. Send a token as `Authorization: Bearer TOKEN`. "
    "Times are in UTC, numbers in full precision. Fields and parameters that are not listed are refused.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v[0-9]+/",
    "COMPONENT_SPLIT_REQUEST": True,
    # The page is served with the package's own copy of Swagger UI: it works without any other site.
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}
