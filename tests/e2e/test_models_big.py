#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# label: slow
"""A folder of files beyond 4 GiB: plain, GGUF, TFLite with its data behind; all sparse, before and after.

HUFU_BIN is the folder of the built programs.
"""
import json
import os
import shutil
import struct
import subprocess
import tempfile
import unittest

import models

HUFU = os.path.join(os.environ['HUFU_BIN'], 'hufu')
FAR = (1 << 32) + 1
MARK = bytes(range(1, 101))


def ok(*args):
    r = subprocess.run([HUFU, *args], capture_output=True, text=True, check=False)
    if r.returncode != 0:
        raise AssertionError(f'hufu {" ".join(args)}: {r.returncode} {r.stderr}')
    return r.stdout


def put_sparse(path, head, length, marks):
    with open(path, 'wb') as f:
        f.write(head)
        for at in marks:
            f.seek(at)
            f.write(MARK)
        f.truncate(length)


class Big(unittest.TestCase):
    def setUp(self):
        self.top = tempfile.mkdtemp(prefix='hufu-big-')
        self.addCleanup(shutil.rmtree, self.top)
        self.addCleanup(os.chdir, '/')
        os.chdir(self.top)
        models.put('passphrase', b'correct horse battery\n')
        ok('domain', 'init', 'dom', '--name', 'plant-7', '--hub', 'hub-1', '--shares-dir', 'shares',
           '--passphrase-file', 'passphrase')
        os.mkdir('m')

    def test_everything_comes_back(self):
        marks = {'plain.bin': [0, (1 << 31) - 50, FAR - 100]}
        put_sparse('m/plain.bin', b'', FAR, marks['plain.bin'])
        # One tensor of more than 4 GiB, and one behind it.
        head = models.gguf({'long': ('I8', [FAR - 1 + 32], b''), 'last': ('I8', [100], b'')})
        at = head.rindex(b'last') + 4 + 4 + 8 + 4
        head = head[:at] + struct.pack('<Q', FAR - 1 + 32) + head[at + 8:]
        last = len(head) + FAR - 1 + 32
        marks['long.gguf'] = [len(head) + 5, last - 100, last]
        put_sparse('m/long.gguf', head, last + 100, marks['long.gguf'])
        # A buffer that lies beyond 4 GiB.
        head = models.tflite([[('near', 'U8', [5], 1), ('far', 'U8', [10, 10], 2)]], [b'', b'12345', b'x' * 100], behind=(2,))
        place = struct.pack('<QQ', head.index(b'x' * 100), 100)
        head = head[:-100].replace(place, struct.pack('<QQ', FAR + 15, 100))
        marks['far.tflite'] = [FAR + 15]
        put_sparse('m/far.tflite', head, FAR + 115, marks['far.tflite'])
        shown = {f['path']: f for f in json.loads(ok('show', 'm', '--json'))['files']}
        self.assertEqual({p: f['format'] for p, f in shown.items()},
                         {'plain.bin': 'plain', 'long.gguf': 'gguf', 'far.tflite': 'tflite'})
        self.assertEqual([(t['name'], t['offset'], t['len']) for t in shown['long.gguf']['tensors']],
                         [('long', marks['long.gguf'][0] - 5, FAR + 31), ('last', last, 100)])
        self.assertEqual(shown['far.tflite']['tensors'][1]['offset'], FAR + 15)
        ok('seal', 'm', '--as', 'dom/publisher', '--lineage', 'big', '--release', '1', '-o', 'big.hufu')
        ok('verify', 'big.hufu')
        ok('open', 'big.hufu', '--as', 'dom', '--passphrase-file', 'passphrase', '-o', 'out')
        for name, places in marks.items():
            self.assertEqual(os.path.getsize(f'out/{name}'), os.path.getsize(f'm/{name}'))
            self.assertLess(os.stat(f'out/{name}').st_blocks * 512, 64 << 20)
            with open(f'out/{name}', 'rb') as f:
                for at in places:
                    f.seek(at)
                    self.assertEqual(f.read(100), MARK, (name, at))
                f.seek(0)
                with open(f'm/{name}', 'rb') as g:
                    self.assertEqual(f.read(4096), g.read(4096))


if __name__ == '__main__':
    unittest.main()
