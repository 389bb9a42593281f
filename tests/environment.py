"""Loaded before Django's settings: gives the tests a data folder of their own."""

import atexit
import os
import shutil
import tempfile

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")  # for pytest-django, where it is installed
os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is loaded; tests run side by side

if "PASTICHE_TEST_FOLDER" not in os.environ:
    folder = tempfile.mkdtemp(prefix="pastiche-tests-")
    os.environ["PASTICHE_TEST_FOLDER"] = os.environ["PASTICHE_DATA_DIR"] = folder
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
