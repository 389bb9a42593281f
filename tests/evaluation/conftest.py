"""Keep numeric libraries on one thread: the pictures are small, and tests run side by side."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
