"""Scripts that train what the library ships or lets a site train; never imported by scoring."""
