"""A competition as a file: its schema, how it is read and written, and how two of them differ."""
