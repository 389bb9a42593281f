"""The domain: competitions, submissions, runs, scores and leaderboards."""
