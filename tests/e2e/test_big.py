#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# label: slow
"""A model of more than 4 GiB is sealed, verified and opened in at most 64 MiB of memory, with all offsets right.

HUFU_BIN is the folder of the built programs. Needs 5 GiB in TMPDIR: the model is sparse, the bundle is not.
"""
import json
import os
import shutil
import struct
import tempfile
import time
import unittest

HUFU = os.path.join(os.environ['HUFU_BIN'], 'hufu')
GIB = 1 << 30
LIMIT_KIB = 64 << 10
IS_MEASURED = 'asan' not in HUFU and 'tsan' not in HUFU  # sanitizers take memory of their own

# Lengths of the tensors: a short one, and long ones that cross 2 and 4 GiB.
TENSORS = [1000, GIB, GIB + 123, 2 * GIB + 7 * 1024, 300 << 20]


def high_water(pid):
    """Most memory of the process so far, in KiB; None once it has ended."""
    try:
        with open(f'/proc/{pid}/status', encoding='ascii') as f:
            for line in f:
                if line.startswith('VmHWM:'):
                    return int(line.split()[1])
    except (FileNotFoundError, ProcessLookupError):
        pass
    return None


def run(*args):
    """Runs the tool; gives what it printed, seconds, and the most memory it had in KiB."""
    out, start, peak = os.path.join(TMP, 'stdout'), time.monotonic(), 0
    fds = [(os.POSIX_SPAWN_OPEN, 1, out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)]
    pid = os.posix_spawn(HUFU, [HUFU, *args], os.environ, file_actions=fds)
    while True:
        peak = max(peak, high_water(pid) or 0)
        done, status, usage = os.wait4(pid, os.WNOHANG)
        if done:
            break
        time.sleep(0.02)
    if os.waitstatus_to_exitcode(status) != 0:
        raise AssertionError(f'hufu {args[0]} ended with {os.waitstatus_to_exitcode(status)}')
    with open(out, encoding='utf-8') as f:
        text = f.read()
    seconds = time.monotonic() - start
    # ru_maxrss counts what Python had before the program was executed, so it is an upper bound.
    print(f'{" ".join(args[:1]):8} {seconds:6.1f} s  {peak / 1024:6.1f} MiB, at most {usage.ru_maxrss / 1024:.1f} MiB')
    return text, seconds, usage.ru_maxrss


def extents(path):
    """Stretches of a sparse file that are not holes."""
    with open(path, 'rb') as f:
        end = f.seek(0, os.SEEK_END)
        at = 0
        while at < end:
            try:
                at = os.lseek(f.fileno(), at, os.SEEK_DATA)
            except OSError:
                return
            hole = os.lseek(f.fileno(), at, os.SEEK_HOLE)
            yield at, hole
            at = hole


def read(path, at, length):
    with open(path, 'rb') as f:
        f.seek(at)
        return f.read(length)


def setUpModule():
    global TMP, MARKS
    TMP = tempfile.mkdtemp(prefix='hufu-big-')
    os.chdir(TMP)
    if shutil.disk_usage(TMP).free < 6 * GIB:
        raise unittest.SkipTest('less than 6 GiB free')
    header, at = {}, 0
    for i, length in enumerate(TENSORS):
        header[f'layer.{i}'] = {'dtype': 'U8', 'shape': [length], 'data_offsets': [at, at + length]}
        at += length
    head = json.dumps(header).encode()
    start, total = 8 + len(head), 8 + len(head) + at
    MARKS = [start, 2 * GIB - 5000, 2 * GIB - 1, 2 * GIB + 77777, 4 * GIB - 70000, 4 * GIB + 3, total - 9000]
    with open('big.safetensors', 'wb') as f:
        f.truncate(total)
        f.write(struct.pack('<Q', len(head)) + head)
        for mark in MARKS:
            f.seek(mark)
            f.write(os.urandom(min(9000, total - mark)))
        for at in range(start, total, 32 << 20):  # no pack is equal to another, or it would be kept once
            f.seek(at)
            f.write(struct.pack('<Q', at))
    run('domain', 'init', 'dom', '--name', 'big', '--shares-dir', 'shares')


def tearDownModule():
    os.chdir('/')
    shutil.rmtree(TMP)


class Big(unittest.TestCase):
    def job(self, *args):
        text, _, peak = run(*args, '--json')
        if IS_MEASURED:
            self.assertLessEqual(peak, LIMIT_KIB, args)
        return json.loads(text)

    def round_trip(self, name, *more):
        total = os.path.getsize('big.safetensors')
        made = self.job('seal', 'big.safetensors', '--as', 'dom/publisher', '--lineage', 'big', '--release', '1', '-o',
                        name, *more)
        self.assertEqual(made['plain_len'], total)
        self.assertGreater(made['chunks'], total >> 20)
        found = self.job('verify', name, '--root', 'dom/hub')
        self.assertEqual(found['chunks'], made['chunks'])
        self.job('open', name, '--as', 'dom', '-o', 'out', *[a for i in '135' for a in
                                                             ('--share', f'shares/share-{i}.txt')])
        self.assertEqual(os.path.getsize('out/big.safetensors'), total)
        for mark in MARKS:
            self.assertEqual(read('out/big.safetensors', mark, 9000), read('big.safetensors', mark, 9000), mark)
        for path in ('big.safetensors', 'out/big.safetensors'):  # and everything else is zero in both
            for at, end in extents(path):
                for start in range(at, end, 1 << 20):
                    n = min(1 << 20, end - start)
                    self.assertEqual(read('out/big.safetensors', start, n), read('big.safetensors', start, n), start)
        self.assertLess(os.stat('out/big.safetensors').st_blocks * 512, 64 << 20)  # holes stay holes
        shutil.rmtree('out')
        return made

    def test_as_it_is_in_a_bundle_of_more_than_4_gib(self):
        made = self.round_trip('raw.hufu', '--no-compress')
        self.assertEqual(made['sealed_len'], made['plain_len'] + 16 * made['chunks'])
        self.assertGreater(os.path.getsize('raw.hufu'), 4 * GIB)
        text, _, _ = run('show', 'raw.hufu', '--chunks', '--json')
        places = next(s for s in json.loads(text)['statements'] if s['kind'] == 'manifest')['places']
        self.assertEqual(len(places), made['chunks'])
        os.unlink('raw.hufu')

    def test_compressed(self):
        made = self.round_trip('small.hufu')
        self.assertLess(made['sealed_len'], made['plain_len'] // 1000)
        os.unlink('small.hufu')


if __name__ == '__main__':
    unittest.main(verbosity=1)
