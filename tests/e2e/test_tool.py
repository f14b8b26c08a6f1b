#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The tool hufu as a user meets it, offline: every command, every class of exit code, wrong arguments.

HUFU_BIN is the folder of the built programs.
"""
import fcntl
import json
import os
import pty
import re
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest

BIN = os.environ['HUFU_BIN']
HUFU = os.path.join(BIN, 'hufu')
PASSPHRASE = 'correct horse battery'
SHARES = [arg for i in (2, 4, 5) for arg in ('--share', f'shares/share-{i}.txt')]
MANUAL = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../docs/man/hufu.1')
CRYPTO_MANUAL = MANUAL.replace('hufu.1', 'hufu-crypto.1')
TUNNEL_MANUAL = MANUAL.replace('hufu.1', 'hufu-tunnel.1')
COMMANDS = ['audit show', 'audit verify', 'bench crypto', 'check vectors', 'domain init', 'domain token', 'open',
            'policy show', 'publish', 'pull', 'push', 'run', 'seal', 'show', 'status', 'uploads list', 'uploads open',
            'selftest', 'verify', 'version']
CRYPTO = ['crypto hmac', 'crypto mac', 'crypto sm2 decrypt', 'crypto sm2 encrypt', 'crypto sm2 exchange',
          'crypto sm2 keygen', 'crypto sm2 pub', 'crypto sm2 sign', 'crypto sm2 verify', 'crypto sm3',
          'crypto sm4-bc', 'crypto sm4-cbc', 'crypto sm4-ccm', 'crypto sm4-cfb', 'crypto sm4-cfb1', 'crypto sm4-cfb8',
          'crypto sm4-ctr', 'crypto sm4-ecb', 'crypto sm4-gcm', 'crypto sm4-hctr', 'crypto sm4-ofb',
          'crypto sm4-ofbnlf', 'crypto sm4-xts']
TUNNEL = ['tunnel', 'tunnel status']
COMMANDS += CRYPTO + TUNNEL
MANUALS = {**dict.fromkeys(CRYPTO, CRYPTO_MANUAL), **dict.fromkeys(TUNNEL, TUNNEL_MANUAL)}
OK, FOUND, USAGE, RESOURCES, INPUT, REFUSED, STATE, SYSTEM = range(8)

if os.geteuid() != 0:  # a process that cannot be traced cannot be searched for leaks by another user
    os.environ['ASAN_OPTIONS'] = os.environ.get('ASAN_OPTIONS', '') + ':detect_leaks=0'

TMP = None


def setUpModule():
    global TMP
    TMP = tempfile.mkdtemp(prefix='hufu-tool-')
    os.chdir(TMP)
    put('passphrase', PASSPHRASE + '\n')
    put('plain.bin', os.urandom(3 * 1024 * 1024 + 17))
    put('model.safetensors', model())
    ok('domain', 'init', 'dom', '--name', 'plant-7', '--hub', 'hub-1', '--publishers', '2', '--level', '3',
       '--shares-dir', 'shares', '--passphrase-file', 'passphrase')
    seal('good.hufu', 'plain.bin', 'model.safetensors')


def tearDownModule():
    os.chdir('/')
    shutil.rmtree(TMP)


def put(path, content):
    with open(path, 'wb') as f:
        f.write(content if isinstance(content, bytes) else content.encode())


def get(path):
    with open(path, 'rb') as f:
        return f.read()


def model(name='layer.0'):
    """A safetensors file of two tensors."""
    a, b = os.urandom(400), os.urandom(200000)
    head = json.dumps({name: {'dtype': 'F32', 'shape': [10, 10], 'data_offsets': [0, 400]},
                       'layer.1': {'dtype': 'BF16', 'shape': [100, 1000], 'data_offsets': [400, 200400]}})
    return struct.pack('<Q', len(head.encode())) + head.encode() + a + b


def gguf(kind=8):
    """A GGUF file of three tensors with padding between them."""
    def text(s):
        return struct.pack('<Q', len(s)) + s.encode()

    def info(name, shape, kind, offset):
        return text(name) + struct.pack(f'<I{len(shape)}QIQ', len(shape), *shape, kind, offset)
    head = b'GGUF' + struct.pack('<IQQ', 3, 3, 1) + text('general.name') + struct.pack('<I', 8) + text('small')
    head += info('embd', [64, 2000], kind, 0) + info('norm', [9], 0, 136000) + info('out', [9], 0, 136064)
    return head + bytes(-len(head) % 32) + os.urandom(136000 + 36) + bytes(28) + os.urandom(36)


def onnx():
    """An ONNX file of two tensors, one of them in a file beside it, and the bytes of the other."""
    def varint(n):
        return bytes([n]) if n < 128 else bytes([n & 127 | 128]) + varint(n >> 7)

    def field(number, content):
        if isinstance(content, int):
            return varint(number << 3) + varint(content)
        return varint(number << 3 | 2) + varint(len(content)) + content

    def outside(key, value):
        return field(13, field(1, key) + field(2, value))
    weights = os.urandom(80000)
    near = field(1, 20000) + field(2, 1) + field(8, b'near') + field(9, weights)
    far = field(1, 20000) + field(2, 1) + field(8, b'far') + outside(b'location', b'small.data')
    far += outside(b'offset', b'4096') + outside(b'length', b'80000') + field(14, 1)
    graph = field(2, b'g') + field(5, near) + field(5, far)
    return field(1, 8) + field(7, graph) + field(8, field(2, 15)), weights


def run(*args, **more):
    return subprocess.run([HUFU, *args], capture_output=True, text=True, timeout=300, check=False,
                          stdin=subprocess.DEVNULL, **more)


def ok(*args):
    r = run(*args)
    if r.returncode != OK:
        raise AssertionError(f'hufu {" ".join(args)}: {r.returncode} {r.stderr}')
    return r


def seal(out, *files, more=()):
    return ok('seal', *files, '--as', 'dom/publisher', '--lineage', 'digits', '--release', '7', '-o', out, *more)


def alter(source, target, at):
    data = bytearray(get(source))
    data[at] ^= 1
    put(target, bytes(data))


def members(bundle):
    """Name -> (offset of its bytes, length), by a reader of tar that shares nothing with ours."""
    data, at, found = get(bundle), 0, {}
    while data[at] != 0:
        name = data[at:at + 100].split(b'\0')[0].decode()
        length = int(data[at + 124:at + 135], 8)
        found[name] = (at + 512, length)
        at += 512 + (length + 511) // 512 * 512
    return found


def member(bundle, kind):
    return next(where for name, where in members(bundle).items() if name.startswith(kind + '/'))


def in_terminal(args, answer=None, columns=80):
    """Runs the tool with a terminal of its own; gives exit code and what stood on it."""
    pid, fd = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack('HHHH', 24, columns, 0, 0))
        os.execv(HUFU, [HUFU, *args])
    shown = b''
    while True:
        try:
            part = os.read(fd, 4096)
        except OSError:
            break
        if not part:
            break
        shown += part
        if answer is not None and shown.endswith(b': '):
            os.write(fd, answer.encode() + b'\n')
            answer = None
    status = os.waitpid(pid, 0)[1]
    os.close(fd)
    return os.waitstatus_to_exitcode(status), shown.decode()


class Help(unittest.TestCase):
    def test_without_a_command_it_tells_what_there_is_and_fails(self):
        r = run()
        self.assertEqual(r.returncode, USAGE)
        self.assertIn('usage: hufu COMMAND', r.stdout)

    def test_the_list_names_every_command(self):
        for asked in ('--help', '-h', 'help'):
            out = ok(asked).stdout
            for name in COMMANDS:
                self.assertRegex(out, rf'(?m)^  {name} ')
            self.assertIn('Exit codes', out)

    def test_every_command_has_a_help(self):
        for name in COMMANDS:
            for asked in ('--help', '-h'):
                out = ok(*name.split(), asked).stdout
                self.assertTrue(out.startswith(f'usage: hufu {name} '), out)
                self.assertIn('--help', out)

    def test_help_has_a_subject(self):
        self.assertEqual(ok('help', 'audit', 'show').stdout, ok('audit', 'show', '--help').stdout)
        for asked in (['help', 'domain'], ['domain', '--help'], ['domain', '-h']):
            self.assertIn('hufu domain token --device', ok(*asked).stdout)
        r = run('help', 'seel')
        self.assertEqual(r.returncode, USAGE)
        self.assertIn("no command 'seel'", r.stderr)

    def test_help_fits_a_terminal(self):
        for name in COMMANDS + ['']:
            for line in ok(*name.split(), '--help').stdout.splitlines():
                self.assertLessEqual(len(line), 100, line)

    def test_version_is_a_command_and_an_option(self):
        self.assertEqual(ok('version').stdout, ok('--version').stdout)
        self.assertIn('kernels', json.loads(ok('version', '--json').stdout))

    def test_the_bench_measures_the_rows_that_are_asked_for(self):
        env = {**os.environ, 'HUFU_CPU': 'none'}
        out = json.loads(run('bench', 'crypto', '--json', 'SM4-GCM', 'SM2 sign', env=env).stdout)
        self.assertEqual(out['kernels']['sm4'], 'c')
        self.assertEqual({r['name'] for r in out['rows']}, {'SM4-GCM', 'SM2 sign'})
        for row in out['rows']:
            self.assertGreater(row['value'], 0)
            self.assertEqual(row['unit'], 'GB/s' if row['bytes'] > 0 else 'k/s')
        self.assertIn('GB/s', ok('bench', 'crypto', 'sm3 Lanes').stdout)
        r = run('bench', 'crypto', 'SM5')
        self.assertEqual(r.returncode, USAGE)
        self.assertIn("'SM5'", r.stderr)


def synopses(page):
    """Command: its options, as the synopsis has them; 'crypto a | b' is two commands."""
    forms = {}
    for form in re.search(r'(?s)\.Sh SYNOPSIS(.*?)\.Sh ', get(page).decode()).group(1).split('.Nm')[1:]:  # a command may have two forms
        first = re.search(r'(?m)^\.Cm (.*)$', form).group(1)
        options = set(re.findall(r'Fl Fl ([a-z-]+)', form)) | ({'out'} if 'Fl o ' in form else set())
        names = first.removeprefix('crypto ').split(' | ') if first.startswith('crypto ') else [first]
        for name in names:
            forms.setdefault(f'crypto {name}' if first.startswith('crypto ') else name, set()).update(options)
    return forms


class Manual(unittest.TestCase):
    def test_the_synopsis_of_every_command_has_its_options_and_no_others(self):
        forms = synopses(MANUAL) | synopses(CRYPTO_MANUAL) | synopses(TUNNEL_MANUAL)
        everywhere = {'help', 'quiet', 'key-hex'}  # told once for all commands
        for name in COMMANDS + ['check random']:
            options = set(re.findall(r'(?m)^  --([a-z-]+)', ok(*name.split(), '--help').stdout))
            self.assertEqual(forms.get(name), options - everywhere, name)

    def test_the_manual_page_tells_of_every_option(self):
        for name in COMMANDS + ['check random']:
            page = get(MANUALS.get(name, MANUAL)).decode()
            page = page[page.index('.Sh DESCRIPTION'):]
            for option in re.findall(r'(?m)^  --([a-z-]+)', ok(*name.split(), '--help').stdout):
                self.assertTrue(re.search(rf'(?m)^\..*Fl Fl {option}\b', page), f'{name} --{option}')

    def test_the_manual_page_has_every_exit_code(self):
        listed = re.search(r'Exit codes: (.*)', ok('--help').stdout.replace('\n', ' ')).group(1)
        for page in (get(MANUAL).decode(), get(CRYPTO_MANUAL).decode()):
            for code in re.findall(r'\d', listed):
                self.assertRegex(page, rf'(?m)^\.It {code}$')


class WrongArguments(unittest.TestCase):
    def refuse(self, said, *args):
        r = run(*args)
        self.assertEqual(r.returncode, USAGE, r.stderr)
        self.assertIn(said, r.stderr)
        self.assertEqual(r.stdout, '')

    def test_unknown_commands(self):
        self.refuse("no command 'seel'", 'seel')
        self.refuse('hufu domain init', 'domain')
        self.refuse('hufu audit show', 'audit', 'shaw')

    def test_names_that_no_package_can_have(self):
        base = ['--as', 'dom/publisher', '--lineage', 'a', '--release', '1', '-o', 'no.hufu']
        for name in (b'not-utf8-\xff', b'two\nlines', b'a:b'):
            put(name, b'x')
            r = subprocess.run([HUFU, 'seal', name, *base], capture_output=True, check=False, timeout=60)
            self.assertEqual(r.returncode, USAGE, r.stderr)
            self.assertIn(b'no name for a file of a package', r.stderr)
        r = subprocess.run([HUFU, 'seal', 'plain.bin', *base, '--version', b'\xff'], capture_output=True, check=False,
                           timeout=60)
        self.assertEqual(r.returncode, USAGE, r.stderr)
        self.assertFalse(os.path.exists('no.hufu'))

    def test_too_many_operands(self):
        self.refuse('more than 1024 operands', 'seal', *['x'] * 1025)

    def test_unknown_options(self):
        self.refuse("unknown option '--ot'", 'seal', 'plain.bin', '--ot', 'x')
        self.refuse("unknown option '-x'", 'seal', '-x')
        self.refuse("unknown option '--as'", 'verify', 'good.hufu', '--as', 'dom')

    def test_values(self):
        self.refuse('--out needs a value', 'seal', 'plain.bin', '-o')
        self.refuse('--json takes no value', 'verify', 'good.hufu', '--json=yes')
        base = ['seal', 'plain.bin', '--as', 'dom/publisher', '--lineage', 'digits', '-o', 'no.hufu']
        for bad in ('0', '-1', '+5', ' 5', '1x', '', '99999999999999999999999'):
            self.refuse('--release', *base, '--release', bad)
        self.refuse('--level', *base, '--release', '1', '--level', '4')
        self.refuse('--floor', *base, '--release', '1', '--floor', '2')
        self.refuse('--expires', *base, '--release', '1', '--expires', '0')
        self.refuse('lineage', *base, '--release', '1', '--lineage', 'a/b')

    def test_too_few_and_too_many_operands(self):
        self.refuse('usage: hufu show FILE', 'show')
        self.refuse('one operand too many', 'show', 'a', 'b')
        self.refuse('usage: hufu seal FILE', 'seal')

    def test_what_is_missing_is_named(self):
        self.refuse('--as is missing', 'seal', 'plain.bin')
        self.refuse('--lineage is missing', 'seal', 'plain.bin', '--as', 'dom/publisher')
        self.refuse('--release is missing', 'seal', 'plain.bin', '--as', 'dom/publisher', '--lineage', 'x')
        self.refuse('--out is missing', 'seal', 'plain.bin', '--as', 'dom/publisher', '--lineage', 'x',
                    '--release', '1')
        self.refuse('--as is missing', 'open', 'good.hufu', '-o', 'x')
        self.refuse('--out is missing', 'open', 'good.hufu', '--as', 'dom')
        self.refuse('--name is missing', 'domain', 'init', 'other', '--shares-dir', 'x')

    def test_an_unknown_cpu_feature_is_refused(self):
        r = run('version', env={**os.environ, 'HUFU_CPU': 'abacus'})
        self.assertEqual(r.returncode, USAGE)
        self.assertIn('abacus', r.stderr)
        self.assertIn('sm4 c', run('version', env={**os.environ, 'HUFU_CPU': 'none'}).stdout)

    def test_nothing_was_made(self):
        self.assertFalse(os.path.exists('no.hufu'))
        self.assertFalse(os.path.exists('other'))


class Domain(unittest.TestCase):
    def test_shares_are_files_for_their_owner_alone(self):
        self.assertEqual(sorted(os.listdir('shares')), [f'share-{i}.txt' for i in range(1, 6)])
        for name in os.listdir('shares'):
            self.assertEqual(os.stat(f'shares/{name}').st_mode & 0o7777, 0o600)

    def test_shares_are_never_given_to_a_pipe(self):
        r = run('domain', 'init', 'piped', '--name', 'x')
        self.assertEqual(r.returncode, USAGE)
        self.assertIn('--shares-dir', r.stderr)
        self.assertFalse(os.path.exists('piped'))

    def test_shares_on_the_terminal_open_the_domain(self):
        code, shown = in_terminal(['domain', 'init', 'typed', '--name', 'x', '--shares', '3', '--threshold', '2'])
        self.assertEqual(code, OK, shown)
        self.assertIn('Any 2 of the 3 shares', shown)
        shares = re.findall(r'(?m)^  ([123])  (\S.*?)\r?$', shown)
        self.assertEqual([i for i, _ in shares], ['1', '2', '3'])
        for i, text in shares:
            put(f'typed-{i}', text)
        ok('seal', 'plain.bin', '--as', 'typed/publisher', '--lineage', 'x', '--release', '1', '-o', 'typed.hufu')
        ok('open', 'typed.hufu', '--as', 'typed', '--share', 'typed-3', '--share', 'typed-1', '-o', 'typed-out')
        self.assertEqual(get('typed-out/plain.bin'), get('plain.bin'))
        self.assertEqual(run('open', 'typed.hufu', '--as', 'typed', '--share', 'typed-3', '-o', 'y').returncode,
                         STATE)

    def test_a_domain_and_shares_are_never_written_over(self):
        r = run('domain', 'init', 'dom', '--name', 'x', '--shares-dir', 'shares-2')
        self.assertEqual(r.returncode, STATE)
        self.assertIn('already there', r.stderr)
        r = run('domain', 'init', 'dom-2', '--name', 'x', '--shares-dir', 'shares')
        self.assertEqual(r.returncode, STATE)
        self.assertIn('share-1.txt', r.stderr)
        self.assertFalse(os.path.exists('dom-2'))

    def test_without_its_shares_a_domain_is_not_kept(self):
        for folder in ('/proc/self', 'passphrase/x'):  # where no file can be made
            r = run('domain', 'init', 'dom-3', '--name', 'x', '--shares-dir', folder)
            self.assertNotEqual(r.returncode, OK)
            self.assertEqual([n for n in os.listdir('.') if n.startswith('dom-3')], [])

    def test_a_short_passphrase_is_refused(self):
        put('short', 'abc\n')
        r = run('domain', 'init', 'dom-4', '--name', 'x', '--shares-dir', 's-4', '--passphrase-file', 'short')
        self.assertEqual(r.returncode, USAGE)
        self.assertIn('short: a passphrase has at least', r.stderr)
        put('lines', 'two\nlines\n')
        r = run('domain', 'init', 'dom-4', '--name', 'x', '--shares-dir', 's-4', '--passphrase-file', 'lines')
        self.assertEqual(r.returncode, INPUT)
        r = run('domain', 'init', 'dom-4', '--name', 'not a name', '--shares-dir', 's-4')
        self.assertEqual(r.returncode, USAGE)
        for made in ('dom-4', 's-4'):
            self.assertFalse(os.path.exists(made), made)


class MainJob(unittest.TestCase):
    def test_what_was_sealed_is_what_is_opened(self):
        ok('open', 'good.hufu', '--as', 'dom', '--passphrase-file', 'passphrase', '-o', 'out-1')
        ok('open', 'good.hufu', '--as', 'dom/hub', *SHARES, '-o', 'out-2')
        for name in ('plain.bin', 'model.safetensors'):
            self.assertEqual(get(f'out-1/{name}'), get(name))
            self.assertEqual(get(f'out-2/{name}'), get(name))

    def test_the_passphrase_may_be_typed(self):
        args = ['open', 'good.hufu', '--as', 'dom', '-o', 'out-typed']
        code, shown = in_terminal(args, 'not the one at all')
        self.assertEqual(code, REFUSED, shown)
        self.assertFalse(os.path.exists('out-typed'))
        code, shown = in_terminal(args, PASSPHRASE)
        self.assertEqual(code, OK, shown)
        self.assertNotIn(PASSPHRASE, shown)
        self.assertEqual(get('out-typed/plain.bin'), get('plain.bin'))

    def test_seal_tells_what_it_made(self):
        r = json.loads(seal('told.hufu', 'plain.bin', 'model.safetensors', more=['--json']).stdout)
        self.assertEqual(r['plain_len'], len(get('plain.bin')) + len(get('model.safetensors')))
        self.assertEqual((r['files'], r['release'], r['level'], r['signatures']), (2, 7, 1, 1))
        self.assertIn(r['manifest'], members('told.hufu'))

    def test_a_bundle_is_a_tar_of_objects(self):
        names = subprocess.run(['tar', 'tf', 'good.hufu'], capture_output=True, text=True, check=True).stdout.split()
        self.assertEqual(sorted(names), sorted(members('good.hufu')))
        self.assertEqual(names[0], 'hufu-bundle')
        for name in names[1:]:
            self.assertRegex(name, r'^(pack|table|index|manifest|deposit|root)/[0-9a-f]{64}$')

    def test_verify_says_how_far_it_went(self):
        out = ok('verify', 'good.hufu').stdout
        self.assertIn('but not who signed it', out)
        r = json.loads(ok('verify', 'good.hufu', '--json').stdout)
        self.assertFalse(r['proves_origin'])
        for root in ('dom/publisher', 'dom/hub', 'dom/hub/trust/root.der'):
            r = json.loads(ok('verify', 'good.hufu', '--root', root, '--json').stdout)
            self.assertTrue(r['intact'] and r['proves_origin'])
            self.assertEqual((r['domain'], r['lineage'], r['release'], r['deposit']),
                             ('plant-7', 'digits', 7, 'hub-1'))

    def test_an_altered_bundle_is_refused_by_both(self):
        for kind in ('pack', 'table', 'index', 'manifest', 'deposit', 'root'):
            at, length = member('good.hufu', kind)
            alter('good.hufu', 'bad.hufu', at + length // 2)
            r = run('verify', 'bad.hufu')
            self.assertEqual(r.returncode, REFUSED, r.stderr)
            self.assertIn('[auth]', r.stderr)
            self.assertEqual(r.stdout, '')
            if kind == 'root':  # the hub believes its own
                continue
            r = run('open', 'bad.hufu', '--as', 'dom', *SHARES, '-o', 'bad-out')
            self.assertEqual(r.returncode, REFUSED, r.stderr)
            self.assertFalse(os.path.exists('bad-out'))

    def test_a_foreign_domain_is_refused(self):
        ok('domain', 'init', 'foreign', '--name', 'plant-7', '--shares-dir', 'foreign-shares')
        r = run('verify', 'good.hufu', '--root', 'foreign/hub')
        self.assertEqual(r.returncode, REFUSED)
        self.assertIn('not signed by', r.stderr)

    def test_only_the_hub_opens(self):
        r = run('open', 'good.hufu', '--as', 'dom/publisher', '-o', 'x')
        self.assertEqual(r.returncode, REFUSED)
        self.assertIn('is a publisher', r.stderr)

    def test_the_levels_refuse_with_their_row(self):
        base = ['seal', 'plain.bin', '--lineage', 'l', '--release', '1', '-o', 'level.hufu', '--as', 'dom/publisher']
        for more, row in ((['--level', '2', '--expires', '91'], 'package.expiry'),
                          (['--level', '3'], 'package.signatures'),
                          (['--level', '3', '--as', 'dom/publisher-2'], 'package.marks')):
            r = run(*base, *more)
            self.assertEqual(r.returncode, REFUSED)
            self.assertIn(row, r.stderr)
        self.assertFalse(os.path.exists('level.hufu'))
        r = json.loads(ok(*base, '--level', '2', '--as', 'dom/publisher-2', '--json').stdout)
        self.assertEqual((r['level'], r['signatures']), (2, 2))

    def test_stopping_leaves_nothing_behind(self):
        with open('large', 'wb') as f:
            f.truncate(400 << 20)
        base = ['--as', 'dom/publisher', '--lineage', 'large', '--release', '1', '-o', 'large.hufu']
        for sig in (signal.SIGINT, signal.SIGTERM):
            p = subprocess.Popen([HUFU, 'seal', 'large', '--no-compress', *base], stderr=subprocess.PIPE)
            while p.poll() is None and not any('large.hufu.part-' in n for n in os.listdir('.')):
                time.sleep(0.002)
            p.send_signal(sig)
            self.assertIn(b'stopped', p.communicate()[1])
            self.assertEqual(p.returncode, STATE)
            self.assertFalse(any(n.startswith('large.hufu') for n in os.listdir('.')))
        seal('large.hufu', 'large')
        p = subprocess.Popen([HUFU, 'open', 'large.hufu', '--as', 'dom', *SHARES, '-o', 'large-out'],
                             stderr=subprocess.PIPE)
        while p.poll() is None and not os.path.exists('large-out'):
            time.sleep(0.002)
        p.send_signal(signal.SIGINT)
        self.assertIn(b'stopped', p.communicate()[1])
        self.assertEqual(p.returncode, STATE)
        self.assertFalse(os.path.exists('large-out'))

    def test_a_bar_is_shown_on_a_terminal_only(self):
        with open('bar', 'wb') as f:
            f.truncate(256 << 20)
        base = ['seal', 'bar', '--as', 'dom/publisher', '--lineage', 'bar', '--release', '1', '-o']
        code, shown = in_terminal([*base, 'bar-1.hufu'])
        self.assertEqual(code, OK, shown)
        self.assertRegex(shown, r'sealing \[#+\.*\] +\d+% .* of 256\.0 MiB, .*/s, \d+ s left')
        code, shown = in_terminal([*base, 'bar-2.hufu', '--quiet'])
        self.assertEqual(code, OK)
        self.assertNotIn('% ', shown)
        self.assertEqual(ok(*base, 'bar-3.hufu').stderr, '')

    def test_a_bar_fits_its_terminal(self):
        put('wide', os.urandom(64 << 20))
        base = ['seal', 'wide', '--as', 'dom/publisher', '--lineage', 'wide', '--release', '1', '-o']
        for columns in (30, 64, 80, 132):
            code, shown = in_terminal([*base, f'wide-{columns}.hufu'], columns=columns)
            self.assertEqual(code, OK, shown)
            bars = [line.split('\033')[0] for line in shown.split('\r') if '%' in line]
            self.assertGreater(len(bars), 0)
            self.assertLess(max(map(len, bars)), columns, bars)
            self.assertEqual(any('[' in bar for bar in bars), columns > 60, bars)


class Show(unittest.TestCase):
    def test_every_kind_of_thing_is_shown_as_text_and_as_json(self):
        for name, (at, length) in members('good.hufu').items():
            if '/' in name:
                put(name.replace('/', '-'), get('good.hufu')[at:at + length])
        things = {'good.hufu': 'bundle', 'model.safetensors': 'model', 'dom/hub/root.slots': 'key slots',
                  'dom/hub/keys/enc.key': 'wrapped key', 'dom/hub/trust/root.der': 'root'}
        for name in members('good.hufu'):
            kind = name.split('/')[0]
            if kind not in ('hufu-bundle', 'pack'):
                things[name.replace('/', '-')] = kind
        for path, kind in things.items():
            r = json.loads(ok('show', path, '--json').stdout)
            self.assertTrue(r['kind'].startswith(kind), r)
            self.assertRegex(ok('show', path).stdout, rf'(?m)^kind +{kind}')
        r = json.loads(ok('show', 'dom/hub/certs/enc.crt', '--json').stdout)['certificates'][0]
        self.assertEqual((r['id'], r['role'], r['domain'], r['level'], r['ca']), ('hub-1', 'hub', 'plant-7', 3, False))

    def test_a_bundle_is_shown_in_full(self):
        r = json.loads(ok('show', 'good.hufu', '--chunks', '--json').stdout)
        self.assertEqual({m['kind'] for m in r['members']}, {'pack', 'table', 'index', 'manifest', 'deposit', 'root'})
        manifest = next(s for s in r['statements'] if s['kind'] == 'manifest')
        self.assertEqual([f['path'] for f in manifest['files']], ['model.safetensors', 'plain.bin'])
        self.assertEqual(len(manifest['places']), manifest['chunks'])
        self.assertEqual(sum(p['len'] for p in manifest['places']), manifest['sealed_len'])

    def test_tensors_are_listed_where_they_lie(self):
        r = json.loads(ok('show', 'model.safetensors', '--json').stdout)
        data = r['header_len']
        self.assertEqual([(t['name'], t['dtype'], t['shape'], t['offset'] - data, t['len']) for t in r['tensors']],
                         [('layer.0', 'F32', [10, 10], 0, 400), ('layer.1', 'BF16', [100, 1000], 400, 200000)])

    def test_models_of_other_formats_are_shown_and_come_back_unchanged(self):
        put('small.gguf', gguf())
        r = json.loads(ok('show', 'small.gguf', '--json').stdout)
        self.assertEqual((r['kind'], r['format'], r['n_tensors']), ('model', 'gguf', 3))
        self.assertEqual([(t['name'], t['dtype'], t['shape'], t['offset'] - r['header_len'], t['len']) for t in r['tensors']],
                         [('embd', 'Q8_0', [64, 2000], 0, 136000), ('norm', 'F32', [9], 136000, 36),
                          ('out', 'F32', [9], 136064, 36)])
        put('old.pt', b'\x80\x02}q\x00.')
        put('new.pt', b'PK\3\4' + bytes(22) + struct.pack('<HH', 16, 0) + b'archive/data.pkl' + bytes(9))
        put('strange.gguf', gguf(kind=77))
        for name in ('old.pt', 'new.pt'):
            r = json.loads(ok('show', name, '--json').stdout)
            self.assertEqual((r['format'], r['n_tensors']), ('pickle', 0))
            self.assertIn('program', r['warning'])
        self.assertEqual(run('show', 'strange.gguf').returncode, INPUT)
        made, weights = onnx()
        put('small.onnx', made)
        put('small.data', os.urandom(100000))
        r = json.loads(ok('show', 'small.onnx', '--json').stdout)
        self.assertEqual([(t['name'], t['dtype'], t['shape'], t['offset'], t['len']) for t in r['tensors'][:1]],
                         [('near', 'F32', [20000], made.index(weights), 80000)])
        self.assertEqual([(t['name'], t['in'], t['offset'], t['len']) for t in r['tensors'][1:]],
                         [('far', 'small.data', 4096, 80000)])
        files = ('small.gguf', 'old.pt', 'new.pt', 'strange.gguf', 'small.onnx', 'small.data')
        r = json.loads(seal('formats.hufu', *files, more=['--json']).stdout)
        self.assertEqual((r['pickles'], r['first_pickle'], r['models_not_understood'], r['first_not_understood']),
                         (2, 'new.pt', 1, 'strange.gguf'))
        ok('open', 'formats.hufu', '--as', 'dom', '--passphrase-file', 'passphrase', '-o', 'out-formats')
        for name in files:
            self.assertEqual(get(f'out-formats/{name}'), get(name), name)
        r = json.loads(ok('show', 'formats.hufu', '--json').stdout)
        shown = next(s for s in r['statements'] if s['kind'] == 'manifest')['files']
        self.assertEqual({f['path']: f['format'] for f in shown},
                         {'small.gguf': 'gguf', 'old.pt': 'pickle', 'new.pt': 'pickle', 'strange.gguf': 'plain',
                          'small.onnx': 'onnx', 'small.data': 'onnx-data'})
        self.assertEqual(next(f['chunks'] for f in shown if f['path'] == 'small.data'), 3)
        self.assertEqual(next(f['chunks'] for f in shown if f['path'] == 'small.gguf'), 3)  # head, embd, norm and out
        put('short.gguf', gguf()[:-40])
        r = run('seal', 'short.gguf', '--as', 'dom/publisher', '--lineage', 'digits', '--release', '7', '-o', 'short.hufu')
        self.assertEqual(r.returncode, INPUT)
        self.assertIn('leave', r.stderr)

    def test_no_control_character_reaches_the_terminal(self):
        put('evil.safetensors', model(name='a\x1b[2Jb\x9b1mc\nd\u202e'))
        r = ok('show', 'evil.safetensors')
        self.assertNotRegex(r.stdout.replace('\n', ''), '[\x00-\x1f\x7f-\x9f\u202e]')
        self.assertIn('\\x1b[2J', r.stdout)

    def test_what_is_none_of_it_is_bad_input(self):
        put('noise', os.urandom(4000))
        put('empty', '')
        put('seq', b'\x30\x03\x02\x01\x01')
        put('key.pem', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n')
        put('cut', get('dom/hub/trust/root.der')[:-5])
        put('cut-2', get('good.hufu')[:-600])
        for path in ('noise', 'empty', 'seq', 'key.pem', 'cut', 'cut-2'):
            r = run('show', path)
            self.assertEqual(r.returncode, INPUT, f'{path}: {r.stderr}')
            self.assertIn(path, r.stderr)


class ExitCodes(unittest.TestCase):
    """0 and 2 are everywhere above, 1 is in test_check_vectors.py; 8 is for what must not happen."""

    def test_no_space_is_3(self):
        def small_files():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))

        r = run('seal', 'plain.bin', '--as', 'dom/publisher', '--lineage', 'digits', '--release', '1', '-o', 'full.hufu',
                preexec_fn=small_files)
        self.assertEqual(r.returncode, RESOURCES, r.stderr)
        self.assertIn('[full]', r.stderr)
        r = run('open', 'good.hufu', '--as', 'dom', *SHARES, '-o', 'full-out', preexec_fn=small_files)
        self.assertEqual(r.returncode, RESOURCES, r.stderr)
        self.assertFalse(any(n.startswith('full') for n in os.listdir('.')))

    def test_bad_input_is_4(self):
        put('half.hufu', get('good.hufu')[:5000])
        for args in (['verify', 'half.hufu'], ['verify', 'plain.bin'], ['verify', 'good.hufu', '--root', 'passphrase'],
                     ['open', 'half.hufu', '--as', 'dom', '-o', 'x']):
            r = run(*args)
            self.assertEqual(r.returncode, INPUT, r.stderr)
        put('mistyped', get('shares/share-1.txt').decode().replace('a', 'b', 1) + 'x')
        r = run('open', 'good.hufu', '--as', 'dom', '--share', 'mistyped', '-o', 'x')
        self.assertEqual(r.returncode, INPUT)
        self.assertIn('mistyped', r.stderr)

    def test_refused_is_5(self):
        put('wrong', 'not the passphrase')
        r = run('open', 'good.hufu', '--as', 'dom', '--passphrase-file', 'wrong', '-o', 'x')
        self.assertEqual(r.returncode, REFUSED)
        self.assertFalse(os.path.exists('x'))

    def test_state_is_6(self):
        r = run('seal', 'plain.bin', '--as', 'dom/publisher', '--lineage', 'digits', '--release', '1', '-o', 'good.hufu')
        self.assertEqual(r.returncode, STATE)
        self.assertIn('good.hufu: already there', r.stderr)
        for args in (['show', 'missing'], ['verify', 'missing'], ['audit', 'verify', 'dom/hub'],
                     ['seal', 'missing', '--as', 'dom/publisher', '--lineage', 'x', '--release', '1', '-o', 'y']):
            r = run(*args)
            self.assertEqual(r.returncode, STATE, r.stderr)
        os.mkdir('taken')
        put('taken/plain.bin', 'mine')
        r = run('open', 'good.hufu', '--as', 'dom', *SHARES, '-o', 'taken')
        self.assertEqual(r.returncode, STATE)
        self.assertEqual(get('taken/plain.bin'), b'mine')
        self.assertEqual(os.listdir('taken'), ['plain.bin'])

    def test_the_system_is_7(self):
        with open('/dev/full', 'w', encoding='utf-8') as full:
            for args in (['policy', 'show'], ['show', 'good.hufu', '--json'], ['verify', 'good.hufu']):
                r = subprocess.run([HUFU, *args], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
                self.assertEqual(r.returncode, SYSTEM, r.stderr)
                self.assertIn('standard output', r.stderr)


class Audit(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        ok('domain', 'init', 'logged', '--name', 'plant-7', '--hub', 'hub-1', '--shares-dir', 'log-shares')
        shares = [f'log-shares/share-{i}.txt' for i in (1, 2, 3)]
        subprocess.run([os.path.join(BIN, 'make_log'), 'logged/hub', *shares], check=True)

    def segment(self):
        folder = 'logged/hub/audit/seg'
        return max((os.path.join(folder, n) for n in os.listdir(folder)), key=os.path.getsize)

    def test_records_are_shown(self):
        lines = [json.loads(line) for line in ok('audit', 'show', 'logged/hub', '--json').stdout.splitlines()]
        events = [line['event'] for line in lines]
        self.assertEqual(events.count('identity.token'), 10)
        self.assertEqual(events.count('link.refused'), 20)
        self.assertEqual([line['seq'] for line in lines], sorted(line['seq'] for line in lines))
        text = ok('audit', 'show', 'logged/hub').stdout
        self.assertEqual(len(text.splitlines()), len(lines))
        self.assertIn('event=link.refused result=denied actor=device:dev-01 subject=hub:hub-1 reason=auth', text)

    def test_a_folder_without_a_node_is_named(self):
        for command in (['audit', 'show', 'shares'], ['audit', 'verify', 'nowhere'],
                        ['uploads', 'list', '--node', 'shares'],
                        ['seal', 'plain.bin', '--as', 'dom', '--lineage', 'a', '--release', '1', '-o', 'no.hufu']):
            r = run(*command)
            self.assertEqual(r.returncode, STATE, r.stderr)
            self.assertIn('no folder of a hub, publisher, edge or device', r.stderr)
            self.assertEqual(r.stdout, '')

    def test_only_a_hub_has_uploads(self):
        r = run('uploads', 'list', '--node', 'dom/publisher')
        self.assertEqual(r.returncode, STATE, r.stderr)
        self.assertIn('is a publisher; uploads come to the hub', r.stderr)
        r = run('uploads', 'open', '1234', '--node', 'logged/hub', '-o', 'nothing')
        self.assertEqual(r.returncode, STATE, r.stderr)
        self.assertIn('1234: neither the name of an upload', r.stderr)

    def test_a_log_is_verified(self):
        r = json.loads(ok('audit', 'verify', 'logged/hub', '--json').stdout)['logs']
        self.assertEqual(len(r), 1)
        self.assertEqual(r[0]['log'], 'plant-7/hub-1/audit')
        self.assertGreaterEqual(r[0]['records'], 30)
        self.assertEqual(r[0]['records'], r[0]['signed_records'])

    def test_an_altered_log_is_refused(self):
        path = self.segment()
        good = get(path)
        for at in (40, len(good) // 3, len(good) // 2, len(good) - 10):
            alter(path, path, at)
            r = run('audit', 'verify', 'logged/hub')
            put(path, good)
            self.assertEqual(r.returncode, REFUSED, r.stderr)
            self.assertIn('plant-7/hub-1/audit', r.stderr)
        put(path, good[:len(good) // 2])
        r = run('audit', 'verify', 'logged/hub')
        put(path, good)
        self.assertEqual(r.returncode, REFUSED, r.stderr)
        ok('audit', 'verify', 'logged/hub')

    def test_a_head_of_another_key_is_refused(self):
        good = get('logged/hub/certs/audit.crt')
        put('logged/hub/certs/audit.crt', get('dom/hub/certs/audit.crt'))
        r = run('audit', 'verify', 'logged/hub')
        put('logged/hub/certs/audit.crt', good)
        self.assertEqual(r.returncode, REFUSED, r.stderr)


if __name__ == '__main__':
    unittest.main(verbosity=1, argv=sys.argv)
