#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The examples of GB/T 32918 on other curves (Fp-192, Fp-256), which hufu check vectors skips.

Hufu has the recommended curve only. Here SM2 is written down for any curve over a prime field, with
Python's numbers, and run over every example of the vector files: those of the other curves, and those
of our own as well, so that the oracle and the program check each other.
"""
import os
import struct
import unittest

VECTORS = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'vectors')
MASK = 0xffffffff


def rol(x, n):
    n %= 32
    return ((x << n) | (x >> (32 - n))) & MASK


def sm3(data):
    """GB/T 32905-2016."""
    data += b'\x80' + bytes(-(len(data) + 9) % 64) + struct.pack('>Q', 8 * len(data))
    v = [0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600, 0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e]
    for at in range(0, len(data), 64):
        w = list(struct.unpack('>16I', data[at:at + 64]))
        for j in range(16, 68):
            x = w[j - 16] ^ w[j - 9] ^ rol(w[j - 3], 15)
            w.append(x ^ rol(x, 15) ^ rol(x, 23) ^ rol(w[j - 13], 7) ^ w[j - 6])
        a, b, c, d, e, f, g, h = v
        for j in range(64):
            t = 0x79cc4519 if j < 16 else 0x7a879d8a
            ss1 = rol((rol(a, 12) + e + rol(t, j)) & MASK, 7)
            ff = a ^ b ^ c if j < 16 else (a & b) | (a & c) | (b & c)
            gg = e ^ f ^ g if j < 16 else (e & f) | (~e & g)
            tt1 = (ff + d + (ss1 ^ rol(a, 12)) + (w[j] ^ w[j + 4])) & MASK
            tt2 = (gg + h + ss1 + w[j]) & MASK
            a, b, c, d = tt1, a, rol(b, 9), c
            e, f, g, h = tt2 ^ rol(tt2, 9) ^ rol(tt2, 17), e, rol(f, 19), g
        v = [x ^ y for x, y in zip(v, (a, b, c, d, e, f, g, h))]
    return struct.pack('>8I', *v)


def kdf(z, n):
    out = b''
    while len(out) < n:
        out += sm3(z + struct.pack('>I', len(out) // 32 + 1))
    return out[:n]


class Curve:
    """y^2 = x^3 + a x + b mod p, base point g of order n. None is the point at infinity."""

    def __init__(self, f):
        self.p, self.a, self.b, self.n = (int(f[k], 16) for k in ('P', 'A', 'B', 'N'))
        self.g = int(f['Gx'], 16), int(f['Gy'], 16)
        self.len = (self.p.bit_length() + 7) // 8

    def has(self, q):
        return (q[1] ** 2 - q[0] ** 3 - self.a * q[0] - self.b) % self.p == 0

    def add(self, q, r):
        if q is None or r is None:
            return r if q is None else q
        if q[0] == r[0]:
            if (q[1] + r[1]) % self.p == 0:
                return None
            slope = (3 * q[0] ** 2 + self.a) * pow(2 * q[1], -1, self.p)
        else:
            slope = (r[1] - q[1]) * pow(r[0] - q[0], -1, self.p)
        x = (slope ** 2 - q[0] - r[0]) % self.p
        return x, (slope * (q[0] - x) - q[1]) % self.p

    def mul(self, k, q):
        out = None
        while k:
            if k & 1:
                out = self.add(out, q)
            q = self.add(q, q)
            k >>= 1
        return out

    def bytes(self, *numbers):
        return b''.join(x.to_bytes(self.len, 'big') for x in numbers)

    def z(self, ident, pub):
        return sm3(struct.pack('>H', 8 * len(ident)) + ident + self.bytes(self.a, self.b, *self.g, *pub))

    def sign(self, d, e, k):
        r = (e + self.mul(k, self.g)[0]) % self.n
        return r, pow(1 + d, -1, self.n) * (k - r * d) % self.n

    def verify(self, pub, e, r, s):
        t = (r + s) % self.n
        if not (0 < r < self.n and 0 < s < self.n and t):
            return False
        q = self.add(self.mul(s, self.g), self.mul(t, pub))
        return q is not None and (e + q[0]) % self.n == r

    def encrypt(self, pub, m, k):
        c1 = self.mul(k, self.g)
        x2, y2 = self.mul(k, pub)
        t = kdf(self.bytes(x2, y2), len(m))
        c2 = bytes(a ^ b for a, b in zip(m, t))
        return b'\x04' + self.bytes(*c1), c2, sm3(self.bytes(x2) + m + self.bytes(y2)), (x2, y2, t)

    def decrypt(self, d, c1, c2, c3):
        q = tuple(int.from_bytes(c1[i:i + self.len], 'big') for i in (1, 1 + self.len))
        if c1[0] != 4 or not self.has(q):
            return None
        x2, y2 = self.mul(d, q)
        m = bytes(a ^ b for a, b in zip(c2, kdf(self.bytes(x2, y2), len(c2))))
        return m if sm3(self.bytes(x2) + m + self.bytes(y2)) == c3 else None

    def exchange(self, d, r, own_r, peer, peer_r):
        """The shared point (GB/T 32918.3 6.1), seen from one side."""
        w = (((self.n - 1).bit_length() + 1) // 2) - 1
        low = (1 << w) - 1
        t = (d + ((1 << w) + (own_r[0] & low)) * r) % self.n
        return self.mul(t, self.add(peer, self.mul((1 << w) + (peer_r[0] & low), peer_r)))


def cases(name):
    case = {}
    with open(os.path.join(VECTORS, name), encoding='utf-8') as f:
        for line in list(f) + ['']:
            line = line.strip()
            if line and not line.startswith('#'):
                k, _, v = line.partition('=')
                case[k.strip()] = v.strip()
            elif not line and case:
                yield case
                case = {}


CURVES = {c['CurveText']: Curve(c) for c in cases('sm2_sign.txt') if 'Gx' in c}


def point(c, name):
    return int(c[name + 'X'], 16), int(c[name + 'Y'], 16)


class OtherCurves(unittest.TestCase):
    def equal(self, case, name, got):
        """A field, if the case has it; numbers may have zeros in front."""
        if name in case:
            want = bytes.fromhex(case[name])
            got = got if isinstance(got, bytes) else got.to_bytes(len(want), 'big')
            self.assertEqual(got.hex(), want.hex(), f'{case.get("Id")}: {name}')

    def test_curves(self):
        self.assertEqual(sorted(CURVES), ['fp192-example', 'fp256-example', 'sm2p256v1'])
        for c in CURVES.values():
            self.assertTrue(c.has(c.g))
            self.assertIsNone(c.mul(c.n, c.g))

    def test_signatures(self):
        done = set()
        for c in cases('sm2_sign.txt'):
            if 'K' not in c or 'PrivateKey' not in c or c.get('ResultText', 'valid') != 'valid':
                continue
            curve, d = CURVES[c.get('CurveText', 'sm2p256v1')], int(c['PrivateKey'], 16)
            pub = curve.mul(d, curve.g)
            z = curve.z(bytes.fromhex(c.get('UserId', b'1234567812345678'.hex())), pub)
            digest = sm3(z + bytes.fromhex(c['Msg']))
            r, s = curve.sign(d, int.from_bytes(digest, 'big'), int(c['K'], 16))
            for name, got in (('PublicX', pub[0]), ('PublicY', pub[1]), ('Za', z), ('E', digest), ('R', r), ('S', s)):
                self.equal(c, name, got)
            self.assertTrue(curve.verify(pub, int.from_bytes(digest, 'big'), r, s))
            self.assertFalse(curve.verify(pub, int.from_bytes(digest, 'big') ^ 1, r, s))
            done.add(c.get('CurveText'))
        self.assertLessEqual({'sm2p256v1', 'fp256-example'}, done)

    def test_encryption(self):
        done = set()
        for c in cases('sm2_enc.txt'):
            if 'K' not in c:
                continue
            curve, d = CURVES[c['CurveText']], int(c['PrivateKey'], 16)
            pub, m = curve.mul(d, curve.g), bytes.fromhex(c['Msg'])
            c1, c2, c3, (x2, y2, t) = curve.encrypt(pub, m, int(c['K'], 16))
            for name, got in (('PublicX', pub[0]), ('PublicY', pub[1]), ('X2', x2), ('Y2', y2), ('T', t), ('C1', c1),
                              ('C2', c2), ('C3', c3), ('CipherC1C3C2', c1 + c3 + c2), ('CipherC1C2C3', c1 + c2 + c3)):
                self.equal(c, name, got)
            self.assertEqual(curve.decrypt(d, c1, c2, c3), m)
            self.assertIsNone(curve.decrypt(d, c1, c2, bytes([c3[0] ^ 1]) + c3[1:]))
            done.add(c['CurveText'])
        self.assertEqual(done, set(CURVES))

    def test_key_exchange(self):
        done = set()
        for c in cases('sm2_kex.txt'):
            curve = CURVES[c['CurveText']]
            da, db, ra, rb = (int(c[k], 16) for k in ('Da', 'Db', 'Ra', 'Rb'))
            pa, pb, qa, qb = (curve.mul(k, curve.g) for k in (da, db, ra, rb))
            for name, q in (('Pa', pa), ('Pb', pb), ('Ra', qa), ('Rb', qb)):
                self.assertEqual(q, point(c, name), f'{c["Id"]}: {name}')
            za, zb = curve.z(bytes.fromhex(c['IdA']), pa), curve.z(bytes.fromhex(c['IdB']), pb)
            x, y = curve.exchange(da, ra, qa, pb, qb)
            self.assertEqual((x, y), curve.exchange(db, rb, qb, pa, qa))
            inner = sm3(curve.bytes(x) + za + zb + curve.bytes(*qa, *qb))
            key = kdf(curve.bytes(x, y) + za + zb, int(c['KeyBits']) // 8)
            for name, got in (('Za', za), ('Zb', zb), ('Vx', x), ('Vy', y), ('Key', key),
                              ('S1', sm3(b'\x02' + curve.bytes(y) + inner)),
                              ('S2', sm3(b'\x03' + curve.bytes(y) + inner))):
                self.equal(c, name, got)
            done.add(c['CurveText'])
        self.assertEqual(done, {'sm2p256v1', 'fp256-example'})


if __name__ == '__main__':
    unittest.main(verbosity=2)
