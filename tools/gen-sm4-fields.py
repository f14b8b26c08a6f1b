#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Derives the matrices and tables of the SM4 kernels that borrow the inversion of AES's field.

    tools/gen-sm4-fields.py > src/crypto/sm4/sm4_fields.h

SM4: S(x) = A * inv(A*x + C) + C in F = GF(2)[x]/0x1f5. The CPU inverts in AES's field
G = GF(2)[x]/0x11b. Let phi: F -> G be a field isomorphism (a linear map), and keep every state
byte x as x' = IN * x with IN = phi * A. With OUT = A * phi^-1 and the round's linear layer L split
by the distance that a byte moves (D0 = I + x<<2 for the same byte and D3 = I + x>>6 for three
bytes up, D0 + D3 for one and two up), a round is, per byte of t' = x1' + x2' + x3' + IN*rk + phi*C,
    p = IN*D0*OUT * inv(t'),   q = IN*D3*OUT * inv(t'),   e = p + q,
    x0' += p + e one byte up + e two up + q three up + IN*(D0 + D3)*C.
AESENCLAST gives B*inv(t') + 0x63 instead of inv(t'); then B^-1 is multiplied in from the right and
what 0x63 contributes is added to the constant. Of the eight isomorphisms the first is taken.

XTS: a tweak times x^8 is its bytes one place up, and what byte 15, b, comes back as into bytes 0 and
1: b times x^128 = 1 + x + x^2 + x^7, the bits of a byte rising (IEEE) or falling (GB)."""

F, G, CONST, ROW = 0x1F5, 0x11B, 0xD3, 0xA7


def mul(a, b, poly):
    r = 0
    while b:
        if b & 1:
            r ^= a
        a <<= 1
        if a & 0x100:
            a ^= poly
        b >>= 1
    return r


def power(a, n, poly):
    r = 1
    for _ in range(n):
        r = mul(r, a, poly)
    return r


def rotl(v, n):
    return ((v << n) | (v >> (8 - n))) & 0xFF


def parity(v):
    return bin(v).count("1") & 1


# A linear map is its list of columns: the images of 1, 2, 4 .. 128.
def at(m, x):
    r = 0
    for i in range(8):
        if x >> i & 1:
            r ^= m[i]
    return r


def of(f):
    return [f(1 << i) for i in range(8)]


def after(*maps):
    """The product of the maps, the rightmost applied first."""
    def f(x):
        for m in reversed(maps):
            x = at(m, x)
        return x
    return of(f)


def inverse(m):
    back = {at(m, x): x for x in range(256)}
    return of(lambda x: back[x])


A = of(lambda x: sum(parity(rotl(ROW, i) & x) << i for i in range(8)))
B = of(lambda x: x ^ rotl(x, 1) ^ rotl(x, 2) ^ rotl(x, 3) ^ rotl(x, 4))  # AES's affine map
# phi takes a root of F's polynomial in F (the element 2) to one in G.
root = None
for g in range(2, 256):
    v = 0
    for i in range(9):
        if F >> i & 1:
            v ^= power(g, i, G)
    if v == 0:
        root = g
        break
PHI = of(lambda x: power(root, x.bit_length() - 1, G))
IN = after(PHI, A)
OUT = after(A, inverse(PHI))
D0 = of(lambda x: x ^ (x << 2 & 0xFF))
D3 = of(lambda x: x ^ x >> 6)
P = after(IN, D0, OUT)
Q = after(IN, D3, OUT)
E = [p ^ q for p, q in zip(P, Q)]
KEY = at(PHI, CONST)
ROUND = at(after(IN, [a ^ b for a, b in zip(D0, D3)]), CONST)
PB = after(P, inverse(B))
QB = after(Q, inverse(B))


def back_ieee(b):
    return b ^ b << 1 ^ b << 2 ^ b << 7


def back_gb(b):
    v = b << 8 ^ b << 7 ^ b << 6 ^ b << 1
    return v >> 8 | (v & 0xFF) << 8  # byte 0 has the lower powers


def mirror(b):
    return sum((b >> i & 1) << (7 - i) for i in range(8))


def check():
    inv_f = {x: power(x, 254, F) for x in range(256)}
    inv_g = {x: power(x, 254, G) for x in range(256)}
    for x in range(256):
        s = at(A, inv_f[at(A, x) ^ CONST]) ^ CONST
        t = at(IN, x) ^ KEY
        assert at(OUT, inv_g[t]) ^ CONST == s
        aes = at(B, inv_g[t]) ^ 0x63
        assert at(PB, aes ^ 0x63) == at(P, inv_g[t])
    assert at(A, inv_f[CONST]) ^ CONST == 0xD6  # S(0)


def gfni(m):
    """A matrix as GF2P8AFFINEQB reads it: byte 7 - i is the row of output bit i."""
    q = 0
    for i in range(8):
        row = sum((m[j] >> i & 1) << j for j in range(8))
        q |= row << (8 * (7 - i))
    return "0x%016x" % q


def nibbles(name, m, const=0):
    """Two 16-byte tables: the map on the low nibble, and on the high one."""
    out = []
    for half in (0, 4):
        vals = [at(m, n << half) ^ (const if half == 0 else 0) for n in range(16)]
        out.append("#define HF_SM4_%s_%s \\\n\t{ %s, \\\n\t  %s }" % (
            name, "HIGH" if half else "LOW",
            ", ".join("0x%02x" % v for v in vals[:8]),
            ", ".join("0x%02x" % v for v in vals[8:])))
    return "\n".join(out)


check()
print("""/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Matrices and tables of the SM4 kernels that use AES's field; names and derivation are in
 * tools/gen-sm4-fields.py, which made this file. Do not edit.
 */
#ifndef HF_CRYPTO_SM4_SM4_FIELDS_H
#define HF_CRYPTO_SM4_SM4_FIELDS_H

/* clang-format off */

/* For GF2P8AFFINE(INV)QB: into the kernel's domain and back, the two parts of a round and their sum. */""")
for name, m in (("IN", IN), ("BACK", inverse(IN)), ("P", P), ("Q", Q), ("E", E)):
    print("#define HF_SM4_GFNI_%-4s %s" % (name, gfni(m)))
print("""
/* What byte 15 of an XTS tweak adds to bytes 0 and 1 when the tweak is multiplied by x^8. */""")
for name, f in (("GB", back_gb), ("IEEE", back_ieee)):
    for i in range(2):
        m = of(lambda b, f=f, i=i: f(b) >> 8 * i & 0xFF)
        print("#define HF_SM4_XTS_%-6s %s" % ("%s_%d" % (name, i), gfni(m)))
print("""
/* A byte with its bits in the other order. */
#define HF_SM4_GFNI_MIRROR %s""" % gfni(of(mirror)))
print("""
/* Bytes to add: to every byte of a round key in the domain, and to every byte of a round's result. */
#define HF_SM4_KEY_BYTE   0x%02x
#define HF_SM4_ROUND_BYTE 0x%02x
""" % (KEY, ROUND))
print("/* The same maps as sums of two look-ups by nibble (PSHUFB); P, Q and E follow AESENCLAST. */")
print(nibbles("IN", IN))
print(nibbles("BACK", inverse(IN)))
print(nibbles("P", PB, at(PB, 0x63)))
print(nibbles("Q", QB, at(QB, 0x63)))
EB = [p ^ q for p, q in zip(PB, QB)]
print(nibbles("E", EB, at(EB, 0x63)))
print("""/* clang-format on */

#endif""")
