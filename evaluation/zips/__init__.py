"""Read zip files from strangers: names, structure and content, each checked before it is believed."""
