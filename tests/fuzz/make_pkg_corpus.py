#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the seeds of the fuzz targets of src/pkg and of tls_records, from the worked examples of the formats.

usage: make_pkg_corpus.py (in the repository's root)
"""
import io
import os
import tarfile

CORPUS = 'tests/fuzz/corpus'
BUNDLE_TEXT = b'hufu bundle 1: sealed AI model package, see docs/formats/bundle.md\n'
SIGNED = ('root', 'manifest', 'channel', 'grant', 'deposit', 'receipt', 'inventory', 'upload')


def examples(path):
    """name -> bytes of docs/formats/examples.txt."""
    found, name = {}, None
    with open(path, encoding='utf-8') as f:
        for line in f:
            if line.startswith('#'):
                continue
            if '=' in line:
                name, _, value = line.partition('=')
                name = name.strip()
                found[name] = value.strip()
            elif line.strip():
                found[name] += line.strip()
    return {k: bytes.fromhex(v) for k, v in found.items() if len(v) % 2 == 0}


def content(der, kind):
    """The statement inside a signed object: the SEQUENCE that begins with its kind."""
    text = f'hufu-{kind}'.encode()
    at = der.index(b'\x0c' + bytes([len(text)]) + text)
    for head, length in ((2, der[at - 1]), (3, der[at - 1]), (4, int.from_bytes(der[at - 2:at], 'big'))):
        if der[at - head] == 0x30 and at + length <= len(der):
            return der[at - head:at + length]
    raise ValueError(kind)


def put(entry, name, data):
    os.makedirs(os.path.join(CORPUS, entry), exist_ok=True)
    with open(os.path.join(CORPUS, entry, name), 'wb') as f:
        f.write(data)


def bundle(members):
    """A tar as Hufu writes it, but for small things that a reader does not mind."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w', format=tarfile.USTAR_FORMAT) as tar:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            info.mode = 0o644
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()[:512 * 6]


def main():
    x = examples('docs/formats/examples.txt')
    for kind in SIGNED:
        entry = 'grant' if kind == 'deposit' else kind
        put(entry, f'{kind}-signed', x[kind])
        put(entry, f'{kind}-content', content(x[kind], kind))
    put('table', 'page', x['table'])
    entry = x['chunk.0.key'] + x['chunk.0.nonce'] + bytes.fromhex('000010000000080001000000000000000000000000000000'
                                                                  '00000000ffffffff0000000000000000')
    put('index', 'page', x['index'])
    put('index', 'entries', entry * 2)
    put('bundle', 'three', bundle([('hufu-bundle', BUNDLE_TEXT), ('channel/' + 'ab' * 32, x['channel'][:100]),
                                   ('root/' + 'cd' * 32, b'root')]) + bytes(1024))
    put('chunk_decode', 'none', bytes([0, 0, 0, 9]) + b'0123456789')
    put('chunk_decode', 'zstd', bytes([1, 0, 0, 99]) + bytes.fromhex('28b52ffd206445000010202001003f012c'))
    for codec, name in ((2, 'planes'), (3, 'xor')):
        size = (x[f'coded.{name}.width'][0] << 20 | len(x[f'coded.{name}.plain']) - 1).to_bytes(3, 'big')
        put('chunk_decode', name, bytes([codec]) + size + x[f'coded.{name}.encoded'])
    put('tls_records', 'data', bytes([7, 23]) + b'a record of data')
    put('tls_records', 'hello', bytes([3, 22]) + bytes.fromhex('1603010005') + b'\x01\x00\x00\x01\x03')


if __name__ == '__main__':
    main()
