"""The pages: views, forms and templates over selectors and services."""
