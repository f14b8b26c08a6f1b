#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Releases that take from earlier ones: published, fetched by who has the earlier one and by who has nothing,
opened; and bundles of them read as docs/formats/package.md says, without Hufu's code.

HUFU_BIN is the folder of the built programs.
"""
import glob
import hashlib
import json
import os
import random
import struct
import tarfile
import unittest

from nodes import Site, hufu, hufu_ok, until, write
from test_formats import decode, expand, extract, gcm_open, label, sm3, text, tree_sm3, u32, u64
from test_formats_node import load, open_blob, storage_seed

MIB = 1 << 20


def tensor(seed, size):
    """bf16 weights: mantissas by chance, exponents that resemble each other."""
    r = random.Random(seed)
    out = bytearray(r.randbytes(size))
    exponents = bytes(0x3c + (i & i >> 3 & 1) for i in range(256))
    out[1::2] = out[1::2].translate(exponents)
    return bytes(out)


def tuned(data, seed):
    """The last bit of one weight in four is another."""
    n = len(data) // 2
    r = random.Random(seed)
    bits = int.from_bytes(r.randbytes(n), 'little') & int.from_bytes(r.randbytes(n), 'little')
    flips = bytearray(len(data))
    flips[::2] = (bits & int.from_bytes(b'\1' * n, 'little')).to_bytes(n, 'little')
    return (int.from_bytes(data, 'little') ^ int.from_bytes(flips, 'little')).to_bytes(len(data), 'little')


def safetensors(tensors):
    at, head = 0, {}
    for i, t in enumerate(tensors):
        head[f't{i:03}'] = {'dtype': 'BF16', 'shape': [len(t) // 2], 'data_offsets': [at, at + len(t)]}
        at += len(t)
    head = json.dumps(head).encode()
    return struct.pack('<Q', len(head)) + head + b''.join(tensors)


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def opened(node, lineage):
    return hufu_ok('run', '--node', node.data, lineage, '--', 'sha256sum', '{}').split()[0]


class Published(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.site = Site()
        try:
            cls.hub = cls.site.hub.start()
        except BaseException:
            cls.tearDownClass()
            raise

    @classmethod
    def tearDownClass(cls):
        cls.site.__exit__(None, None, None)

    def publish(self, lineage, release, tensors, *args):
        path = write(self.site.path(f'{lineage}.safetensors'), safetensors(tensors))
        if not args:
            return self.site.publish(lineage, release, path)
        out = hufu_ok('publish', path, '--as', os.path.join(self.site.domain, 'publisher'), '--hub',
                      f'127.0.0.1:{self.hub.port}', '--lineage', lineage, '--release', release, '--json', *args)
        return json.loads(out)

    def has(self, node, lineage, release, tensors):
        until(f'release {release} at {node.name}', lambda: (line := node.lineage(lineage)) and
              line['release'] == release and line['step'] == 'active')
        self.assertEqual(opened(node, lineage), sha256(safetensors(tensors)))

    def sent(self):
        return self.hub.status()['serve']['bytes_out']

    def test_a_release_costs_what_changed_in_it(self):
        tensors = [tensor(i, MIB) for i in range(16)]
        first = self.publish('digits', 1, tensors)
        self.assertEqual(first['saved_by_dedupe'], 0)
        self.assertGreater(first['saved_by_codec'], first['sealed_len'] // 4)
        old = self.site.join('old', poll='1 s', follow=['digits'])
        self.has(old, 'digits', 1, tensors)
        # One tensor in sixteen is another.
        tensors[5] = tensor('new', MIB)
        before = self.sent()
        second = self.publish('digits', 2, tensors)
        self.assertLess(second['new_len'], first['sealed_len'] // 12)
        self.assertEqual(second['saved_by_dedupe'] + second['new_len'], second['sealed_len'])
        self.has(old, 'digits', 2, tensors)
        self.assertLess(self.sent() - before, first['sealed_len'] // 8)
        # Who has nothing gets all of it, packs of the first release among it.
        fresh = self.site.join('fresh', poll='1 s', follow=['digits'])
        self.has(fresh, 'digits', 2, tensors)
        # Every weight has moved a little.
        tensors = [tuned(t, i) for i, t in enumerate(tensors)]
        before = self.sent()
        third = self.publish('digits', 3, tensors)
        self.assertLess(third['new_len'], first['sealed_len'] // 3)
        for node in (old, fresh):
            self.has(node, 'digits', 3, tensors)
        self.assertLess(self.sent() - before, first['sealed_len'])
        late = self.site.join('late', poll='1 s', follow=['digits'])
        self.has(late, 'digits', 3, tensors)
        # Through an edge, which has no key and has seen none of it.
        edge = self.site.join('gw-1', 'edge', poll='1 s')
        behind = self.site.join('behind', poll='1 s', upstreams=[edge.upstream()], follow=['digits'])
        self.has(behind, 'digits', 3, tensors)
        kept = glob.glob(os.path.join(self.site.domain, 'publisher', 'bases', 'digits.*.hufu'))
        self.assertEqual(len(kept), 3)
        # Nothing of it is needed any more by one that stands alone.
        tensors = [tensor(f'other {i}', MIB) for i in range(2)]
        self.publish('digits', 4, tensors)
        self.has(old, 'digits', 4, tensors)
        kept = glob.glob(os.path.join(self.site.domain, 'publisher', 'bases', 'digits.*.hufu'))
        self.assertEqual(len(kept), 1)

    def test_who_asks_for_one_that_stands_alone_gets_it(self):
        tensors = [tensor(i, MIB) for i in range(3)]
        self.publish('alone', 1, tensors)
        said = self.publish('alone', 2, tensors, '--no-base')
        self.assertEqual((said['saved_by_dedupe'], said['new_len']), (0, said['sealed_len']))
        self.assertNotIn('without_base_len', said)

    def test_a_hub_that_lost_a_page_of_the_earlier_release_refuses(self):
        tensors = [tensor(i, MIB) for i in range(3)]
        publisher = os.path.join(self.site.domain, 'publisher')
        bundle = self.site.path('lost.hufu')
        path = write(self.site.path('lost.safetensors'), safetensors(tensors))
        hufu_ok('seal', path, '--as', publisher, '--lineage', 'lost', '--release', 1, '-o', bundle)
        hub = ('--as', publisher, '--hub', f'127.0.0.1:{self.hub.port}')
        hufu_ok('publish', bundle, *hub)
        with tarfile.open(bundle) as tar:
            page = next(m.name for m in tar if m.name.startswith('table/'))
        os.rename(os.path.join(self.hub.data, 'objects', page), self.site.path('away'))
        tensors[1] = tensor('new', MIB)
        write(path, safetensors(tensors))
        args = ('publish', path, *hub, '--lineage', 'lost', '--release', 2, '--base', bundle)
        done = hufu(*args)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(page + ' has not come in', done.stderr)
        os.rename(self.site.path('away'), os.path.join(self.hub.data, 'objects', page))
        hufu_ok(*args)

    def test_a_hub_without_the_earlier_release_refuses_and_says_what_to_do(self):
        path = write(self.site.path('there.safetensors'), safetensors([tensor(i, MIB) for i in range(3)]))
        publisher = os.path.join(self.site.domain, 'publisher')
        bundle = self.site.path('there.hufu')
        hufu_ok('seal', path, '--as', publisher, '--lineage', 'there', '--release', 1, '-o', bundle)
        done = hufu('publish', path, '--as', publisher, '--hub', f'127.0.0.1:{self.hub.port}', '--lineage', 'there',
                    '--release', 2, '--base', bundle)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn('--no-base', done.stderr)


class Der:
    """Elements one after the other."""

    def __init__(self, data):
        self.data = data

    def next(self):
        tag, n, at = self.data[0], self.data[1], 2
        if n & 0x80:
            at += n & 0x7f
            n = int.from_bytes(self.data[2:at], 'big')
        value, self.data = self.data[at:at + n], self.data[at + n:]
        return tag, value

    def bytes(self):
        return self.next()[1]

    def number(self):
        return int.from_bytes(self.bytes(), 'big')


def content(der, kind):
    """The statement inside a signed object: the SEQUENCE that begins with its kind."""
    name = f'hufu-{kind}'.encode()
    at = der.index(b'\x0c' + bytes([len(name)]) + name)
    for head in (2, 3, 4, 5):
        if der[at - head] == 0x30:
            tag, value = Der(der[at - head:]).next()
            if value.startswith(der[at:at + 15]):
                return value
    raise ValueError(kind)


class Package:
    """A release in bundles, the newest first, read with its publisher's key of it."""

    def __init__(self, publisher, *bundles):
        self.objects = {}
        for path in reversed(bundles):
            with tarfile.open(path) as tar:
                found = {m.name: tar.extractfile(m).read() for m in tar if '/' in m.name}
            self.objects.update(found)
        name = next(n for n in found if n.startswith('manifest/'))
        self.read_manifest(found[name])
        key = open_blob(load(publisher, 'releases', name[9:] + '.key'), storage_seed(publisher),
                        f'owner={name[9:]}\npurpose=cek\n'.encode())
        self.read_pages(key)

    def read_manifest(self, der):
        d = Der(content(der, 'manifest'))
        _, _, domain, lineage, _ = (d.bytes() for _ in range(5))
        epoch, self.release = d.number(), d.number()
        for _ in range(4):
            d.next()
        body = Der(d.bytes())
        _, self.n, self.plain_len, self.sealed_len, _ = (body.number() for _ in range(5))
        files, _, self.tables, self.indexes, self.salt, self.commitment = (body.bytes() for _ in range(6))
        self.files, files = [], Der(files)
        while files.data:
            f = Der(files.bytes())
            self.files.append((f.bytes().decode(), f.number(), f.number(), f.number()))
        self.n_bases, self.pages, self.steps = 0, b'', []
        if body.data:
            tag, value = body.next()
            assert tag == 0xa1
            bases = Der(value)
            self.n_bases, self.pages = bases.number(), bases.bytes()
            steps = Der(bases.bytes())
            while steps.data:
                s = Der(steps.bytes())
                self.steps.append((s.number(), s.bytes(), s.number()))
        self.domain_id = sm3(label('hufu-domain-v1'), text(domain), text(lineage), u64(epoch))

    def table(self, name):
        page = self.objects['table/' + name.hex()]
        assert sm3(page) == name
        _, first, n_packs, n = struct.unpack('>4I', page[8:24])
        packs = [(page[at:at + 32], int.from_bytes(page[at + 32:at + 36], 'big'))
                 for at in range(24, 24 + 36 * n_packs, 36)]
        at = 24 + 36 * n_packs
        entries = [(page[i:i + 32], *struct.unpack('>3I', page[i + 32:i + 44])) for i in range(at, at + 44 * n, 44)]
        return first, packs, entries

    def read_pages(self, key):
        scope = self.domain_id + u64(self.release)
        prk = extract(self.salt, key)
        assert expand(prk, label('hufu-commit-v1') + scope, 32) == self.commitment
        okm = expand(prk, label('hufu-index-v1') + scope, 28)
        self.places, self.entries, self.packs = [], [], {}
        for no in range(len(self.tables) // 32):
            first, packs, places = self.table(self.tables[32 * no:32 * no + 32])
            self.packs.update(packs)
            self.places += [(cid, packs[pack - first][0], offset, size) for cid, pack, offset, size in places]
            page = self.objects['index/' + self.indexes[32 * no:32 * no + 32].hex()]
            nonce = okm[16:24] + u32(int.from_bytes(okm[24:28], 'big') ^ no)
            aad = label('hufu-page-v1') + scope + u32(no) + page[12:16]
            plain = gcm_open(okm[:16], nonce, aad, page[16:])
            self.entries += [plain[i:i + 68] for i in range(0, len(plain), 68)]
        assert len(self.places) == len(self.entries) == self.n
        assert sum(p[3] for p in self.places) == self.sealed_len

    def chunk(self, i):
        """The plaintext of a chunk, with its file and offset."""
        cid, pack, offset, size = self.places[i]
        key, nonce, e = self.entries[i][:16], self.entries[i][16:28], self.entries[i][28:]
        plain_len, encoded_len, codec, width, sites, base, base_chunk, file, _, at = struct.unpack('>IIBBHIQIIQ', e)
        sealed = self.objects['pack/' + pack.hex()][offset:offset + size]
        assert tree_sm3(sealed) == cid and len(sealed) == encoded_len + 16 and sites == 0
        aad = label('hufu-chunk-v1') + struct.pack('>HBB', 1, codec, width) + e[:8] + self.domain_id
        other = None
        if codec == 3:
            assert base == 1 and base_chunk < self.n_bases
            other, base_file, _ = self.chunk(self.n - self.n_bases + base_chunk)
            assert base_file == 0xffffffff and len(other) == plain_len
        else:
            assert base == base_chunk == 0
        return decode(codec, width, gcm_open(key, nonce, aad, sealed), plain_len, other), file, at

    def read(self, number):
        _, size, first, n = self.files[number]
        out = b''
        for i in range(first, first + n):
            plain, file, at = self.chunk(i)
            assert (file, at) == (number, len(out))
            out += plain
        assert len(out) == size
        return out

    def lists_whole(self):
        """Names of packs that a page of this release, or one that it names, lists with all their chunks."""
        found = set()
        for at in range(0, len(self.tables + self.pages), 32):
            first, packs, entries = self.table((self.tables + self.pages)[at:at + 32])
            for k, (name, size) in enumerate(packs):
                mine = [e for e in entries if e[1] == first + k]
                parts = [p for e in mine for p in (e[0], u32(e[3]))]
                if sum(e[3] for e in mine) == size and sm3(label('hufu-pack-v1'), *parts) == name:
                    found.add(name)
        return found


class Bundles(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.site = Site()
        cls.publisher = os.path.join(cls.site.domain, 'publisher')

    @classmethod
    def tearDownClass(cls):
        cls.site.__exit__(None, None, None)

    def seal(self, release, data, *bases):
        out = self.site.path(f'r{release}.hufu')
        path = write(self.site.path('w.safetensors'), data)
        more = [a for b in bases for a in ('--base', b)]
        said = json.loads(hufu_ok('seal', path, '--as', self.publisher, '--lineage', 'vision', '--release', release,
                                  '-o', out, '--json', *more))
        return out, said

    def test_another_reader_opens_increments(self):
        size = 64 << 10
        tensors = [tensor(i, size) for i in range(6)]
        first = safetensors(tensors)
        one, _ = self.seal(1, first)
        tensors[1] = tensor('new', size)
        tensors[4] = tuned(tensors[4], 4)
        second = safetensors(tensors)
        two, said = self.seal(2, second, one)
        tensors[4] = tuned(tensors[4], 44)
        third = safetensors(tensors)
        three, _ = self.seal(3, third, two, one)
        self.assertEqual(Package(self.publisher, one).read(0), first)
        p = Package(self.publisher, two, one)
        self.assertEqual(p.read(0), second)
        self.assertEqual(p.n_bases, 1)
        self.assertEqual(p.plain_len, len(second))
        self.assertEqual(p.steps, [(1, p.steps[0][1], said['new_len'])])
        self.assertIn('manifest/' + p.steps[0][1].hex(), p.objects)
        self.assertEqual(p.lists_whole(), set(p.packs))
        p = Package(self.publisher, three, two, one)
        self.assertEqual(p.read(0), third)
        self.assertEqual([s[0] for s in p.steps], [2, 1])
        self.assertEqual(p.lists_whole(), set(p.packs))
        # The tool opens and verifies them with their bases, and says what is missing without.
        folder = self.site.path('opened')
        hufu_ok('open', three, '--base', two, '--base', one, '--as', self.site.domain, '--passphrase-file',
                self.site.passphrase, '-o', folder)
        self.assertEqual(load(folder, 'w.safetensors'), third)
        hufu_ok('verify', three, '--base', one, '--base', two, '--root', self.publisher)
        for args in ((), ('--base', two)):
            done = hufu('verify', three, *args)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn('--base', done.stderr)
        shown = json.loads(hufu_ok('show', three, '--json'))
        self.assertIn('"to_fetch"', json.dumps(shown))


if __name__ == '__main__':
    unittest.main()
