"""Every write to the domain; each function runs in one transaction and returns what it made."""
