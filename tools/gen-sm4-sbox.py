#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Derives the SM4 S-box as a Boolean circuit and prints src/crypto/sm4/sm4_sbox.h.

    tools/gen-sm4-sbox.py > src/crypto/sm4/sm4_sbox.h

The S-box of GB/T 32907-2016 is S(x) = A * (A * x + C)^-1 + C in GF(2^8) with the polynomial
x^8 + x^7 + x^6 + x^5 + x^4 + x^2 + 1, A the circulant matrix below and C = 0xd3. Inversion becomes
a handful of AND gates in the tower GF(((2^2)^2)^2): with a normal basis {Y^16, Y} of GF(2^8) over
GF(2^4) (Y + Y^16 = 1, norm n = Y^17) the inverse of a1*Y^16 + a0*Y is
    d = (a1*a0 + n*(a1 + a0)^2)^-1,   a0*d * Y^16 + a1*d * Y,
and the same one floor below in {Z^4, Z}. In GF(2^2), {W^2, W}, inversion is squaring: a swap of
two bits. No isomorphism is looked up: W, Z and Y are elements of SM4's own field, every choice of
them is tried, and all linear maps are computed as matrices. Linear parts are shortened by Paar's
greedy rule (name the sum of the pair that most outputs share). The circuit found is run over all
256 inputs against the arithmetic definition and against values of the standard's table."""
import itertools
import random

POLY = 0x1F5
CONST = 0xD3
ROW = 0xA7  # first row of A; each next row is rotated by one
# Spot checks from the table of GB/T 32907-2016: (input, output).
TABLE = {0x00: 0xD6, 0x01: 0x90, 0x0F: 0x05, 0x10: 0x2B, 0x7F: 0x9E, 0x80: 0xEA, 0xEF: 0x84,
         0xFE: 0x39, 0xFF: 0x48}


def mul(a, b):
    r = 0
    while b:
        if b & 1:
            r ^= a
        a <<= 1
        if a & 0x100:
            a ^= POLY
        b >>= 1
    return r


def power(a, n):
    r = 1
    while n:
        if n & 1:
            r = mul(r, a)
        a = mul(a, a)
        n >>= 1
    return r


def parity(x):
    return bin(x).count("1") & 1


def rotate(row, n):
    return ((row >> n) | (row << (8 - n))) & 0xFF


def circulant(x):
    return sum(parity(rotate(ROW, (8 - i) % 8) & x) << i for i in range(8))


def definition(x):
    return circulant(power(circulant(x) ^ CONST, 254)) ^ CONST


class Basis:
    """Coordinates in {Y^16, Y} x {Z^4, Z} x {W^2, W}; bit 0 belongs to Y*Z*W."""

    def __init__(self, w, z, y):
        self.w, self.z, self.y = w, z, y
        self.elements = [
            mul(mul(b, c), a)
            for b in (y, power(y, 16)) for c in (z, power(z, 4)) for a in (w, mul(w, w))]
        self.coord = {}
        for v in range(256):
            self.coord[self.value(v)] = v

    def value(self, bits):
        r = 0
        for i in range(8):
            if bits >> i & 1:
                r ^= self.elements[i]
        return r


def bases():
    ws = [w for w in range(2, 256) if power(w, 3) == 1]
    zs = [z for z in range(2, 256) if z ^ power(z, 4) == 1 and power(z, 15) == 1]
    ys = [y for y in range(2, 256) if y ^ power(y, 16) == 1]
    for w, z, y in itertools.product(ws, zs, ys):
        b = Basis(w, z, y)
        if len(b.coord) == 256:
            yield b


class Circuit:
    """Straight-line program. A form is a frozenset of names that are to be added."""

    def __init__(self, rng):
        self.lines = []
        self.n = 0
        self.rng = rng

    def fresh(self):
        self.n += 1
        return "t%d" % self.n

    def gate(self, op, a, b):
        name = self.fresh()
        self.lines.append((name, op, a, b))
        return name

    def linear(self, forms):
        """Names of the sums, shortened by Paar's rule."""
        forms = [set(f) for f in forms]
        while True:
            count = {}
            for f in forms:
                for pair in itertools.combinations(sorted(f), 2):
                    count[pair] = count.get(pair, 0) + 1
            if not count:
                break
            most = max(count.values())
            a, b = self.rng.choice([p for p in sorted(count) if count[p] == most])
            name = self.gate("^", a, b)
            for f in forms:
                if a in f and b in f:
                    f -= {a, b}
                    f.add(name)
        return [next(iter(f)) for f in forms]


