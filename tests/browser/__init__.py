"""Pages in a real browser; a package, so that its fixtures end before other tests begin."""
