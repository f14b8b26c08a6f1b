#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""hufu check random: a good file passes, a file bent against one test fails that test, and what users get wrong.

HUFU_BIN is the folder of the built programs.
"""
import json
import os
import subprocess
import tempfile
import unittest

BIN = os.environ['HUFU_BIN']
HUFU = os.path.join(BIN, 'hufu')
SAMPLE = 125000  # bytes of a million bits

TESTS = ['monobit frequency', 'block frequency', 'poker', 'serial', 'runs total', 'runs distribution', 'longest run',
         'binary derivative', 'autocorrelation', 'matrix rank', 'cumulative sums', 'approximate entropy',
         'linear complexity', 'maurer universal', 'discrete fourier']
# What must not see a file of this kind: the bend is of one sort.
BLIND = {
    'serial': ['monobit frequency', 'runs total', 'autocorrelation', 'linear complexity'],
    'approximate entropy': ['monobit frequency', 'matrix rank', 'linear complexity'],
    'block frequency': ['monobit frequency', 'matrix rank', 'linear complexity'],
    'poker': ['monobit frequency', 'runs total', 'matrix rank', 'linear complexity', 'discrete fourier'],
    'runs total': ['monobit frequency', 'linear complexity'],
    'runs distribution': ['monobit frequency', 'runs total', 'linear complexity'],
    'longest run': ['monobit frequency', 'runs total', 'serial', 'linear complexity'],
    'binary derivative': ['monobit frequency', 'runs total', 'autocorrelation', 'matrix rank'],
    'autocorrelation': ['monobit frequency', 'poker', 'runs total', 'serial'],
    'matrix rank': ['monobit frequency', 'poker', 'runs total', 'linear complexity', 'discrete fourier'],
    'linear complexity': ['monobit frequency', 'poker', 'runs total', 'serial', 'maurer universal'],
    'maurer universal': ['monobit frequency', 'runs total', 'matrix rank', 'linear complexity'],
    'discrete fourier': ['monobit frequency', 'poker', 'runs total', 'serial', 'linear complexity'],
}


def run(*args, **kw):
    return subprocess.run([HUFU, 'check', 'random', *args], capture_output=True, timeout=300, check=False, **kw)


class Random(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.TemporaryDirectory()

    @classmethod
    def tearDownClass(cls):
        cls.dir.cleanup()

    def file(self, kind, samples):
        path = os.path.join(self.dir.name, f'{kind}-{samples}')
        if not os.path.exists(path):
            with open(path, 'wb') as f:
                subprocess.run([os.path.join(BIN, 'make_random'), kind, str(samples)], stdout=f, check=True)
        return path

    def failed(self, r):
        """Names of the tests that failed, from the JSON report."""
        report = json.loads(r.stdout)
        names = {t['test'] for t in report['tests'] if not t['pass']}
        self.assertEqual(report['failed'] > 0, bool(names))
        self.assertEqual(report['pass'], not names)
        self.assertEqual(r.returncode, 1 if names else 0, r.stderr)
        return names

    def test_good_samples_pass_all_fifteen(self):
        r = run('--json', self.file('good', 20))
        self.assertEqual(self.failed(r), set())
        report = json.loads(r.stdout)
        self.assertEqual(report['samples'], 20)
        self.assertEqual(report['bits'], 1000000)
        self.assertEqual(list(dict.fromkeys(t['test'] for t in report['tests'])), TESTS)
        for t in report['tests']:
            self.assertEqual((t['samples'], t['needed'], sum(t['q_tenths'])), (20, 19, 20))
            self.assertTrue(0 <= t['least_p'] <= 1 and 0 <= t['uniformity'] <= 1)

    def test_a_bent_file_of_each_kind_fails_its_test(self):
        for name in TESTS:
            with self.subTest(name):
                r = run('--json', self.file(name.replace(' ', '-'), 4))
                self.assertIn(name, self.failed(r))
                passed = dict.fromkeys(TESTS, 4)
                for t in json.loads(r.stdout)['tests']:
                    passed[t['test']] = min(passed[t['test']], t['passed'])
                print(f'{name}: seen by {sorted(t for t in TESTS if passed[t] < 2)}')
                self.assertLess(passed[name], 2)
                for other in BLIND.get(name, []):
                    self.assertGreaterEqual(passed[other], 2, other)

    def test_the_generators_of_this_machine_pass(self):
        for source in ('module', 'system'):
            for _ in range(2):  # a good one fails one time in a thousand
                r = run('--live', '--source', source, '--samples', '12', '--json')
                self.assertEqual(json.loads(r.stdout)['source'], source)
                if not self.failed(r):
                    break
            self.assertEqual(self.failed(r), set())

    def test_sets_are_those_of_the_standard(self):
        for name, samples, bits, tests in (('power-on', 20, 1000000, 15), ('periodic', 20, 20000, 12),
                                           ('single', 1, 1024, 1)):
            r = run('--live', '--set', name, '--json')
            report = json.loads(r.stdout)
            self.assertIn(r.returncode, (0, 1))
            self.assertEqual((report['set'], report['samples'], report['bits']), (name, samples, bits))
            self.assertEqual(len({t['test'] for t in report['tests']}), tests)

    def test_tests_that_are_left_out_are_named_with_the_reason(self):
        out = ['matrix rank', 'linear complexity', 'maurer universal']
        for args, left, why in ((('--sample-bits', '20000', '--samples', '20'), out, 'fewer than 1000000 bits'),
                                (('--set', 'single'), [t for t in TESTS if t != 'poker'], 'asks for one test'),
                                (('--samples', '1'), [], '')):
            report = json.loads(run('--live', '--json', *args).stdout)
            self.assertEqual([t['test'] for t in report['left_out']], left)
            self.assertTrue(all(why in t['why'] for t in report['left_out']))
            text = run('--live', *args).stdout.decode()
            lines = [x for x in text.splitlines() if x.startswith('left out: ')]
            self.assertEqual(len(lines), bool(left))
            if left:
                self.assertTrue(lines[0].startswith('left out: ' + ', '.join(left) + ': '), lines[0])
                self.assertIn(why, lines[0])

    def test_a_fifo_waits_for_its_writer(self):
        path = os.path.join(self.dir.name, 'fifo')
        os.mkfifo(path)
        with open(self.file('good', 1), 'rb') as f:
            data = f.read()
        p = subprocess.Popen([HUFU, 'check', 'random', path, '--json'], stdout=subprocess.PIPE)
        with open(path, 'wb') as f:
            f.write(data)
        self.assertEqual(json.loads(p.communicate(timeout=60)[0])['samples'], 1)

    def test_values_are_written_and_text_says_the_same(self):
        path = os.path.join(self.dir.name, 'values.csv')
        r = run(self.file('good', 1), '--values', path)
        self.assertEqual(r.returncode, 0, r.stderr)
        with open(path, encoding='utf-8') as f:
            rows = [line.strip().split(',') for line in f]
        self.assertEqual(rows[0], ['sample', 'test', 'parameters', 'part', 'p', 'q'])
        text = r.stdout.decode()
        for sample, test, _, _, p, q in rows[1:]:
            self.assertEqual(sample, '1')
            line = next(x for x in text.splitlines() if f' {test} ' in x and f' {p} ' in x)
            self.assertIn(q, line)
        self.assertEqual(len(rows), 1 + sum(' pass' in x for x in text.splitlines()))
        self.assertIn('passed', text.splitlines()[-1])
        self.assertIn('weaker', text)
        mask = os.umask(0o027)
        os.umask(mask)
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o666 & ~mask)
        again = run(self.file('good', 1), '--values', path)
        self.assertEqual(again.returncode, 6)  # never over a file that exists
        self.assertIn(b'values.csv', again.stderr)

    def test_a_pipe_gives_as_many_samples_as_it_has(self):
        with open(self.file('good', 20), 'rb') as f:
            data = f.read(3 * SAMPLE + 1000)
        r = run('/dev/stdin', '--json', input=data)
        self.assertEqual(json.loads(r.stdout)['samples'], 3)
        r = run('-', '--json', input=data)
        report = json.loads(r.stdout)
        self.assertEqual((report['samples'], report['source']), (3, 'standard input'))
        r = run('/dev/stdin', '--samples', '4', input=data)
        self.assertEqual(r.returncode, 4)
        self.assertIn(b'only 3 of the 4 samples', r.stderr)

    def test_wrong_input_is_refused(self):
        short = os.path.join(self.dir.name, 'short')
        with open(short, 'wb') as f:
            f.write(bytes(SAMPLE - 1))
        for args, code, text in ((('--live', short), 2, 'either a file or --live'), ((), 2, 'either a file or --live'),
                                 ((short, '--source', 'module'), 2, '--source goes with --live'),
                                 (('--live', '--source', 'sun'), 2, 'there are module and system'),
                                 (('--live', '--set', 'all'), 2, 'there are full, factory'),
                                 (('--live', '--sample-bits', '19999'), 2, 'samples of 20000'),
                                 (('--live', '--set', 'single', '--sample-bits', '127'), 2, 'samples of 128'),
                                 ((short,), 4, f'{SAMPLE - 1} bytes are 0 samples'),
                                 ((self.file('good', 1), '--samples', '2'), 4, '1 samples of 1000000 bits, 2 are'),
                                 ((os.path.join(self.dir.name, 'none'),), 6, 'none'), ((self.dir.name,), 2, 'directory')):
            r = run(*args)
            self.assertEqual(r.returncode, code, (args, r.stderr))
            self.assertIn(text, r.stderr.decode(), args)
            self.assertEqual(r.stdout, b'')


if __name__ == '__main__':
    unittest.main(verbosity=2)
