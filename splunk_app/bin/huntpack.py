import sys

from huntpack_start import run

sys.exit(run("huntpack"))
