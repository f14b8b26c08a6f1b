#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The examples do what they say: configurations are accepted, the demonstration runs on a small model."""
import glob
import os
import subprocess
import sys
import unittest

BIN = os.environ['HUFU_BIN']
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Examples(unittest.TestCase):
    def test_configurations_are_accepted(self):
        files = sorted(glob.glob(os.path.join(TOP, 'examples/config/*.yaml')))
        self.assertEqual(len(files), 3)
        for path in files:
            r = subprocess.run([os.path.join(BIN, 'hufud'), '--config', path, '--check'], capture_output=True,
                               text=True, check=False, timeout=60)
            self.assertEqual(r.returncode, 0, r.stderr)

    def test_the_classifier_is_as_good_as_it_was_trained(self):
        for version, right in ((1, 436), (2, 443)):
            out = subprocess.run([os.path.join(BIN, 'digits'), '--file',
                                  f'{TOP}/tests/data/digits-v{version}.safetensors',
                                  f'{TOP}/tests/data/digits-test.safetensors'],
                                 capture_output=True, text=True, check=True, timeout=60).stdout
            self.assertEqual(out, f'{right} of 450 digits right\n')

    def test_the_demonstration_runs(self):
        r = subprocess.run([sys.executable, os.path.join(TOP, 'examples/demo/demo.py'), '--once', '--size', '96 MiB'],
                           capture_output=True, text=True, check=False, timeout=280)
        self.assertEqual(r.returncode, 0, r.stdout[-3000:] + r.stderr[-3000:])
        self.assertIn('every step is on the record', r.stdout)


if __name__ == '__main__':
    unittest.main()
