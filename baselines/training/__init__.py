"""The frame that trains every learned generator: pictures, features, the loop, checkpoints, curves, records."""
