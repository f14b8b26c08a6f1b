#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""hufu selftest, the integrity of what was built, and the security policy compared with the module.

HUFU_BIN is the folder of the built programs.
"""
import ctypes
import fnmatch
import hashlib
import hmac
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

BIN = os.environ['HUFU_BIN']
HUFU = os.path.join(BIN, 'hufu')
TOOL = os.path.join(BIN, 'hufu-integrity')
LIBRARY = os.path.join(BIN, 'libhufu.so')
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../..')
POLICY = os.path.join(ROOT, 'docs/module/security-policy.md')
KEY = b'Hufu module integrity, key no. 1'
RECORD = struct.Struct('>16s8s6Q32s32s')
KIND_AT, KIND_LEN = 16, 8  # in the record
SELF_TEST = 0x702
INTERNAL = 8


def run(*args, **more):
    return subprocess.run(args, capture_output=True, text=True, timeout=300, check=False, **more)


def report(*args, **more):
    r = run(HUFU, 'selftest', '--json', *args, **more)
    return json.loads(r.stdout)


REPORT = report()
IS_TESTED = REPORT['integrity'] == 'passed'


class Elf:
    """Sections of a file of 64 bits, lowest byte first."""

    def __init__(self, path):
        with open(path, 'rb') as f:
            self.bytes = bytearray(f.read())
        at, = struct.unpack_from('<Q', self.bytes, 0x28)
        size, n, names = struct.unpack_from('<HHH', self.bytes, 0x3a)
        rows = [struct.unpack_from('<IIQQQQIIQQ', self.bytes, at + i * size) for i in range(n)]
        base = rows[names][4]
        self.sections = {}
        for name, _, flags, addr, offset, length, *_ in rows:
            end = self.bytes.index(0, base + name)
            self.sections[self.bytes[base + name:end].decode()] = (flags, addr, offset, length)

    def save(self, path):
        with open(path, 'wb') as f:
            f.write(self.bytes)
        os.chmod(path, 0o755)

    def flip(self, section, at, bits=0x10):
        _, _, offset, length = self.sections[section]
        self.bytes[offset + (at if at >= 0 else length + at)] ^= bits


class Report(unittest.TestCase):
    def test_everything_passes_and_says_so(self):
        r = run(HUFU, 'selftest')
        self.assertEqual(r.returncode, 0, r.stderr)
        self.assertIn('state          ready', r.stdout)
        self.assertNotRegex(r.stdout, 'failed|not run')
        self.assertEqual(REPORT['state'], 'ready')
        self.assertEqual(REPORT['approved'], IS_TESTED)
        for kind in ('tests', 'conditional'):
            self.assertEqual({row['result'] for row in REPORT[kind]}, {'passed'})
        self.assertEqual([row['name'] for row in REPORT['conditional']], ['entropy', 'sm2 pair'])
        for service in REPORT['services']:
            self.assertEqual(service['approved'], IS_TESTED and service['has_standard'])

    def test_every_primitive_has_one_chosen_kernel_and_a_reference(self):
        kinds = {k['primitive'] for k in REPORT['kernels']}
        self.assertLessEqual({'sm3', 'sm4', 'ghash', 'sm2-batch'}, kinds)
        for kind in kinds:
            rows = [k for k in REPORT['kernels'] if k['primitive'] == kind]
            self.assertEqual(sum(k['chosen'] for k in rows), 1, kind)
            self.assertEqual(rows[-1]['needs'], 'none', kind)
            self.assertLessEqual({k['result'] for k in rows}, {'passed', 'not for this processor'})

    def test_without_processor_features_only_references_are_run(self):
        r = report(env=dict(os.environ, HUFU_CPU='none'))
        self.assertEqual(r['state'], 'ready')
        for k in r['kernels']:
            is_reference = k['needs'] == 'none'
            self.assertEqual(k['chosen'], is_reference)
            self.assertEqual(k['result'], 'passed' if is_reference else 'not for this processor')

    def test_arguments_that_cannot_be(self):
        for args in (['x'], ['--chunks'], ['--json', 'x']):
            self.assertEqual(run(HUFU, 'selftest', *args).returncode, 2)


def tables(path):
    """The tables of a Markdown page by their first heading cell; cells without back quotes."""
    found, head = {}, None
    with open(path, encoding='utf-8') as f:
        for line in f:
            cells = [c.strip() for c in line.strip().strip('|').split('|')] if line.startswith('|') else None
            if cells is None:
                head = None
            elif head is None:
                head = tuple(cells)
                found.setdefault(head, [])
            elif not set(cells[0]) <= set('-') or not cells[0]:
                found[head].append([c.replace('`', '') for c in cells])
    return found


class Policy(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.tables = tables(POLICY)

    def rows(self, *head):
        self.assertIn(head, self.tables)
        return self.tables[head]

    def test_services_are_those_of_the_module(self):
        want = [[s['name'], s['role'], s['standard'], 'yes' if s['has_standard'] else 'no', s['test'] or '',
                 s['functions']] for s in REPORT['services']]
        self.assertEqual(self.rows('service', 'role', 'standard', 'approved', 'self-test', 'functions'), want)

    def test_every_service_names_a_self_test_that_is_run(self):
        names = {t['name'] for t in REPORT['tests']}
        for s in REPORT['services']:
            self.assertTrue(s['test'] in names or s['role'] != 'user', s['name'])

    def test_every_function_belongs_to_one_service(self):
        n = 0
        folder = os.path.join(ROOT, 'src/crypto')
        for name in sorted(os.listdir(folder)):
            if not name.endswith('.h'):
                continue
            with open(os.path.join(folder, name), encoding='utf-8') as f:
                text = f.read()
            if 'Private to the module' in text:
                continue
            for function in re.findall(r'^(?!#|\s|\*|static|typedef).*?\b(hf_[a-z0-9_]+)\(', text, re.MULTILINE):
                mine = [s['name'] for s in REPORT['services']
                        if any(fnmatch.fnmatchcase(function, p) for p in s['functions'].split())]
                self.assertEqual(len(mine), 1, f'{name}: {function} is of the services {mine}, not of one; '
                                 'see src/crypto/service.c and docs/module/security-policy.md')
                n += 1
        self.assertGreater(n, 80)

    def test_transitions_are_those_of_the_module(self):
        want = [[t['from'], t['event'], t['to']] for t in REPORT['transitions']]
        self.assertEqual(self.rows('from', 'event', 'to'), want)

    def test_self_tests_are_those_of_the_module(self):
        kinds = dict.fromkeys(k['primitive'] + ' kernel' for k in REPORT['kernels'])
        want = list(kinds) + [t['name'] for t in REPORT['tests']]
        self.assertEqual([row[0] for row in self.rows('test', 'what is compared')], want)


@unittest.skipUnless(IS_TESTED, 'this build has no integrity test')
class Integrity(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix='hufu-integrity-')
        self.copy = os.path.join(self.dir, 'copy')

    def tearDown(self):
        shutil.rmtree(self.dir)

    def test_what_was_built_has_its_record(self):
        r = run(TOOL, '--check', HUFU, os.path.join(BIN, 'hufud'), LIBRARY)
        self.assertEqual((r.returncode, r.stderr), (0, ''))

    def test_stripping_changes_nothing(self):
        for name in (HUFU, LIBRARY):
            run('strip', '-o', self.copy, name)
            self.assertLess(os.path.getsize(self.copy), os.path.getsize(name))
            self.assertEqual(run(TOOL, '--check', self.copy).returncode, 0)
        run('strip', '-o', self.copy, HUFU)
        self.assertEqual(run(self.copy, 'version').returncode, 0)

    def refuses(self, elf):
        elf.save(self.copy)
        r = run(self.copy, 'version')
        self.assertEqual((r.returncode, r.stdout), (INTERNAL, ''))
        self.assertEqual(r.stderr, "hufu: the cryptographic module failed its self-test 'integrity'; "
                         'its code was altered after it was built: install it again\n')
        self.assertEqual(run(TOOL, '--check', self.copy).returncode, 1)

    def test_an_altered_byte_ends_all_service(self):
        # Code that runs before the module starts cannot be altered here: the program would fall over it.
        functions = run('nm', HUFU).stdout
        at = int(re.search(r'^([0-9a-f]+) . hf_policy_text$', functions, re.MULTILINE)[1], 16)
        text = Elf(HUFU).sections['.text']
        for section, offset in (('.text', at - text[1]), ('.rodata', 100), ('.rodata', -1),
                                ('.hufu_integrity', -1), ('.hufu_integrity', -40), ('.hufu_integrity', 31),
                                ('.hufu_integrity', 40)):
            with self.subTest(section=section, offset=offset):
                elf = Elf(HUFU)
                elf.flip(section, offset)
                self.refuses(elf)

    def test_no_flipped_bit_of_the_kind_turns_the_test_off(self):
        for bit in range(8 * KIND_LEN):
            with self.subTest(bit=bit):
                elf = Elf(HUFU)
                elf.flip('.hufu_integrity', KIND_AT + bit // 8, 1 << bit % 8)
                self.refuses(elf)
        self.assertIn('record that was altered', run(TOOL, self.copy).stderr)  # and writes none over it
        self.assertNotEqual(run(self.copy, 'version').returncode, 0)

    def test_a_record_that_was_never_written_is_no_record(self):
        elf = Elf(HUFU)
        _, _, offset, length = elf.sections['.hufu_integrity']
        self.assertEqual(length, RECORD.size)
        elf.bytes[offset + 24:offset + length] = bytes(length - 24)
        self.refuses(elf)
        self.assertEqual(run(TOOL, self.copy).returncode, 0)
        self.assertEqual(run(self.copy, 'version').returncode, 0)

    def test_the_report_of_an_altered_program(self):
        elf = Elf(HUFU)
        elf.flip('.rodata', -1)
        elf.save(self.copy)
        r = run(self.copy, 'selftest', '--json')
        self.assertEqual(r.returncode, INTERNAL)
        said = json.loads(r.stdout)
        self.assertEqual((said['state'], said['approved'], said['integrity'], said['failed']),
                         ('error', False, 'failed', 'integrity'))
        self.assertEqual(said['tests'], [])
        self.assertFalse(any(s['approved'] for s in said['services']))

    def test_an_altered_library_gives_no_service(self):
        def open_model(path):
            library = ctypes.CDLL(path)
            model, error = ctypes.c_void_p(), ctypes.create_string_buffer(4096)
            return library.hufu_model_open(ctypes.byref(model), b'/nonexistent', b'x', 0, error)

        elf = Elf(LIBRARY)
        elf.save(self.copy)
        self.assertNotEqual(open_model(self.copy), SELF_TEST)
        elf.flip('.rodata', -1)
        elf.save(self.copy + '2')
        self.assertEqual(open_model(self.copy + '2'), SELF_TEST)

    def test_the_tags_are_what_the_header_says(self):
        if 'sm3' not in hashlib.algorithms_available:
            self.skipTest('this Python has no SM3')

        def tag(message):
            return hmac.new(KEY, message, 'sm3').digest()

        elf = Elf(HUFU)
        _, base, offset, length = elf.sections['.hufu_integrity']
        magic, kind, *places, head_tag, whole_tag = RECORD.unpack_from(elf.bytes, offset)
        self.assertEqual((magic, kind), (b'hufu integrity 1', b'\x5a' * KIND_LEN))
        self.assertEqual(tag(bytes(elf.bytes[offset:offset + length - 64])), head_tag)
        digests = b''
        for at, n in zip(places[::2], places[1::2]):
            at = (base + at) % 2**64
            start = [o + at - a for _, a, o, size in elf.sections.values() if a and a <= at < a + size][0]
            for piece in range(0, n, 4096):
                data = bytes(elf.bytes[start + piece:start + min(piece + 4096, n)])
                digests += hashlib.new('sm3', data).digest()
        self.assertEqual(tag(head_tag + digests), whole_tag)
        for name in ('.text', '.rodata', '.plt', '.rela.dyn'):
            _, a, _, size = elf.sections[name]
            self.assertTrue(any((base + at) % 2**64 <= a and a + size <= (base + at) % 2**64 + n
                                for at, n in zip(places[::2], places[1::2])), name)

    def test_the_tool_refuses_what_it_does_not_know(self):
        for content in (b'', b'\x7fELF', b'x' * 5000):
            with open(self.copy, 'wb') as f:
                f.write(content)
            r = run(TOOL, self.copy)
            self.assertEqual(r.returncode, 1)
            self.assertIn(self.copy, r.stderr)
        shutil.copy(shutil.which('true'), self.copy)
        self.assertIn('not linked with the module', run(TOOL, self.copy).stderr)
        shutil.copy(TOOL, self.copy)  # a program without a test
        self.assertIn('no integrity test', run(TOOL, self.copy).stderr)
        self.assertEqual(run(TOOL, os.path.join(self.dir, 'none')).returncode, 1)
        self.assertEqual(run(TOOL).returncode, 2)

    def test_no_cut_of_a_program_makes_the_tool_fall_over(self):
        whole = Elf(HUFU).bytes
        for n in [*range(0, 200, 7), *range(200, len(whole), len(whole) // 40)]:
            with open(self.copy, 'wb') as f:
                f.write(whole[:n])
            self.assertEqual(run(TOOL, self.copy).returncode, 1)


if __name__ == '__main__':
    if not os.path.exists(HUFU):
        print('skipped: hufu is not built')
        sys.exit(77)
    unittest.main()
