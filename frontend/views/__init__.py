"""The pages: each view reads from selectors or calls a service, and fills one template."""