def add(*forms):
    r = frozenset()
    for f in forms:
        r = r ^ f
    return r


def gf4_pairs(a, b):
    """Factors of the three ANDs of a product in GF(2^2); a, b are [low, high] forms."""
    return [(a[0], b[0]), (a[1], b[1]), (add(a[0], a[1]), add(b[0], b[1]))]


def gf4_sum(p):
    """The product's [low, high] forms from the names of the three ANDs."""
    return [frozenset([p[0], p[2]]), frozenset([p[1], p[2]])]


def gf16_pairs(a, b):
    total = [add(a[0], a[2]), add(a[1], a[3])], [add(b[0], b[2]), add(b[1], b[3])]
    return gf4_pairs(a[:2], b[:2]) + gf4_pairs(a[2:], b[2:]) + gf4_pairs(*total)


def apply(columns, forms):
    """columns[i]: image of coordinate i. Returns the forms of the image."""
    return [add(*[f for c, f in zip(columns, forms) if c >> bit & 1]) for bit in range(len(forms))]


def build(basis, rng):
    c = Circuit(rng)
    sub16 = {}  # element of GF(2^4) <-> 4 coordinates in {Z^4, Z} x {W^2, W}
    e16 = [mul(zz, ww) for zz in (basis.z, power(basis.z, 4))
           for ww in (basis.w, mul(basis.w, basis.w))]
    for bits in range(16):
        v = 0
        for i in range(4):
            if bits >> i & 1:
                v ^= e16[i]
        sub16[v] = bits
    e4 = [basis.w, mul(basis.w, basis.w)]
    sub4 = {(e4[0] if b & 1 else 0) ^ (e4[1] if b & 2 else 0): b for b in range(4)}
    n16 = power(basis.y, 17)
    n4 = power(basis.z, 5)

    # Input: coordinates of A*x (+ A*x's constant, carried as bits to invert: A*x + C).
    names = ["x%d" % i for i in range(8)]
    a = [add(*[frozenset([names[i]]) for i in range(8)
               if basis.coord[circulant(1 << i)] >> bit & 1]) for bit in range(8)]
    flip = next(k for k in range(256) if circulant(k) == CONST)  # A*(x + k) = A*x + C
    lo, hi = a[:4], a[4:]

    # c = a1*a0 + n*(a1 + a0)^2 in GF(2^4)
    square = [sub16[mul(n16, mul(v, v))] for v in e16]
    lin = apply(square, [add(l, h) for l, h in zip(lo, hi)])
    pairs = gf16_pairs(lo, hi)
    forms = [f for p in pairs for f in p] + lin
    got = c.linear(forms)
    factors = got[:18]
    lin = got[18:]
    ands = [c.gate("&", factors[2 * i], factors[2 * i + 1]) for i in range(9)]
    low, high, mid = gf4_sum(ands[0:3]), gf4_sum(ands[3:6]), gf4_sum(ands[6:9])
    scale = [sub4[mul(n4, v)] for v in e4]
    mid = apply(scale, mid)
    prod = [add(low[0], mid[0]), add(low[1], mid[1]), add(high[0], mid[0]), add(high[1], mid[1])]
    g = [frozenset([s]) for s in c.linear([add(p, frozenset([l])) for p, l in zip(prod, lin)])]

    # d = c^-1, one floor below
    square4 = [sub4[mul(n4, mul(v, v))] for v in e4]
    lin = apply(square4, [add(g[0], g[2]), add(g[1], g[3])])
    pairs = gf4_pairs(g[:2], g[2:])
    got = c.linear([f for p in pairs for f in p] + lin)
    ands = [c.gate("&", got[2 * i], got[2 * i + 1]) for i in range(3)]
    gfac = {0: (got[0], got[2], got[4]), 1: (got[1], got[3], got[5])}
    norm = gf4_sum(ands)
    t = c.linear([add(norm[0], frozenset([got[6]])), add(norm[1], frozenset([got[7]]))])
    theta = [frozenset([t[1]]), frozenset([t[0]])]  # the inverse in GF(2^2): swapped
    tf = c.linear([theta[0], theta[1], add(*theta)])
    dlow = gf4_sum([c.gate("&", tf[i], gfac[1][i]) for i in range(3)])
    dhigh = gf4_sum([c.gate("&", tf[i], gfac[0][i]) for i in range(3)])
    d = [frozenset([s]) for s in c.linear(dlow + dhigh)]

    # d's nine factors against those of a0 (giving the coordinate of Y^16) and of a1 (of Y)
    df = c.linear([p[0] for p in gf16_pairs(d, d)])
    out = [None] * 8
    for half in (0, 1):
        ands = [c.gate("&", df[i], factors[2 * i + (1 - half)]) for i in range(9)]
        low, high, mid = gf4_sum(ands[0:3]), gf4_sum(ands[3:6]), apply(scale, gf4_sum(ands[6:9]))
        out[4 * half:4 * half + 4] = [
            add(low[0], mid[0]), add(low[1], mid[1]), add(high[0], mid[0]), add(high[1], mid[1])]
    final = apply([circulant(e) for e in basis.elements], out)
    return c, flip, c.linear(final)


