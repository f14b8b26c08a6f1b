#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""hufu crypto against Debian's openssl, both ways, and with everything that can be wrong.

HUFU_BIN is the folder of the built programs.
"""
import hashlib
import os
import pty
import resource
import shlex
import shutil
import signal
import stat
import subprocess
import tempfile
import termios
import time
import unittest

BIN = os.environ['HUFU_BIN']
HUFU = os.path.join(BIN, 'hufu')
OK, FOUND, USAGE, RESOURCES, INPUT, REFUSED, STATE, SYSTEM = range(8)
KEY = '2b7e151628aed2a6abf7158809cf4f3c'
IV = '000102030405060708090a0b0c0d0e0f'
ID = '1234567812345678'
SIZES = (0, 1, 15, 16, 17, 4096, 262143, 262144, 262145, 1000003)
BLOCK_MODES = ('ecb', 'cbc', 'bc', 'ofbnlf')
STREAM_MODES = ('cfb', 'cfb8', 'cfb1', 'ofb', 'ctr')

if os.geteuid() != 0:  # a process that cannot be traced cannot be searched for leaks by another user
    os.environ['ASAN_OPTIONS'] = os.environ.get('ASAN_OPTIONS', '') + ':detect_leaks=0'


def put(path, content):
    with open(path, 'wb') as f:
        f.write(content if isinstance(content, bytes) else content.encode())
    return path


def get(path):
    with open(path, 'rb') as f:
        return f.read()


def run(*args, data=None, env=None, **more):
    """hufu crypto ..., with what goes in and comes out as bytes."""
    more.setdefault('stdout', subprocess.PIPE)
    return subprocess.run([HUFU, 'crypto', *args], input=b'' if data is None else data, stderr=subprocess.PIPE,
                          timeout=300, check=False, env={**os.environ, **(env or {})}, **more)


def ok(*args, **more):
    r = run(*args, **more)
    if r.returncode != OK:
        raise AssertionError(f'hufu crypto {" ".join(args)}: {r.returncode} {r.stderr.decode()}')
    return r.stdout


def openssl(*args, data=None):
    r = subprocess.run(['openssl', *args], input=data, capture_output=True, timeout=60, check=False)
    if r.returncode != 0:
        raise AssertionError(f'openssl {" ".join(args)}: {r.stderr.decode()}')
    return r.stdout


class Folder(unittest.TestCase):
    """Each test in a folder of its own; nothing may be left in it that was not expected."""

    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix='hufu-crypto-')
        self.addCleanup(shutil.rmtree, self.dir)
        os.chdir(self.dir)
        self.addCleanup(os.chdir, '/')
        put('k', KEY + '\n')
        put('k32', KEY + '0f0e0d0c0b0a09080706050403020100')

    def refuse(self, code, said, *args, data=None, made=(), **more):
        before = set(os.listdir('.'))
        r = run(*args, data=data, **more)
        self.assertEqual(r.returncode, code, r.stderr.decode())
        self.assertIn(said, r.stderr.decode())
        self.assertEqual(set(os.listdir('.')), before | set(made))
        return r


class Digests(Folder):
    def test_sm3_is_that_of_openssl(self):
        for n in SIZES:
            put('f', os.urandom(n))
            self.assertEqual(ok('sm3', 'f'), openssl('sm3', 'f'))
            self.assertEqual(ok('sm3', data=get('f')), openssl('sm3', data=get('f')))
            self.assertEqual(ok('sm3', '-', data=get('f')), openssl('sm3', data=get('f')))
        put('g', b'abc')
        self.assertEqual(ok('sm3', 'f', 'g'), openssl('sm3', 'f', 'g'))
        ok('sm3', '--raw', 'g', '-o', 'd')
        self.assertEqual(get('d').hex(), '66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0')

    def test_hmac_is_that_of_openssl(self):
        for n in (1, 16, 64, 65, 200):
            put('key', os.urandom(n))
            put('f', os.urandom(1000))
            want = openssl('dgst', '-sm3', '-mac', 'HMAC', '-macopt', 'hexkey:' + get('key').hex(), 'f')
            self.assertEqual(ok('hmac', 'f', '--key-file', 'key'), want)
            self.assertEqual(ok('hmac', 'f', '--key-env', 'K', env={'K': get('key').hex()}), want)
            tag = want.split()[-1].decode()
            self.assertIn(b'right', ok('hmac', 'f', '--key-file', 'key', '--verify', tag))
            self.refuse(REFUSED, 'the tag is not', 'hmac', 'f', '--key-file', 'key', '--verify', tag[:-1] + 'g'[:0] +
                        ('0' if tag[-1] != '0' else '1'))

    def test_macs(self):
        put('f', b'This is the test message ')
        put('two', '0123456789abcdeffedcba98765432104149d2aded9456681ec8b511d9e7ee04')
        put('one', '0123456789abcdeffedcba9876543210')
        for kind, tag in (('cbc-mac', '421ad1690aa152e2846fa2a5d83445a9'), ('emac', 'f02625cead008d4efbf3f0b2b0c2a75b'),
                          ('retail', '197247229ce9d7b6ae405bf885b27057'), ('macdes', '949476d35f17261e1fb8c4396d62dc05'),
                          ('cmac', '4738a6c760b280fc0c8a8af3886e9f5d'), ('lmac', '60dd955ed0ca3d7a64227174dd98dd81'),
                          ('trcbc', '846fa2a5d83445a9'), ('cbcr', 'a99d13013e892ee2c25be2daaa6c82e8')):
            key = 'two' if kind in ('emac', 'retail', 'macdes') else 'one'
            args = ('mac', 'f', '--kind', kind, '--key-file', key)
            self.assertEqual(ok(*args).split()[-1].decode(), tag)
            ok(*args, '--verify', tag)
            self.refuse(REFUSED, 'the tag is not', *args, '--verify', '00' + tag[2:])
        self.assertEqual(ok('mac', 'f', '--kind', 'cbc-mac', '--padding', '3', '--key-file', 'one').split()[-1],
                         b'6a4a86f5b5e468dad27df25fb9d9be16')
        want = openssl('mac', '-cipher', 'SM4-CBC', '-macopt', 'hexkey:' + KEY, '-in', 'f', 'CMAC').decode().strip()
        self.assertEqual(ok('mac', 'f', '--key-file', 'k').split()[-1].decode(), want.lower())
        put('g', bytes.fromhex('feedfacedeadbeeffeedfacedeadbeef'))
        self.assertIn(b'9d632570f93064264a20918e3081b4cd',
                      ok('mac', 'g', '--kind', 'gmac', '--iv', 'cafebabefacedbaddecaf888', '--key-env', 'K',
                         env={'K': 'feffe9928665731c6d6a8f9467308308'}))
        self.refuse(USAGE, "no 'hmac'", 'mac', 'f', '--kind', 'hmac', '--key-file', 'k')
        self.refuse(USAGE, 'gmac needs --iv', 'mac', 'f', '--kind', 'gmac', '--key-file', 'k')
        self.refuse(USAGE, 'padding of its own', 'mac', 'f', '--padding', '2', '--key-file', 'k')
        self.refuse(USAGE, 'needs a file', 'mac', '--kind', 'cbc-mac', '--padding', '3', '--key-file', 'k', data=b'x')


class Modes(Folder):
    def test_openssl_reads_what_hufu_writes_and_the_other_way(self):
        for mode in ('ecb', 'cbc', 'cfb', 'ofb', 'ctr'):
            iv = [] if mode == 'ecb' else ['--iv', IV]
            theirs = ['enc', '-sm4-' + mode, '-K', KEY] + ([] if mode == 'ecb' else ['-iv', IV])
            for n in SIZES:
                text = os.urandom(n)
                put('p', text)
                c = ok('sm4-' + mode, 'encrypt', 'p', '--key-file', 'k', *iv)
                self.assertEqual(c, openssl(*theirs, data=text), f'{mode} {n}')
                self.assertEqual(openssl(*theirs, '-d', data=c), text)
                self.assertEqual(ok('sm4-' + mode, 'decrypt', '--key-file', 'k', *iv, data=c), text)

    def test_every_mode_comes_back_with_an_iv_of_its_own(self):
        for mode in BLOCK_MODES + STREAM_MODES:
            for n in (0, 1, 16, 300001) if mode != 'cfb1' else (0, 1, 16, 3001):
                text = os.urandom(n)
                c = ok('sm4-' + mode, 'encrypt', '--key-file', 'k', data=text)
                front = 0 if mode == 'ecb' else 16
                self.assertEqual(len(c) - front, n - n % 16 + 16 if mode in BLOCK_MODES else n)
                self.assertEqual(ok('sm4-' + mode, 'decrypt', '--key-file', 'k', data=c), text)
                if front:
                    again = ok('sm4-' + mode, 'encrypt', '--key-file', 'k', data=text)
                    self.assertNotEqual(again[:16], c[:16])

    def test_without_padding_the_text_is_of_whole_blocks(self):
        text = bytes.fromhex('6bc1bee22e409f96e93d7e117393172a')
        for mode, want in (('bc', 'ac529af989a62fce9cddc5ffb84125ca'), ('ofbnlf', '00a5b5c9e645557c20ce7f267736f308')):
            args = ('sm4-' + mode, 'encrypt', '--key-file', 'k', '--iv', IV, '--no-padding')
            self.assertEqual(ok(*args, data=text).hex(), want)
            self.refuse(INPUT, 'not of whole blocks', *args, data=text + b'x')
            self.refuse(INPUT, 'not of whole blocks', *args, '-o', 'c', data=text + b'x')

    def test_what_is_wrong_is_refused_and_nothing_is_written(self):
        put('c', ok('sm4-cbc', 'encrypt', '--key-file', 'k', data=b'some text'))
        put('other', 'ff' * 16)
        base = ('sm4-cbc', 'decrypt', 'c', '-o', 'p')
        self.refuse(REFUSED, 'wrong key', *base, '--key-file', 'other')
        put('c', get('c')[:-1])
        self.refuse(INPUT, 'cut short', *base, '--key-file', 'k')
        put('c', get('c')[:7])
        self.refuse(INPUT, 'ends within the IV', *base, '--key-file', 'k')
        put('c', get('c') + bytes(9))
        self.refuse(INPUT, 'cut short', *base, '--key-file', 'k')

    def test_a_large_text_needs_little_memory(self):
        size = 120 << 20
        with open('big', 'wb') as f:
            f.truncate(size)
        for mode in ('cbc', 'gcm'):
            for way, source, target in (('encrypt', 'big', 'c'), ('decrypt', 'c', 'p')):
                before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
                ok('sm4-' + mode, way, source, '--key-file', 'k', '-o', target, '--force')
                after = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
                self.assertTrue(after < 100 << 10 or after == before, f'{mode}: {after} KiB')
            self.assertEqual(os.path.getsize('p'), size)


class Aead(Folder):
    def test_gcm_and_ccm_are_those_of_the_vectors(self):
        put('key', '0123456789abcdeffedcba9876543210')
        text = bytes.fromhex('aa' * 8 + 'bb' * 8 + 'cc' * 8 + 'dd' * 8 + 'ee' * 8 + 'ff' * 8 + 'ee' * 8 + 'aa' * 8)
        more = ('--key-file', 'key', '--iv', '00001234567800000000abcd', '--aad',
                'feedfacedeadbeeffeedfacedeadbeefabaddad2')
        gcm = ok('sm4-gcm', 'encrypt', *more, data=text).hex()
        self.assertTrue(gcm.startswith('17f399f08c67d5ee') and gcm.endswith('83de3541e4c2b58177e065a9bf7b62ec'))
        ccm = ok('sm4-ccm', 'encrypt', *more, data=text).hex()
        self.assertTrue(ccm.startswith('48af93501fa62adb') and ccm.endswith('16842d4fa186f56ab33256971fa110f4'))
        self.assertEqual(ok('sm4-gcm', 'decrypt', *more, data=bytes.fromhex(gcm)), text)
        self.assertEqual(ok('sm4-ccm', 'decrypt', *more, data=bytes.fromhex(ccm)), text)

    def test_texts_of_every_length_come_back(self):
        put('aad', os.urandom(100000))
        for mode in ('gcm', 'ccm'):
            for n in SIZES:
                put('p', os.urandom(n))
                more = ('--key-file', 'k', '--aad-file', 'aad', '--tag-len', '12')
                ok('sm4-' + mode, 'encrypt', 'p', *more, '-o', 'c', '--force')
                self.assertEqual(os.path.getsize('c'), 12 + n + 12)
                ok('sm4-' + mode, 'decrypt', 'c', *more, '-o', 'q', '--force')
                self.assertEqual(get('q'), get('p'))
                self.assertEqual(stat.S_IMODE(os.stat('q').st_mode), 0o600)
                self.assertEqual(ok('sm4-' + mode, 'decrypt', *more, data=get('c')), get('p'))

    def test_nothing_is_seen_of_a_text_that_was_altered_or_cut(self):
        for mode in ('gcm', 'ccm'):
            c = ok('sm4-' + mode, 'encrypt', '--key-file', 'k', data=os.urandom(400000))
            for at in (0, 12, 300000, len(c) - 17, len(c) - 1):
                put('c', c[:at] + bytes([c[at] ^ 1]) + c[at + 1:])
                self.refuse(REFUSED, 'wrong key', 'sm4-' + mode, 'decrypt', 'c', '--key-file', 'k', '-o', 'p')
                r = self.refuse(REFUSED, 'wrong key', 'sm4-' + mode, 'decrypt', 'c', '--key-file', 'k')
                self.assertEqual(r.stdout, b'')
            for n in (len(c) - 1, 300000, 40, 28):
                put('c', c[:n])
                self.refuse(REFUSED, 'wrong key', 'sm4-' + mode, 'decrypt', 'c', '--key-file', 'k', '-o', 'p')
            for n in (27, 12):
                put('c', c[:n])
                self.refuse(INPUT, 'too short to hold a tag', 'sm4-' + mode, 'decrypt', 'c', '--key-file', 'k', '-o', 'p')
            put('c', c[:11])
            self.refuse(INPUT, 'ends within the nonce', 'sm4-' + mode, 'decrypt', 'c', '--key-file', 'k', '-o', 'p')
            put('c', c)
            self.refuse(REFUSED, 'wrong key', 'sm4-' + mode, 'decrypt', 'c', '--key-file', 'k', '--aad', '00', '-o', 'p')

    def test_more_than_can_be_held_back_goes_to_a_file_only(self):
        with open('big', 'wb') as f:
            f.truncate((64 << 20) + 1)
        ok('sm4-gcm', 'encrypt', 'big', '--key-file', 'k', '-o', 'c')
        r = self.refuse(RESOURCES, 'give -o FILE', 'sm4-gcm', 'decrypt', 'c', '--key-file', 'k')
        self.assertEqual(r.stdout, b'')
        ok('sm4-gcm', 'decrypt', 'c', '--key-file', 'k', '-o', 'p')
        self.assertEqual(os.path.getsize('p'), (64 << 20) + 1)
        self.refuse(RESOURCES, 'taken at once', 'sm4-ccm', 'encrypt', 'big', '--key-file', 'k', '-o', 'd')

    def test_options_that_cannot_be(self):
        base = ('sm4-ccm', 'encrypt', '--key-file', 'k')
        self.refuse(USAGE, 'even lengths', *base, '--tag-len', '13')
        self.refuse(USAGE, '--tag-len', *base, '--tag-len', '6')
        self.refuse(USAGE, '--tag-len', 'sm4-gcm', 'encrypt', '--key-file', 'k', '--tag-len', '8')
        self.refuse(USAGE, '7 to 13 bytes', *base, '--iv', '00' * 14)
        self.refuse(USAGE, 'either --aad', *base, '--aad', '00', '--aad-file', 'k')
        self.refuse(STATE, 'none', *base, '--aad-file', 'none')


class WideModes(Folder):
    def test_xts_is_that_of_the_vectors(self):
        put('key', '2b7e151628aed2a6abf7158809cf4f3c000102030405060708090a0b0c0d0e0f')
        text = bytes.fromhex('6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411'
                             'e5fbc1191a0a52eff69f2445df4f9b17')
        more = ('--key-file', 'key', '--iv', 'f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff')
        for order, end in (('gb', '903be7f93a1b3479'), ('ieee', '27d16c0db6d2cfc7')):
            c = ok('sm4-xts', 'encrypt', *more, '--order', order, data=text)
            self.assertTrue(c.hex().startswith('e9538251c71d7b80bbe4483fef497bd1') and c.hex().endswith(end))
            self.assertEqual(ok('sm4-xts', 'decrypt', *more, '--order', order, data=c), text)

    def test_units_are_numbered(self):
        text = os.urandom(600000)
        whole = ok('sm4-xts', 'encrypt', '--key-file', 'k32', '--unit-size', '4096', data=text)
        part = ok('sm4-xts', 'encrypt', '--key-file', 'k32', '--unit-size', '4096', '--first-unit', '3',
                  data=text[3 * 4096:5 * 4096])
        self.assertEqual(whole[3 * 4096:5 * 4096], part)
        self.assertEqual(whole[3 * 4096:4 * 4096], ok('sm4-xts', 'encrypt', '--key-file', 'k32', '--iv', '03' + '00' * 15,
                                                      data=text[3 * 4096:4 * 4096]))
        self.assertEqual(ok('sm4-xts', 'decrypt', '--key-file', 'k32', '--unit-size', '4096', data=whole), text)
        self.refuse(INPUT, 'last unit', 'sm4-xts', 'encrypt', '--key-file', 'k32', '--unit-size', '4096',
                    '-o', 'c', data=text[:4096 + 15])
        self.refuse(USAGE, '--unit-size', 'sm4-xts', 'encrypt', '--key-file', 'k32', '--unit-size', '15')
        self.refuse(INPUT, 'at least one block', 'sm4-xts', 'encrypt', '--key-file', 'k32', '-o', 'c', data=b'short')
        put('short', KEY)  # as long as the bytes of a key that is twice as long
        for mode in ('sm4-xts', 'sm4-hctr'):
            self.refuse(INPUT, '16 bytes in hexadecimal', mode, 'encrypt', '--key-file', 'short', '-o', 'c', data=text)
        put('raw', bytes.fromhex(get('k32').decode()))
        self.assertEqual(ok('sm4-xts', 'decrypt', '--key-file', 'raw', '--unit-size', '4096', data=whole), text)
        put('same', KEY + KEY)
        self.refuse(INPUT, 'halves', 'sm4-xts', 'encrypt', '--key-file', 'same', '-o', 'c', data=text)

    def test_hctr(self):
        put('key', '2b7e151628aed2a6abf7158809cf4f3c000102030405060708090a0b0c0d0e0f')
        text = bytes.fromhex('6bc1bee22e409f96e93d7e117393172a')
        more = ('--key-file', 'key', '--iv', 'f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff')
        c = ok('sm4-hctr', 'encrypt', *more, data=text)
        self.assertEqual(c.hex(), 'b7b1dd75f608012dc69621d4ea720a60')
        self.assertEqual(ok('sm4-hctr', 'decrypt', *more, data=c), text)
        text = os.urandom(100001)
        self.assertEqual(ok('sm4-hctr', 'decrypt', '--key-file', 'k32',
                            data=ok('sm4-hctr', 'encrypt', '--key-file', 'k32', data=text)), text)
        self.refuse(INPUT, 'at least one block', 'sm4-hctr', 'encrypt', '--key-file', 'k32', '-o', 'c', data=b'short')


class Sm2(Folder):
    def setUp(self):
        super().setUp()
        ok('sm2', 'keygen', '-o', 'a.key', '--pub-out', 'a.pub', '--no-passphrase')
        openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:SM2', '-out', 'o.key')
        openssl('pkey', '-in', 'o.key', '-pubout', '-out', 'o.pub')
        put('m', os.urandom(300000))

    def test_key_files_are_those_of_openssl(self):
        self.assertEqual(stat.S_IMODE(os.stat('a.key').st_mode), 0o600)
        self.assertEqual(openssl('pkey', '-in', 'a.key', '-pubout'), get('a.pub'))
        self.assertEqual(ok('sm2', 'pub', '--key', 'a.key'), get('a.pub'))
        self.assertEqual(ok('sm2', 'pub', '--key', 'o.key'), get('o.pub'))
        openssl('pkcs8', '-topk8', '-in', 'o.key', '-out', 'sealed', '-passout', 'pass:open sesame')
        put('pass', 'open sesame\n')
        self.assertEqual(ok('sm2', 'pub', '--key', 'sealed', '--passphrase-file', 'pass'), get('o.pub'))
        openssl('pkey', '-in', 'o.key', '-outform', 'DER', '-out', 'o.der')
        self.assertEqual(ok('sm2', 'pub', '--key', 'o.der'), get('o.pub'))

    def test_keys_are_encrypted_unless_told_otherwise(self):
        put('pass', 'open sesame\n')
        for flavour in ([], ['--gmssl']):
            ok('sm2', 'keygen', '-o', 'b.key', '--pub-out', 'b.pub', '--passphrase-file', 'pass', '--force', *flavour)
            self.assertIn(b'ENCRYPTED PRIVATE KEY', get('b.key'))
            for more in (['--passphrase-file', 'pass'], ['--passphrase-env', 'P']):
                self.assertEqual(ok('sm2', 'pub', '--key', 'b.key', *more, env={'P': 'open sesame'}), get('b.pub'))
            put('wrong', 'open sesam\n')
            self.refuse(REFUSED, 'b.key', 'sm2', 'pub', '--key', 'b.key', '--passphrase-file', 'wrong')
        self.refuse(USAGE, '--no-passphrase', 'sm2', 'keygen', '-o', 'c.key', start_new_session=True)
        self.refuse(USAGE, 'give --passphrase-file', 'sm2', 'pub', '--key', 'b.key', start_new_session=True)
        self.refuse(USAGE, 'nothing in P', 'sm2', 'keygen', '-o', 'c.key', '--passphrase-env', 'P', env={'P': ''})
        self.refuse(USAGE, 'one file', 'sm2', 'keygen', '-o', 'c.key', '--pub-out', 'c.key', '--no-passphrase')
        self.refuse(USAGE, 'either a passphrase', 'sm2', 'keygen', '-o', 'c.key', '--passphrase-file', 'pass',
                    '--no-passphrase')
        self.refuse(STATE, 'a.key is there already', 'sm2', 'keygen', '-o', 'a.key', '--no-passphrase')
        self.refuse(STATE, 'a.pub is there already', 'sm2', 'keygen', '-o', 'd.key', '--pub-out', 'a.pub',
                    '--no-passphrase')
        self.refuse(USAGE, '--out is missing', 'sm2', 'keygen', '--no-passphrase')

    def typed(self, *args, answers):
        pid, fd = pty.fork()
        if pid == 0:
            os.execv(HUFU, [HUFU, 'crypto', *args])
        shown = b''
        answers = list(answers)
        while True:
            try:
                part = os.read(fd, 4096)
            except OSError:
                break
            if not part:
                break
            shown += part
            if answers and shown.endswith(b': '):
                os.write(fd, answers.pop(0).encode() + b'\n')
        status = os.waitpid(pid, 0)[1]
        os.close(fd)
        return os.waitstatus_to_exitcode(status), shown.decode()

    def test_who_gives_up_at_the_question_leaves_nothing_behind(self):
        before = sorted(os.listdir('.'))
        for way in ('\x03', '\x04', signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            pid, fd = pty.fork()
            if pid == 0:
                os.execv(HUFU, [HUFU, 'crypto', 'sm2', 'keygen', '-o', 'u.key', '--pub-out', 'u.pub'])
            shown = b''
            while not shown.endswith(b': '):
                shown += os.read(fd, 4096)
            self.assertFalse(termios.tcgetattr(fd)[3] & termios.ECHO)
            if isinstance(way, str):
                os.write(fd, way.encode())
            else:
                os.kill(pid, way)
            while b'\n' not in shown:  # written when the echo is on again
                shown += os.read(fd, 4096)
            self.assertTrue(termios.tcgetattr(fd)[3] & termios.ECHO)
            while not shown.endswith(b']\r\n'):
                shown += os.read(fd, 4096)
            self.assertIn(b'stopped at the question for the passphrase', shown)
            self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), STATE)
            os.close(fd)
            self.assertEqual(sorted(os.listdir('.')), before)

    def test_two_passphrases_are_one_too_many(self):
        put('pass', 'tiger')
        both = ('--passphrase-file', 'pass', '--passphrase-env', 'P')
        self.refuse(USAGE, 'either --passphrase-file', 'sm2', 'keygen', '-o', 'b.key', *both, env={'P': 'tiger'})
        for name in ('a.key', 'o.key'):
            self.refuse(USAGE, 'either --passphrase-file', 'sm2', 'pub', '--key', name, *both, env={'P': 'tiger'})

    def test_keys_of_another_kind_are_bad_input(self):
        openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', 'p256.key')
        openssl('genpkey', '-algorithm', 'RSA', '-out', 'rsa.key')
        for name in ('p256', 'rsa'):
            openssl('pkey', '-in', name + '.key', '-pubout', '-out', name + '.pub')
        put('empty', b'')
        for name in ('p256.key', 'rsa.key', 'a.pub', 'rsa.pub', 'empty', 'm.short'):
            put('m.short', b'neither')
            self.refuse(INPUT, name, 'sm2', 'pub', '--key', name)
        for name in ('p256.pub', 'rsa.pub', 'a.key', 'empty', 'm.short'):
            self.refuse(INPUT, name, 'sm2', 'encrypt', '--key', name, data=b'x')

    def test_a_passphrase_is_asked_for_twice(self):
        code, shown = self.typed('sm2', 'keygen', '-o', 't.key', '--pub-out', 't.pub', answers=['tiger', 'tiger'])
        self.assertEqual(code, OK, shown)
        self.assertNotIn('tiger', shown)
        code, shown = self.typed('sm2', 'pub', '--key', 't.key', answers=['tiger'])
        self.assertEqual(code, OK, shown)
        self.assertIn('BEGIN PUBLIC KEY', shown)
        self.assertEqual(self.typed('sm2', 'keygen', '-o', 'u.key', answers=['tiger', 'liger'])[0], USAGE)
        self.assertEqual(self.typed('sm2', 'keygen', '-o', 'u.key', answers=[''])[0], USAGE)
        self.assertFalse(os.path.exists('u.key'))

    def test_signatures_of_either_side_verify_on_the_other(self):
        theirs = ['-rawin', '-digest', 'sm3', '-pkeyopt', 'distid:' + ID, '-in', 'm']
        ok('sm2', 'sign', 'm', '--key', 'o.key', '-o', 's')
        openssl('pkeyutl', '-verify', '-pubin', '-inkey', 'o.pub', '-sigfile', 's', *theirs)
        openssl('pkeyutl', '-sign', '-inkey', 'a.key', '-out', 's2', *theirs)
        self.assertIn(b'verified', ok('sm2', 'verify', 'm', '--key', 'a.pub', '--signature', 's2'))
        self.assertIn(b'verified', ok('sm2', 'verify', '--key', 'a.pub', '--signature', 's2', data=get('m')))
        ok('sm2', 'sign', '--key', 'a.key', '--id', 'ALICE', '--raw', '-o', 's3', data=get('m'))
        self.assertEqual(os.path.getsize('s3'), 64)
        ok('sm2', 'verify', 'm', '--key', 'a.pub', '--id', 'ALICE', '--raw', '--signature', 's3')

    def test_wrong_signatures_are_refused(self):
        ok('sm2', 'sign', 'm', '--key', 'a.key', '-o', 's')
        base = ('sm2', 'verify', 'm', '--signature', 's')
        self.refuse(REFUSED, 'is not the signature', *base, '--key', 'o.pub')
        self.refuse(REFUSED, 'and ID', *base, '--key', 'a.pub', '--id', 'BOB')
        self.refuse(REFUSED, 'is not the signature', 'sm2', 'verify', '--signature', 's', '--key', 'a.pub', data=b'other')
        s = get('s')
        put('s', s[:-1])
        self.refuse(INPUT, 'no SM2 signature in DER', *base, '--key', 'a.pub')
        put('s', s[:20] + bytes([s[20] ^ 1]) + s[21:])
        self.refuse(REFUSED, 'is not the signature', *base, '--key', 'a.pub')
        self.refuse(INPUT, 'in 64 bytes', *base, '--key', 'a.pub', '--raw')
        self.refuse(INPUT, 'no public key', *base, '--key', 'k')
        self.refuse(RESOURCES, 'm is longer', *base, '--key', 'm')
        self.refuse(INPUT, 'no public key', *base, '--key', 'a.key')
        self.refuse(USAGE, '--signature is missing', 'sm2', 'verify', 'm', '--key', 'a.pub')
        self.refuse(STATE, 'none', *base, '--key', 'none')

    def test_certificates_are_keys_too(self):
        openssl('req', '-new', '-x509', '-key', 'o.key', '-sm3', '-sigopt', 'distid:' + ID, '-subj', '/CN=x', '-days', '9',
                '-addext', 'keyUsage=critical,digitalSignature', '-out', 'o.crt')
        ok('sm2', 'sign', 'm', '--key', 'o.key', '-o', 's')
        ok('sm2', 'verify', 'm', '--key', 'o.crt', '--signature', 's')

    def test_ciphertexts_of_either_side_open_on_the_other(self):
        for n in (1, 19, 32, 1000):
            text = os.urandom(n)
            c = ok('sm2', 'encrypt', '--key', 'o.pub', data=text)
            self.assertEqual(openssl('pkeyutl', '-decrypt', '-inkey', 'o.key', data=c), text)
            c = openssl('pkeyutl', '-encrypt', '-pubin', '-inkey', 'a.pub', data=text)
            self.assertEqual(ok('sm2', 'decrypt', '--key', 'a.key', data=c), text)
            c = ok('sm2', 'encrypt', '--key', 'a.pub', '--raw', data=text)
            self.assertEqual((c[0], len(c)), (4, 97 + n))
            self.assertEqual(ok('sm2', 'decrypt', '--key', 'a.key', data=c), text)
        put('p', os.urandom(65536))
        ok('sm2', 'encrypt', 'p', '--key', 'a.pub', '-o', 'c')
        ok('sm2', 'decrypt', 'c', '--key', 'a.key', '-o', 'q')
        self.assertEqual(get('q'), get('p'))

    def test_wrong_ciphertexts_are_refused(self):
        for raw in ([], ['--raw']):
            c = ok('sm2', 'encrypt', '--key', 'a.pub', *raw, data=b'a key of 16 byte')
            put('c', c)
            self.refuse(REFUSED, 'not for this key', 'sm2', 'decrypt', 'c', '--key', 'o.key', '-o', 'p')
            put('c', c[:-1] + bytes([c[-1] ^ 1]))
            self.refuse(REFUSED, 'not for this key', 'sm2', 'decrypt', 'c', '--key', 'a.key', '-o', 'p')
            put('c', c[:-1])
            self.refuse(REFUSED if raw else INPUT, 'c: ', 'sm2', 'decrypt', 'c', '--key', 'a.key', '-o', 'p')
            put('c', c[:60])
            self.refuse(INPUT, 'c: ', 'sm2', 'decrypt', 'c', '--key', 'a.key', '-o', 'p')
        self.refuse(INPUT, 'neither DER', 'sm2', 'decrypt', '--key', 'a.key', '-o', 'p', data=b'words')
        self.refuse(INPUT, 'is empty', 'sm2', 'encrypt', '--key', 'a.pub', '-o', 'c2', data=b'')
        self.refuse(RESOURCES, '65536 bytes', 'sm2', 'encrypt', '--key', 'a.pub', '-o', 'c2', data=bytes(65537))

    def test_two_sides_agree_on_a_key(self):
        for side in 'AB':
            for what in ('long', 'short'):
                ok('sm2', 'keygen', '-o', f'{side}.{what}', '--pub-out', f'{side}.{what}.pub', '--no-passphrase')

        def exchange(own, peer, *more):
            ident = {'A': 'alice', 'B': 'bob'}
            return ('sm2', 'exchange', '--initiator' if own == 'A' else '--responder', '--key', own + '.long',
                    '--ephemeral', own + '.short', '--peer', peer + '.long.pub', '--peer-ephemeral', peer + '.short.pub',
                    '--id', ident[own], '--peer-id', ident[peer], '--key-len', '48', *more)
        ok(*exchange('B', 'A', '-o', 'B.shared', '--confirm-out', 'B.says'))
        ok(*exchange('A', 'B', '-o', 'A.shared', '--confirm-out', 'A.says', '--confirm', 'B.says'))
        self.assertEqual(get('A.shared'), get('B.shared'))
        self.assertEqual(len(get('A.shared')), 48)
        self.assertEqual(stat.S_IMODE(os.stat('A.shared').st_mode), 0o600)
        ok(*exchange('B', 'A', '-o', 'B.again', '--confirm', 'A.says'))
        put('A.says', bytes(32))
        self.refuse(REFUSED, 'does not have the same key', *exchange('B', 'A', '-o', 'x', '--confirm', 'A.says'))
        self.refuse(REFUSED, 'does not have', *exchange('A', 'B', '-o', 'x', '--confirm', 'B.says', '--id', 'mallory'))
        for own, peer, said in (('A.long', 'B.short.pub', '--ephemeral: must'), ('A.short', 'B.long.pub', '--peer-ephemeral')):
            self.refuse(USAGE, said, 'sm2', 'exchange', '--initiator', '--key', 'A.long', '--ephemeral', own,
                        '--peer', 'B.long.pub', '--peer-ephemeral', peer, '-o', 'x')
        self.refuse(USAGE, 'give one of', 'sm2', 'exchange', '--key', 'A.long')
        self.refuse(USAGE, '--ephemeral is missing', 'sm2', 'exchange', '--initiator', '--key', 'A.long')


class InputAndOutput(Folder):
    def test_keys_do_not_stand_on_the_command_line(self):
        self.refuse(USAGE, 'seen by every user', 'sm4-cbc', 'encrypt', '--key-hex', KEY)
        self.refuse(USAGE, 'seen by every user', 'hmac', '--key-hex', KEY)
        self.refuse(USAGE, 'give the key with', 'sm4-cbc', 'encrypt')
        self.refuse(USAGE, 'give the key with', 'sm4-cbc', 'encrypt', '--key-file', 'k', '--key-env', 'K')
        self.refuse(USAGE, 'no variable NONE_SUCH', 'sm4-cbc', 'encrypt', '--key-env', 'NONE_SUCH')

    def test_keys_of_another_length_are_refused(self):
        for content in (b'', b'\1' * 15, b'\1' * 17, KEY[:-1], KEY + '0', KEY[:-1] + 'g', KEY + '\n\n'):
            put('bad', content)
            self.refuse(INPUT, 'key of 16 bytes', 'sm4-ctr', 'encrypt', '--key-file', 'bad', '-o', 'c')
        self.refuse(INPUT, 'key of 16 bytes', 'sm4-ctr', 'encrypt', '--key-env', 'K', env={'K': KEY[2:]})
        put('bad', bytes(65537))
        self.refuse(RESOURCES, 'bad is longer', 'sm4-ctr', 'encrypt', '--key-file', 'bad', '-o', 'c')
        put('raw', bytes.fromhex(KEY))
        for name in ('raw', 'k'):
            self.assertEqual(ok('sm4-ctr', 'encrypt', '--key-file', name, '--iv', IV, data=bytes(3)).hex(),
                             openssl('enc', '-sm4-ctr', '-K', KEY, '-iv', IV, data=bytes(3)).hex())
        self.assertEqual(ok('sm4-ctr', 'encrypt', '--key-env', 'K', '--iv', IV, data=bytes(3), env={'K': KEY.upper()}).hex(),
                         openssl('enc', '-sm4-ctr', '-K', KEY, '-iv', IV, data=bytes(3)).hex())

    def test_operands_and_options_that_cannot_be(self):
        self.refuse(USAGE, 'neither encrypt nor decrypt', 'sm4-cbc', 'seal', '--key-file', 'k')
        self.refuse(USAGE, 'usage', 'sm4-cbc')
        self.refuse(USAGE, '16 bytes in hexadecimal', 'sm4-cbc', 'encrypt', '--key-file', 'k', '--iv', IV[2:])
        self.refuse(USAGE, '16 bytes in hexadecimal', 'sm4-cbc', 'encrypt', '--key-file', 'k', '--iv', 'x' * 32)
        self.refuse(USAGE, 'ECB has none', 'sm4-ecb', 'encrypt', '--key-file', 'k', '--iv', IV)
        self.refuse(USAGE, "unknown option '--no-padding'", 'sm4-ctr', 'encrypt', '--no-padding')
        self.refuse(USAGE, '--out needs --raw', 'sm3', '-o', 'd')

    def test_files_that_are_missing_or_there_already(self):
        self.refuse(STATE, 'none', 'sm3', 'none')
        self.refuse(STATE, 'none', 'sm4-cbc', 'encrypt', 'none', '--key-file', 'k', '-o', 'c')
        self.refuse(STATE, 'none', 'sm4-cbc', 'encrypt', 'k', '--key-file', 'none', '-o', 'c')
        self.refuse(USAGE, 'directory', 'sm3', '.')
        put('c', b'old')
        self.refuse(STATE, 'c is there already', 'sm4-cbc', 'encrypt', 'k', '--key-file', 'k', '-o', 'c')
        self.assertEqual(get('c'), b'old')
        os.symlink('c', 'link')
        self.refuse(STATE, 'is a link', 'sm4-cbc', 'encrypt', 'k', '--key-file', 'k', '-o', 'link', '--force')
        self.refuse(STATE, 'no/c', 'sm4-cbc', 'encrypt', 'k', '--key-file', 'k', '-o', 'no/c')
        self.refuse(USAGE, 'no name for a file', 'sm4-cbc', 'encrypt', 'k', '--key-file', 'k', '-o', 'no/')
        ok('sm4-cbc', 'encrypt', 'k', '--key-file', 'k', '-o', 'c', '--force')
        self.assertNotEqual(get('c'), b'old')
        self.assertEqual(stat.S_IMODE(os.stat('c').st_mode), 0o644)

    def test_a_text_may_be_encrypted_in_its_own_place(self):
        put('t', b'text')
        ok('sm4-gcm', 'encrypt', 't', '--key-file', 'k', '-o', 't', '--force')
        self.assertEqual(len(get('t')), 12 + 4 + 16)
        ok('sm4-gcm', 'decrypt', 't', '--key-file', 'k', '-o', 't', '--force')
        self.assertEqual(get('t'), b'text')

    def test_a_full_disk_is_told(self):
        put('p', bytes(1 << 20))
        ok('sm4-gcm', 'encrypt', 'p', '--key-file', 'k', '-o', 'c')
        before = os.stat('/dev/full')
        for args in (('sm4-gcm', 'encrypt', 'p', '--key-file', 'k'), ('sm4-gcm', 'decrypt', 'c', '--key-file', 'k'),
                     ('sm2', 'keygen', '--no-passphrase')):
            for force in ([], ['--force']):
                self.refuse(RESOURCES, '/dev/full', *args, '-o', '/dev/full', *force)
        with open('/dev/full', 'wb') as full:
            self.refuse(RESOURCES, '/dev/full', 'sm4-ctr', 'encrypt', 'p', '--key-file', 'k', stdout=full)
            self.refuse(SYSTEM, 'standard output', 'sm3', 'p', stdout=full)
        self.assertEqual(os.stat('/dev/full').st_rdev, before.st_rdev)  # not replaced by a file

    def test_a_limit_of_file_size_leaves_nothing_behind(self):
        put('p', bytes(1 << 20))
        for action in (signal.SIG_DFL, signal.SIG_IGN):
            def small_files(action=action):
                signal.signal(signal.SIGXFSZ, action)
                resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, 1 << 16))
            r = self.refuse(RESOURCES, 'cannot write c: File too large', 'sm4-ctr', 'encrypt', 'p', '--key-file', 'k',
                            '-o', 'c', preexec_fn=small_files)
            self.assertEqual(r.stdout, b'')

    def start(self, *args, **more):
        return subprocess.Popen([HUFU, 'crypto', *args], stderr=subprocess.PIPE, **more)

    def wait_until_it_can_be_stopped(self, p, sig):
        """Signals that it wants to read are blocked from then on."""
        for _ in range(6000):
            if p.poll() is not None:
                break
            with open(f'/proc/{p.pid}/status', encoding='utf-8') as f:
                mask = next(x for x in f if x.startswith('SigBlk')).split()[1]
            if int(mask, 16) >> (sig - 1) & 1:
                return
            time.sleep(0.01)
        p.kill()
        self.fail(p.stderr.read())

    def stopped(self, p, sig):
        self.wait_until_it_can_be_stopped(p, sig)
        p.send_signal(sig)
        self.assertEqual(p.wait(timeout=60), STATE)
        self.assertIn(b'stopped', p.stderr.read())
        p.stderr.close()

    def test_a_signal_leaves_nothing_behind(self):
        with open('big', 'wb') as f:
            f.truncate(16 << 30)
        put('c', b'old')
        before = sorted(os.listdir('.'))
        for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            self.stopped(self.start('sm4-cfb8', 'encrypt', 'big', '--key-file', 'k', '-o', 'c', '--force'), sig)
            self.assertEqual(sorted(os.listdir('.')), before)
            for mode in ('sm4-gcm', 'sm4-ccm', 'sm4-cbc'):  # while a pipe has nothing to read
                p = self.start(mode, 'decrypt', '--key-file', 'k', '-o', 'p', stdin=subprocess.PIPE)
                p.stdin.write(bytes(300000))
                p.stdin.flush()
                self.stopped(p, sig)
                p.stdin.close()
                self.assertEqual(sorted(os.listdir('.')), before)
        self.assertEqual(get('c'), b'old')

    def test_what_is_killed_has_left_no_name(self):
        try:
            os.close(os.open('.', os.O_TMPFILE | os.O_WRONLY))
        except OSError:
            self.skipTest('this file system has only files with names')
        before = sorted(os.listdir('.'))
        p = self.start('sm4-gcm', 'decrypt', '--key-file', 'k', '-o', 'p', stdin=subprocess.PIPE)
        p.stdin.write(bytes(1 << 20))  # more than a pipe holds: some of it was deciphered
        p.stdin.flush()
        p.kill()
        p.wait(timeout=60)
        p.stdin.close()
        p.stderr.close()
        self.assertEqual(sorted(os.listdir('.')), before)

    def test_a_name_that_is_taken_meanwhile_stays(self):
        for args in (('sm4-cbc', 'encrypt', '--key-file', 'k'), ('sm4-ccm', 'encrypt', '--key-file', 'k')):
            p = self.start(*args, '-o', 'c', stdin=subprocess.PIPE)
            p.stdin.write(bytes(300000))
            p.stdin.flush()
            self.wait_until_it_can_be_stopped(p, signal.SIGTERM)
            put('c', b'of somebody else')
            p.stdin.close()
            self.assertEqual(p.wait(timeout=60), STATE)
            self.assertIn(b'c is there already', p.stderr.read())
            p.stderr.close()
            self.assertEqual(get('c'), b'of somebody else')
            self.assertEqual(sorted(os.listdir('.')), ['c', 'k', 'k32'])
            os.unlink('c')

    def test_public_files_obey_the_umask_and_secret_ones_are_private(self):
        def made(name):
            mode = stat.S_IMODE(os.stat(name).st_mode)
            os.unlink(name)
            return mode
        put('t', b'text')
        for mask, public in ((0o022, 0o644), (0o077, 0o600), (0o002, 0o664), (0, 0o666)):
            self.addCleanup(os.umask, os.umask(mask))
            ok('sm4-gcm', 'encrypt', 't', '--key-file', 'k', '-o', 'c')
            ok('sm4-gcm', 'decrypt', 'c', '--key-file', 'k', '-o', 'p')
            ok('sm2', 'keygen', '-o', 'key', '--pub-out', 'pub', '--no-passphrase')
            self.assertEqual([made(n) for n in ('c', 'p', 'key', 'pub')], [public, 0o600, 0o600, public])

    def test_names_of_one_file_are_one(self):
        keygen = ('sm2', 'keygen', '--no-passphrase', '--force')
        os.mkdir('d')
        for first, second in (('x', './x'), ('x', 'd/../x'), ('-', '-'), ('-', '/dev/stdout')):
            self.refuse(USAGE, 'one file', *keygen, '-o', first, '--pub-out', second)
        ok(*keygen, '-o', 'a.key', '--pub-out', 'a.pub')
        os.link('a.key', 'hard')
        os.symlink('a.key', 'soft')
        for name in ('./a.key', os.path.abspath('a.key'), 'hard', 'soft'):
            self.refuse(USAGE, 'one file', *keygen, '-o', 'a.key', '--pub-out', name)
        key = get('a.key')
        for name in ('a.key', './a.key', 'hard'):
            self.refuse(USAGE, 'is the file of --key', 'sm2', 'pub', '--key', 'a.key', '-o', name, '--force')
            self.refuse(USAGE, 'is the file of --key', 'sm2', 'sign', '--key', 'a.key', '-o', name, '--force')
        self.refuse(USAGE, 'is the file of --key-file', 'sm4-cbc', 'encrypt', 'k', '--key-file', 'k', '-o', './k', '--force')
        put('pass', 'tiger')
        self.refuse(USAGE, 'is the file of --passphrase-file', *keygen[:2], '--passphrase-file', 'pass', '-o', 'pass',
                    '--force')
        self.assertEqual(get('a.key'), key)
        ok(*keygen, '-o', 'a.key', '--pub-out', 'd/a.key')  # another folder

    def test_closed_descriptors_are_not_given_to_files(self):
        put('t', b'abc')

        def shell(line):
            return subprocess.run(f'{shlex.quote(HUFU)} crypto {line}', shell=True, capture_output=True, timeout=60,
                                  check=False)
        self.assertEqual(shell('sm4-gcm encrypt t --key-file k -o c <&- >&- 2>&-').returncode, OK)
        self.assertEqual(ok('sm4-gcm', 'decrypt', 'c', '--key-file', 'k'), b'abc')
        self.assertEqual(shell('sm2 keygen -o - --pub-out pub --no-passphrase >&-').returncode, SYSTEM)
        self.assertFalse(os.path.exists('pub'))  # with the private key in it
        self.assertEqual(shell('sm3 t >&-').returncode, SYSTEM)
        self.assertEqual(shell('sm3 <&-').returncode, SYSTEM)

    def test_control_characters_in_names_do_not_reach_the_terminal(self):
        name = 'a\x1b]0;x\x07\u202eb\u00e4'
        put(name, b'abc')
        shown = 'a\\x1b]0;x\\x07\\xe2\\x80\\xaeb\u00e4'
        self.assertIn(f'SM3({shown})= ', ok('sm3', name).decode())
        self.assertIn(f'HMAC-SM3({shown})= ', ok('hmac', name, '--key-file', 'k').decode())
        for args in (('sm3', name + '.none'), ('sm4-cbc', 'encrypt', 'k', '--key-file', 'k', '-o', name),
                     ('sm3', '--' + name), (name,)):
            r = run(*args)
            self.assertIn(shown, r.stderr.decode())
            self.assertNotIn(b'\x1b', r.stderr)

    def test_an_unknown_command_is_told_what_there_is(self):
        r = run('foo')
        self.assertEqual(r.returncode, USAGE)
        self.assertIn(b"no command 'crypto foo'", r.stderr)
        self.assertIn(b'hufu crypto sm4-gcm encrypt|decrypt', r.stderr)

    def test_bytes_are_not_written_to_a_terminal(self):
        out, terminal = pty.openpty()
        self.refuse(USAGE, 'is a terminal', 'sm4-ctr', 'encrypt', '--key-file', 'k', data=b'x', stdout=terminal)
        os.close(out)
        os.close(terminal)

    def test_pipes_go_through(self):
        text = os.urandom(3000000)
        put('p', text)
        line = (f'"{HUFU}" crypto sm4-ctr encrypt p --key-file k | "{HUFU}" crypto sm4-ctr decrypt --key-file k | '
                f'"{HUFU}" crypto sm3')
        out = subprocess.run(line, shell=True, capture_output=True, check=True, timeout=60).stdout
        self.assertEqual(out.split()[-1], openssl('sm3', 'p').split()[-1])
        os.mkfifo('pipe')
        reader = subprocess.Popen(['sha256sum', 'pipe'], stdout=subprocess.PIPE)
        c = ok('sm4-gcm', 'encrypt', 'p', '--key-file', 'k')
        ok('sm4-gcm', 'decrypt', '--key-file', 'k', '-o', 'pipe', data=c)
        self.assertEqual(reader.communicate(timeout=60)[0].split()[0].decode(), hashlib.sha256(text).hexdigest())

    def test_a_fifo_waits_for_its_other_end(self):
        ok('sm2', 'keygen', '-o', 'a.key', '--pub-out', 'a.pub', '--no-passphrase')
        os.mkfifo('in')
        os.mkfifo('out')

        def feed(*args, content):
            """Writes when the command has opened the fifo: it must wait for that and for what comes."""
            p = subprocess.Popen([HUFU, 'crypto', *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE)
            while p.poll() is None:
                try:
                    f = os.open('in', os.O_WRONLY | os.O_NONBLOCK)
                except OSError:  # nobody reads yet
                    time.sleep(0.01)
                    continue
                os.write(f, content)
                os.close(f)
                break
            out, err = p.communicate(timeout=60)
            self.assertEqual(p.returncode, OK, err)
            return out
        put('m', b'a message')
        self.assertEqual(feed('sm3', 'in', content=b'abc').split()[-1], openssl('sm3', data=b'abc').split()[-1])
        s = feed('sm2', 'sign', 'in', '--key', 'a.key', content=b'a message')
        ok('sm2', 'verify', 'm', '--key', 'a.pub', '--signature', put('s', s))
        self.assertEqual(feed('sm2', 'pub', '--key', 'in', content=get('a.key')), get('a.pub'))
        self.assertEqual(feed('sm4-ctr', 'encrypt', 'm', '--key-file', 'in', '--iv', IV, content=KEY.encode()),
                         ok('sm4-ctr', 'encrypt', 'm', '--key-file', 'k', '--iv', IV))
        p = self.start('sm4-ctr', 'encrypt', 'm', '--key-file', 'k', '--iv', IV, '-o', 'out')
        while p.poll() is None and get(f'/proc/{p.pid}/stat').split()[2] != b'S':
            time.sleep(0.01)
        self.assertIsNone(p.poll())  # nobody has read what it writes
        self.assertEqual(get('out'), ok('sm4-ctr', 'encrypt', 'm', '--key-file', 'k', '--iv', IV))
        self.assertEqual(p.wait(timeout=60), OK)
        p.stderr.close()


if __name__ == '__main__':
    if shutil.which('openssl') is None:
        print('skipped: no openssl here')
        raise SystemExit(77)
    unittest.main(verbosity=2)
