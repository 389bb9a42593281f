"""Take in an organizer's pictures: look at every file, say what is wrong with it, and make a dataset of the rest."""
