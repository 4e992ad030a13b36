"""What builds the dashboards runs on Python 3.11 and later: before, there is nothing of it to test."""

import sys

collect_ignore = [] if sys.version_info >= (3, 11) else ["test_build.py"]
