#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads docs/formats/examples.txt as docs/formats/package.md and tree-sm3.md say, without Hufu's code.

SM3 is hashlib's, the SM4 block that of python3-cryptography, zstd frames are read by libzstd; HMAC,
HKDF, GCM, the tree, byte planes and every derivation are written here from the documents.
"""
import ctypes
import hashlib
import os
import struct
import sys
import unittest

try:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    hashlib.new('sm3')
except (ImportError, ValueError) as why:
    print(f'skipped: no SM4 or no SM3 in this Python ({why})')
    sys.exit(77)

DOCUMENT = os.path.join(os.path.dirname(__file__), '../../docs/formats/examples.txt')


def examples():
    out, name = {}, None
    with open(DOCUMENT, encoding='utf-8') as f:
        for line in f:
            if line.startswith('#') or not line.strip():
                continue
            if line.startswith(' '):
                out[name] += bytes.fromhex(line.strip())
            else:
                name = line.split(' =')[0]
                out[name] = b''
    return out


def sm3(*parts):
    return hashlib.new('sm3', b''.join(parts)).digest()


def hmac_sm3(key, *parts):
    key = (sm3(key) if len(key) > 64 else key).ljust(64, b'\0')
    inner = sm3(bytes(b ^ 0x36 for b in key), *parts)
    return sm3(bytes(b ^ 0x5c for b in key), inner)


def extract(salt, key):
    return hmac_sm3(salt or bytes(32), key)


def expand(prk, info, length):
    out, block, i = b'', b'', 1
    while len(out) < length:
        block = hmac_sm3(prk, block, info, bytes([i]))
        out += block
        i += 1
    return out[:length]


def label(text):
    return text.encode().ljust(16, b'\0')


def text(value):
    return struct.pack('>H', len(value)) + value


def u32(value):
    return struct.pack('>I', value)


def u64(value):
    return struct.pack('>Q', value)


def tree_sm3(data):
    leaves = [data[i:i + 4096] for i in range(0, len(data), 4096)] or [b'']
    level = [sm3(b'\0', u64(i), leaf) for i, leaf in enumerate(leaves)]
    while len(level) > 1:
        level = [sm3(b'\1', *level[i:i + 16]) for i in range(0, len(level), 16)]
    return sm3(b'\2', u64(len(data)), level[0])


def sm4_block(key, block):
    e = Cipher(algorithms.SM4(key), modes.ECB()).encryptor()
    return e.update(block)


def gf_mul(x, y):
    z, v = 0, y
    for i in range(127, -1, -1):
        if x >> i & 1:
            z ^= v
        v = v >> 1 ^ (0xe1 << 120 if v & 1 else 0)
    return z


def gcm_open(key, nonce, aad, sealed):
    """The plaintext, or an exception when the tag is wrong."""
    ct, tag = sealed[:-16], sealed[-16:]
    h = int.from_bytes(sm4_block(key, bytes(16)), 'big')
    y = 0
    padded = aad + bytes(-len(aad) % 16) + ct + bytes(-len(ct) % 16)
    padded += u64(8 * len(aad)) + u64(8 * len(ct))
    for i in range(0, len(padded), 16):
        y = gf_mul(y ^ int.from_bytes(padded[i:i + 16], 'big'), h)
    mask = int.from_bytes(sm4_block(key, nonce + u32(1)), 'big')
    if (y ^ mask).to_bytes(16, 'big') != tag:
        raise ValueError('tag')
    stream = b''.join(sm4_block(key, nonce + u32(2 + i)) for i in range((len(ct) + 15) // 16))
    return bytes(a ^ b for a, b in zip(ct, stream))


def unzstd(frame, length):
    lib = ctypes.CDLL('libzstd.so.1')
    lib.ZSTD_decompress.restype = lib.ZSTD_findFrameCompressedSize.restype = ctypes.c_size_t
    lib.ZSTD_decompress.argtypes = [ctypes.c_char_p, ctypes.c_size_t] * 2
    lib.ZSTD_findFrameCompressedSize.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
    if lib.ZSTD_findFrameCompressedSize(frame, len(frame)) != len(frame):
        raise ValueError('not one frame')
    out = ctypes.create_string_buffer(length)
    if lib.ZSTD_decompress(out, length, frame, len(frame)) != length:
        raise ValueError('not this length')
    return out.raw


def decode(codec, width, encoded, length, base):
    if codec == 0:
        return encoded
    data = unzstd(encoded, length)
    if codec == 1:
        return data
    n = length // width
    plain = bytes(data[k * n + i] for i in range(n) for k in range(width)) + data[n * width:]
    return plain if codec == 2 else bytes(a ^ b for a, b in zip(plain, base))


class Formats(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.x = examples()

    def test_tree(self):
        names = [n for n in self.x if n.startswith('tree-sm3.')]
        self.assertEqual(len(names), 7)
        for name in names:
            data = bytes(i % 251 for i in range(int(name.split('.')[1])))
            self.assertEqual(tree_sm3(data), self.x[name], name)

    def test_domain_id(self):
        x = self.x
        self.assertEqual(
            sm3(label('hufu-domain-v1'), text(x['domain']), text(x['lineage']), x['epoch']), x['domain-id'])
        self.assertEqual(
            sm3(label('hufu-upload-v1'), text(x['domain']), text(b'dev-1'), bytes([0x1d]) * 16),
            x['upload.domain-id'])

    def test_chunk_keys_and_sealed_bytes(self):
        x = self.x
        prk = extract(None, x['k-dom'])
        pid_key = expand(prk, label('hufu-pidkey-v1'), 32)
        for i in range(3):
            plain, sealed = x[f'chunk.{i}.plain'], x[f'chunk.{i}.sealed']
            what = struct.pack('>HBB', 1, 0, 0)
            lengths = u32(len(plain)) + u32(len(plain))
            pid = hmac_sm3(pid_key, label('hufu-pid-v1'), what, bytes(32), lengths, tree_sm3(plain))
            okm = expand(prk, label('hufu-ck-v1') + pid, 28)
            self.assertEqual(okm, x[f'chunk.{i}.key'] + x[f'chunk.{i}.nonce'])
            aad = label('hufu-chunk-v1') + what + lengths + x['domain-id']
            self.assertEqual(gcm_open(okm[:16], okm[16:], aad, sealed), plain)
            self.assertEqual(tree_sm3(sealed), x[f'chunk.{i}.cid'])

    def test_coded_chunks(self):
        x = self.x
        prk = extract(None, x['k-dom'])
        pid_key = expand(prk, label('hufu-pidkey-v1'), 32)
        for codec, name in ((1, 'zstd'), (2, 'planes'), (3, 'xor')):
            plain, sealed = x[f'coded.{name}.plain'], x[f'coded.{name}.sealed']
            width = x[f'coded.{name}.width'][0]
            what = struct.pack('>HBB', 1, codec, width)
            lengths = u32(len(plain)) + u32(len(sealed) - 16)
            aad = label('hufu-chunk-v1') + what + lengths + x['domain-id']
            key, nonce = x[f'coded.{name}.key'], x[f'coded.{name}.nonce']
            encoded = gcm_open(key, nonce, aad, sealed)
            self.assertEqual(encoded, x[f'coded.{name}.encoded'])
            self.assertEqual(decode(codec, width, encoded, len(plain), x['coded.planes.plain']), plain)
            self.assertLessEqual(len(encoded), len(plain) * 95 // 100)
            base = x['coded.planes.cid'] if codec == 3 else bytes(32)
            pid = hmac_sm3(pid_key, label('hufu-pid-v1'), what, base, lengths, tree_sm3(encoded))
            self.assertEqual(expand(prk, label('hufu-ck-v1') + pid, 28), key + nonce)
            self.assertEqual(tree_sm3(sealed), x[f'coded.{name}.cid'])

    def test_pack_name(self):
        x = self.x
        parts = [p for i in range(3) for p in (x[f'chunk.{i}.cid'], u32(len(x[f'chunk.{i}.sealed'])))]
        self.assertEqual(sm3(label('hufu-pack-v1'), *parts), x['pack.name'])
        self.assertEqual(b''.join(x[f'chunk.{i}.sealed'] for i in range(3)), x['pack'])

    def test_table_page(self):
        x = self.x
        page = x['table']
        self.assertEqual(sm3(page), x['table.name'])
        self.assertEqual(page[:8], b'HFTABLE1')
        number, first, n_packs, n = struct.unpack('>4I', page[8:24])
        self.assertEqual((number, first, n_packs, n), (0, 0, 1, 3))
        self.assertEqual(page[24:60], x['pack.name'] + u32(len(x['pack'])))
        at, offset = 60, 0
        for i in range(n):
            size = len(x[f'chunk.{i}.sealed'])
            self.assertEqual(page[at:at + 44], x[f'chunk.{i}.cid'] + u32(0) + u32(offset) + u32(size))
            at, offset = at + 44, offset + size
        self.assertEqual(at, len(page))
        plain = sum(len(x[f'chunk.{i}.plain']) for i in range(3))
        self.assertEqual(
            sm3(label('hufu-table-v1'), u64(3), u64(plain), u64(offset), u64(1), sm3(page)), x['table-root'])

    def test_commitment_and_index_page(self):
        x = self.x
        prk = extract(x['salt'], x['content-key'])
        scope = x['domain-id'] + x['release']
        self.assertEqual(expand(prk, label('hufu-commit-v1') + scope, 32), x['commitment'])
        okm = expand(prk, label('hufu-index-v1') + scope, 28)
        page = x['index']
        self.assertEqual(sm3(page), x['index.name'])
        self.assertEqual(page[:16], b'HFINDEX1' + u32(0) + u32(3))
        aad = label('hufu-page-v1') + scope + u32(0) + u32(3)
        entries = gcm_open(okm[:16], okm[16:], aad, page[16:])
        self.assertEqual(len(entries), 3 * 68)
        for i in range(3):
            entry, size = entries[68 * i:68 * i + 68], len(x[f'chunk.{i}.plain'])
            self.assertEqual(entry[:36], x[f'chunk.{i}.key'] + x[f'chunk.{i}.nonce'] + u32(size) * 2)

    def test_altered_bytes_do_not_open(self):
        x = self.x
        sealed = bytearray(x['chunk.0.sealed'])
        sealed[0] ^= 1
        with self.assertRaises(ValueError):
            gcm_open(x['chunk.0.key'], x['chunk.0.nonce'], b'', bytes(sealed))

    def test_signed_objects_carry_their_kind(self):
        for kind in ('root', 'manifest', 'channel', 'grant', 'deposit', 'receipt', 'inventory', 'upload'):
            name = f'hufu-{kind}'.encode()
            self.assertIn(b'\x0c' + bytes([len(name)]) + name + b'\x02\x01\x01', self.x[kind])


if __name__ == '__main__':
    unittest.main()
