"""What templates may call to write numbers, times and texts."""
