"""How fast scoring is: in comparison, in one run, never as a time alone."""
