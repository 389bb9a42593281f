"""How throughput grows with workers, and what the platform costs beside generator and metrics."""
