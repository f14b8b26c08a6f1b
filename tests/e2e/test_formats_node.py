#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads the files of a hub and a device as docs/formats says, without Hufu's code: shares, key slots, key
blobs, tokens, the state of a node, its active release, its audit log.

HUFU_BIN is the folder of the built programs.
"""
import base64
import glob
import hashlib
import os
import struct
import sys
import unittest

from nodes import PASSPHRASE, Site, hufu_ok, until, write
from test_formats import expand, extract, gcm_open, hmac_sm3, sm3
from test_other_curves import CURVES

CURVE = CURVES['sm2p256v1']
TABLE = []
for i in range(256):
    for _ in range(8):
        i = i >> 1 ^ (0x82f63b78 if i & 1 else 0)
    TABLE.append(i)


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc = crc >> 8 ^ TABLE[(crc ^ byte) & 255]
    return crc ^ 0xffffffff


def load(*path):
    with open(os.path.join(*path), 'rb') as f:
        return f.read()


def public_key(path):
    """DER of a certificate, and the point in it: a BIT STRING of 04 || X || Y."""
    der = base64.b64decode(b''.join(load(path).split(b'\n')[1:-2]))
    at = der.index(b'\x03\x42\x00\x04') + 4
    return der, (int.from_bytes(der[at:at + 32], 'big'), int.from_bytes(der[at + 32:at + 64], 'big'))


class Fields:
    """Takes fields from the front; nothing may be left at the end."""

    def __init__(self, data):
        self.data = data

    def take(self, n):
        if n > len(self.data):
            raise ValueError('ends too early')
        part, self.data = self.data[:n], self.data[n:]
        return part

    def number(self, n):
        return int.from_bytes(self.take(n), 'big')

    def done(self):
        if self.data:
            raise ValueError('bytes left over')


def gf_mul(a, b):
    """GF(2^8) with x^8 + x^4 + x^3 + x + 1."""
    p = 0
    while b:
        p ^= a if b & 1 else 0
        a = a << 1 ^ (0x11b if a & 0x80 else 0)
        b >>= 1
    return p


def read_share(text):
    prefix, _, rest = text.strip().partition('-SHARE-')
    index, _, digits = rest.partition('-')
    data = bytes.fromhex(digits)
    if prefix != 'HUFU' or sm3(data[:-8])[:8] != data[-8:]:
        raise ValueError('no share')
    f = Fields(data[:-8])
    share = {'version': f.number(1), 'set': f.take(8), 'index': f.number(1), 'threshold': f.number(1), 'n': f.number(1),
             'y': f.take(32)}
    f.done()
    return share if share['index'] == int(index) else None


def join(shares):
    """The value at 0 of the polynomial through the shares, byte by byte."""
    out = bytearray(32)
    for s in shares:
        basis = 1
        for t in shares:
            if t is not s:
                d = t['index'] ^ s['index']
                inverse = next(x for x in range(1, 256) if gf_mul(x, d) == 1)
                basis = gf_mul(basis, gf_mul(t['index'], inverse))
        for k in range(32):
            out[k] ^= gf_mul(s['y'][k], basis)
    return bytes(out)


def open_blob(blob, seed, context):
    f = Fields(blob)
    head = blob[:70 + int.from_bytes(blob[68:70], 'big')]
    if f.take(len(head)) != head or head[:8] != b'HFKB\1\1\0\0' or head[70:] != context:
        raise ValueError('head')
    salt, commitment = f.take(32), f.take(32)
    sealed = f.take(f.number(2)) + f.take(16)
    f.done()
    okm = expand(extract(salt, seed), b'hufu/keyblob/1' + sm3(head), 48)
    if hmac_sm3(okm[16:], b'commit') != commitment:
        raise ValueError('commitment')
    return gcm_open(okm[:16], bytes(12), head, sealed)


def read_slots(data):
    f = Fields(data)
    assert f.take(5) == b'HFSL\1'
    slots = {'key': f.take(16), 'version': f.number(4), 'check': f.take(8), 'slots': []}
    for _ in range(f.number(1)):
        slot = {'kind': f.number(1), 'set': f.take(8), 'salt': f.take(32), 'iterations': f.number(4)}
        slot['blob'] = f.take(f.number(2))
        slots['slots'].append(slot)
    f.done()
    return slots


def working_secret(seed, purpose):
    return expand(extract(None, seed), b'hufu/root/1/' + purpose, 32)


def storage_seed(folder):
    """Of an edge, a device or a publisher."""
    fingerprint = b''
    for source in ('/etc/machine-id', '/sys/class/dmi/id/product_uuid'):
        try:
            fingerprint += load(source)
        except (FileNotFoundError, PermissionError):
            pass
    return expand(extract(None, load(folder, 'keys/storage.secret') + sm3(fingerprint)), b'hufu/device/1/kek', 32)


def read_state(folder, seed):
    """The content of the newer slot that verifies."""
    key, best = hmac_sm3(seed, b'hufu/state/1'), (0, b'')
    for name in ('state.a', 'state.b'):
        if not os.path.exists(os.path.join(folder, name)):
            continue
        data = load(folder, name)
        f = Fields(data)
        assert f.take(8) == b'HFSTATE1'
        generation = f.number(8)
        content = f.take(f.number(4))
        assert f.take(32) == hmac_sm3(key, data[:-32])
        f.done()
        best = max(best, (generation, content))
    f = Fields(best[1])
    state = {'version': f.number(1), 'log': f.number(1), 'records': f.number(8),
             'head': f.number(8), 'head_root': f.take(32), 'root': f.number(8),
             'serial': f.number(8), 'time': f.number(8), 'receipts': f.number(8), 'lineages': {}}
    for _ in range(f.number(2)):
        name = f.take(f.number(2)).decode()
        state['lineages'][name] = {'floor': f.number(8), 'active': f.number(1), 'release': f.number(8),
                                   'serial': f.number(8), 'manifest': f.take(32)}
    f.done()
    return state


def tree(leaves):
    """RFC 9162 2.1."""
    if len(leaves) < 2:
        return leaves[0] if leaves else sm3(b'')
    half = 1 << ((len(leaves) - 1).bit_length() - 1)
    return sm3(b'\1', tree(leaves[:half]), tree(leaves[half:]))


def frames(folder):
    sequence, number = None, 0
    for path in sorted(glob.glob(os.path.join(folder, 'seg', '*.seg'))):
        f = Fields(load(path))
        head = f.take(28)
        magic, version, at, first = struct.unpack('>8sIQQ', head)
        assert (magic, version, f.number(4)) == (b'HFSEGLG1', 1, crc32c(head))
        assert os.path.basename(path) == f'{at:016x}.seg' and first == number and sequence in (None, at - 1)
        sequence = at
        while f.data:
            size, crc = f.data[:4], int.from_bytes(f.data[4:8], 'big')
            f.take(8)
            frame = f.take(int.from_bytes(size, 'big'))
            assert crc32c(size + frame) == crc
            number += 1
            yield frame


def read_record(data):
    names = ('length', 'version', 'class', 'event', 'result', 'severity', 'number', 'utc', 'boot', 'error', 'start',
             'level', 'tier', 'clock', 'trace', 'span', 'session', 'actor', 'subject', 'algorithm', 'reason')
    r = dict(zip(names, struct.unpack('>HBcHBBQQQIHBBQ16s8sQIIII', data[:96])))
    f, r['attributes'] = Fields(data[96:]), {}
    while f.data:
        kind = f.number(2)
        r['attributes'][kind] = f.take(f.number(2))
    assert r['length'] == len(data) <= 4096 and r['version'] == 1 and len(r['attributes']) <= 16
    return r


def read_log(folder, name):
    """All records, and the leaves of the tree."""
    previous, records, leaves = sm3(b'hufu/audit/log/v1\0' + name.encode()), [], []
    for batch in frames(folder):
        f = Fields(batch)
        head = batch[:120]
        magic, version, flags, first, n, size, epoch = struct.unpack('>4sHHQIIQ', f.take(32))
        f.take(8 + 8 + 4 + 4)
        assert (magic, version, first, epoch) == (b'BTCH', 1, len(records), 0) and flags < 16
        assert f.take(32) == previous
        root, payload = f.take(32), Fields(f.take(size))
        previous = f.take(32)
        assert previous == sm3(b'\2', head) and f.take(32) == bytes(32)
        f.done()
        for _ in range(n):
            record = payload.take(int.from_bytes(payload.data[:2], 'big'))
            leaves.append(sm3(b'\0', record))
            records.append(read_record(record))
            assert records[-1]['number'] == len(records) - 1
        payload.done()
        assert tree(leaves[first:]) == root
    return records, leaves


def read_heads(folder, name, point):
    """Sizes and roots of all heads; their signatures are checked."""
    lines, heads = load(folder, 'heads').decode().split('\n'), []
    assert lines.pop() == '' and len(lines) % 5 == 0
    key = b'\x04' + CURVE.bytes(*point)
    for at in range(0, len(lines), 5):
        signed = ''.join(line + '\n' for line in lines[at:at + 3]).encode()
        sig = base64.b64decode(lines[at + 4].removeprefix(f'\u2014 {name} '), validate=True)
        assert lines[at] == name and lines[at + 3] == ''
        assert sig[:4] == sm3(name.encode(), b'\n\xffhufu-sm2-v1', key)[:4] and len(sig) == 68
        digest = sm3(CURVE.z(b'1234567812345678', point), signed)
        r, s = (int.from_bytes(sig[i:i + 32], 'big') for i in (4, 36))
        assert CURVE.verify(point, int.from_bytes(digest, 'big'), r, s)
        heads.append((int(lines[at + 1]), base64.b64decode(lines[at + 2])))
    return heads


class Files(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.site = Site().__enter__()
        try:
            cls.make()
        except BaseException:
            cls.site.__exit__(*sys.exc_info())
            raise

    @classmethod
    def make(cls):
        site = cls.site
        site.hub.start()
        model = write(os.path.join(site.folder, 'model.bin'), os.urandom(5000))
        cls.token = hufu_ok('domain', 'token', '--node', site.hub.data, '--device', 'dev-9', '--role', 'edge').strip()
        device = site.join('dev-1')
        hufu_ok('publish', model, '--as', os.path.join(site.domain, 'publisher'), '--lineage', 'digits', '--release', 7,
                '--floor', 6, '--hub', f'127.0.0.1:{site.hub.port}')
        hufu_ok('pull', 'digits', '--node', device.data, '--wait')
        until('the receipt is there', lambda: any(r['event'] == 'model.receipt' for r in site.hub.audit()))
        device.stop()
        site.hub.stop()
        cls.hub, cls.device = site.hub.data, device.data
        cls.shares = [read_share(load(site.folder, 'shares', f'share-{i}.txt').decode()) for i in range(1, 6)]
        cls.slots = read_slots(load(site.domain, 'root.slots'))
        cls.seed = cls.open_slot(1, join(cls.shares[:3]))

    @classmethod
    def tearDownClass(cls):
        cls.site.__exit__(None, None, None)

    @classmethod
    def open_slot(cls, kind, key):
        slot = next(s for s in cls.slots['slots'] if s['kind'] == kind)
        name = {1: 'shamir', 2: 'passphrase'}[kind]
        return open_blob(slot['blob'], key, f'key={cls.slots["key"].hex()}\nslot={name}\n'.encode())

    def test_any_three_shares_and_the_passphrase_open_the_same_seed(self):
        self.assertEqual({(s['version'], s['threshold'], s['n']) for s in self.shares}, {(1, 3, 5)})
        self.assertEqual([s['index'] for s in self.shares], [1, 2, 3, 4, 5])
        slot = self.slots['slots'][0]
        self.assertEqual({s['set'] for s in self.shares}, {slot['set']})
        self.assertEqual(self.open_slot(1, join([self.shares[4], self.shares[1], self.shares[2]])), self.seed)
        with self.assertRaises(ValueError):
            self.open_slot(1, join(self.shares[:2]))
        slot = self.slots['slots'][1]
        self.assertEqual(slot['iterations'], 600000)
        key = hashlib.pbkdf2_hmac('sm3', PASSPHRASE.encode(), slot['salt'], slot['iterations'], 32)
        self.assertEqual(self.open_slot(2, key), self.seed)
        self.assertEqual(hmac_sm3(self.seed, b'hufu/kcv')[:8], self.slots['check'])
        self.assertEqual(load(self.hub, 'root.slots'), load(self.site.domain, 'root.slots'))

    def test_every_key_file_opens_and_belongs_to_its_certificate(self):
        wrap = working_secret(self.seed, b'wrap')
        publisher = os.path.join(self.site.domain, 'publisher')
        keys = [(self.hub, 'hub-1', wrap, ('sign', 'enc', 'issuing-ca', 'audit')),
                (self.device, 'dev-1', storage_seed(self.device), ('sign', 'enc')),
                (publisher, 'publisher', storage_seed(publisher), ('sign', 'enc'))]
        for folder, owner, seed, names in keys:
            for name in names:
                blob = load(folder, f'keys/{name}.key')
                context = f'owner={owner}\npurpose={name}\n'.encode()
                d = int.from_bytes(open_blob(blob, seed, context), 'big')
                self.assertEqual(CURVE.mul(d, CURVE.g), public_key(os.path.join(folder, f'certs/{name}.crt'))[1])
                usage = {'enc': 2, 'issuing-ca': 16}.get(name, 1)
                self.assertEqual(int.from_bytes(blob[50:52], 'big'), usage, name)
                with self.assertRaises(ValueError):
                    open_blob(blob, hashlib.new('sm3', seed).digest(), context)

    def test_a_token_says_what_it_is_for_under_a_key_of_the_root_seed(self):
        data = bytes.fromhex(self.token.removeprefix('hufu1-'))
        f = Fields(data)
        self.assertEqual(f.number(1), 1)
        f.take(16)
        self.assertEqual(f.number(1), 1)
        f.number(8)
        root_ca, _ = public_key(os.path.join(self.hub, 'certs/root-ca.crt'))
        self.assertEqual(f.take(32), sm3(root_ca))
        self.assertEqual(f.take(f.number(1)), b'edge')
        self.assertEqual(f.take(f.number(1)), b'dev-9')
        self.assertEqual(f.take(32), hmac_sm3(working_secret(self.seed, b'token'), b'hufu/token/1', data[:-32]))
        f.done()

    def test_the_state_remembers_what_is_active(self):
        state = read_state(self.device, storage_seed(self.device))
        lineage = state['lineages'].pop('digits')
        self.assertEqual(state['lineages'], {})
        self.assertEqual((state['version'], state['log'], state['root'], state['receipts']), (2, 1, 1, 1))
        self.assertEqual((lineage['floor'], lineage['active'], lineage['release']), (6, 1, 7))
        f = Fields(load(self.device, 'active', f'digits.{lineage["manifest"].hex()}'))
        objects = [f.take(f.number(4)) for _ in range(3)]
        f.done()
        self.assertEqual(sm3(objects[1]), lineage['manifest'])
        for kind, data in zip((b'channel', b'manifest', b'grant'), objects):
            self.assertIn(b'hufu-' + kind, data)
        self.assertEqual(load(self.device, 'trust/channel.der'), objects[0])
        hub = read_state(self.hub, working_secret(self.seed, b'wrap'))
        self.assertEqual((hub['version'], hub['log'], hub['lineages']), (2, 1, {}))

    def test_the_audit_logs_are_as_their_heads_say(self):
        logs = [(self.hub, 'audit', 'plant-7/hub-1/audit', 'audit'),
                (self.device, 'audit', 'plant-7/dev-1/audit', 'sign'),
                (self.device, 'audit-new', 'new/dev-1', 'sign')]
        roots = {}
        for folder, part, name, key in logs:
            records, leaves = read_log(os.path.join(folder, part), name)
            _, point = public_key(os.path.join(folder, f'certs/{key}.crt'))
            heads = read_heads(os.path.join(folder, part), name, point)
            for size, root in heads:
                self.assertEqual(tree(leaves[:size]), root)
            self.assertEqual(heads[-1][0], len(records))
            roots[part] = heads[-1][1]
            self.check_names(records)
        device, _ = read_log(os.path.join(self.device, 'audit'), 'plant-7/dev-1/audit')
        events = [r for r in device if r['class'] != b'D']
        self.assertEqual(events[1]['event'], 0x0402)
        self.assertEqual(events[1]['attributes'][23], roots['audit-new'])
        activated = next(r for r in device if r['event'] == 0x0907)
        self.assertEqual((activated['class'], activated['attributes'][13], activated['attributes'][14]),
                         (b'S', b'digits', struct.pack('>Q', 7)))
        state = read_state(self.device, storage_seed(self.device))
        self.assertLessEqual(state['records'], len(device))

    def check_names(self, records):
        """Numbers are defined before they are used, in order."""
        last = 0
        for r in records:
            self.assertIn(r['class'], (b'S', b'A', b'B', b'D', b'H'))
            if r['class'] == b'D':
                self.assertIn(r['subject'], (1, last + 1))
                self.assertTrue(r['attributes'][32])
                last = r['subject']
            else:
                self.assertLessEqual(max(r['actor'], r['subject']), last)


if __name__ == '__main__':
    unittest.main()