def run(c, flip, outs, x):
    env = {"x%d" % i: (x ^ flip) >> i & 1 for i in range(8)}
    for name, op, a, b in c.lines:
        env[name] = env[a] ^ env[b] if op == "^" else env[a] & env[b]
    return sum(env[o] << i for i, o in enumerate(outs)) ^ CONST


def prune(c, outs):
    need = set(outs)
    kept = []
    for line in reversed(c.lines):
        if line[0] in need:
            need |= {line[2], line[3]}
            kept.append(line)
    c.lines = kept[::-1]


def main():
    rng = random.Random(32907)
    found = []
    for basis in bases():
        c, flip, outs = build(basis, rng)
        prune(c, outs)
        found.append((len(c.lines), basis))
    found.sort(key=lambda f: (f[0], f[1].elements))
    best = None
    for _, basis in found[:16]:
        for _ in range(300):
            c, flip, outs = build(basis, rng)
            prune(c, outs)
            if best is None or len(c.lines) < len(best[0].lines):
                best = c, flip, outs, basis
    c, flip, outs, basis = best
    for x in range(256):
        assert run(c, flip, outs, x) == definition(x), x
    for x, s in TABLE.items():
        assert definition(x) == s, x
    emit(c, flip, outs, basis)


def emit(c, flip, outs, basis):
    n_and = sum(1 for line in c.lines if line[1] == "&")
    print("""/* SPDX-License-Identifier: Apache-2.0 */
/* clang-format off */
/*
 * The S-box of SM4 (GB/T 32907-2016 6.2.1) as a Boolean circuit on bit planes: plane i holds bit i of
 * 64 independent bytes. No branch, no table: constant time. %d AND, %d XOR, %d NOT.
 * Made by tools/gen-sm4-sbox.py, which derives and proves it (tower GF(((2^2)^2)^2) in SM4's field,
 * W = 0x%02x, Z = 0x%02x, Y = 0x%02x). Do not edit.
 */
#ifndef HF_CRYPTO_SM4_SM4_SBOX_H
#define HF_CRYPTO_SM4_SM4_SBOX_H

#include <stdint.h>

/* NOLINTNEXTLINE(readability-function-size): a circuit has no parts */
static inline void hf_sm4_sbox_planes(uint64_t b[8])
{""" % (n_and, len(c.lines) - n_and, bin(flip).count("1") + bin(CONST).count("1"),
        basis.w, basis.z, basis.y))
    for i in range(8):
        print("\tconst uint64_t x%d = %sb[%d];" % (i, "~" if flip >> i & 1 else "", i))
    rename = {}
    for name, op, a, b in c.lines:
        rename[name] = "t%d" % (len(rename) + 1)
        print("\tconst uint64_t %s = %s %s %s;"
              % (rename[name], rename.get(a, a), op, rename.get(b, b)))
    print()
    for i in range(8):
        print("\tb[%d] = %s%s;" % (i, "~" if CONST >> i & 1 else "", rename.get(outs[i], outs[i])))
    print("""}
/* clang-format on */

#endif""")


if __name__ == "__main__":
    main()
