#!/usr/bin/python3
"""specs/filters/gallery.png is what specs/filters/gallery.py makes: `gallery.py CONVC`.

Within one grey level: another CPU sums in another order, and what lies near a half is rounded.
"""

import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
from oracle_pictures import read_png

filters = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../specs/filters")
with tempfile.TemporaryDirectory() as directory:
    made = os.path.join(directory, "gallery.png")
    subprocess.run([os.path.join(filters, "gallery.py"), sys.argv[1], made], check=True)
    got, want = read_png(made)[0], read_png(os.path.join(filters, "gallery.png"))[0]
fine = got.shape == want.shape and abs(got - want).max() <= 1
print("1 passed, 0 failed" if fine else "gallery.png is another one\n0 passed, 1 failed")
sys.exit(not fine)
