#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The engine of the forensic marks against a model of it in numpy, written from the formulas.

Both get the same bytes in the place of the key streams: embeddings must agree bit for bit, what is read of a leak and
the p-values to a millionth. HUFU_BIN is the folder of the built programs.
"""
import os
import subprocess
import sys
import unittest

try:
    import numpy as np
except ImportError:
    DEBIAN = '/usr/bin/python3'  # what python3-numpy belongs to, where another python3 comes first
    if os.environ.get('HUFU_TRIED') or not os.path.exists(DEBIAN):
        print('skipped: no numpy')
        sys.exit(77)
    os.environ['HUFU_TRIED'] = '1'
    os.execv(DEBIAN, [DEBIAN, *sys.argv])

MARKS = os.path.join(os.environ['HUFU_BIN'], 'make_marks')
P = np.array([12, 59, 128, 197, 244]) / 256
BINS = 65
ASSUMED = (1, 2, 3, 4, 6, 8, 12, 20)
LN10 = np.log(10)
ALPHA = 4096  # of 65536


def run(*args, data):
    r = subprocess.run([MARKS, *map(str, args)], input=data, capture_output=True, check=False, timeout=300)
    if r.returncode:
        raise AssertionError(r.stderr.decode())
    return r.stdout


# ---- the model: embedding

def to_type(x, kind):
    """float32 to the bits of a type."""
    if kind == 0:
        return x.astype('<f4').view('<u4')
    if kind == 1:
        with np.errstate(over='ignore'):
            return x.astype('<f2').view('<u2')
    u = x.astype('<f4').view('<u4').astype(np.uint64)
    return ((u + 0x7fff + (u >> 16 & 1)) >> 16).astype('<u2')


def from_type(u, kind):
    if kind == 0:
        return u.view('<f4')
    if kind == 1:
        return u.view('<f2').astype('<f4')
    return (u.astype('<u4') << 16).view('<f4')


def model_mark(bits, kind, n_s, n_sites, site_bytes, chip_bytes):
    blocks = bits.size // n_s
    words = np.frombuffer(site_bytes, '>u4').astype(object)  # whole numbers of any length
    first = np.array([(j * blocks // n_sites + (w * ((j + 1) * blocks // n_sites - j * blocks // n_sites) >> 32)) * n_s
                      for j, w in enumerate(words)], np.uint64)
    w = from_type(bits, kind)
    rms = np.sqrt((w.astype(np.float64) ** 2).sum(1) / w.shape[1]).astype('f4')[:, None]
    a = np.float32(ALPHA / 65536) * (np.float32(.5) * rms + np.float32(.5) * np.abs(w))
    at = first.astype(np.int64)[:, None] + np.arange(n_s)
    chip = 1 - 2 * np.unpackbits(np.frombuffer(chip_bytes, np.uint8), bitorder='little')[:n_sites * n_s].astype('f4')
    shift = a.ravel()[at] * chip.reshape(n_sites, n_s)
    out = []
    for sign in (-1, 1):
        copy = bits.ravel().copy()
        moved = to_type(w.ravel()[at] + np.float32(sign) * shift, kind)
        keep = (w.ravel()[at] == 0) | ~np.isfinite(from_type(moved, kind))
        copy[at] = np.where(keep, copy[at], moved)
        out.append(copy)
    return first, out


# ---- the model: reading

def model_read(view, zero, one, w, step):
    mid, half = (one + zero) / 2, (one - zero) / 2
    size = np.abs(half)
    ok = (half != 0) & np.isfinite(w) & ((w != 0) | (view == 3))
    d = w - mid
    if view == 0:
        g = (w * mid)[ok].sum() / (mid * mid)[ok].sum()
        d = w / g - mid
        edge = np.maximum(3 * 1.4826 * np.median(np.abs(d[ok])), 2 * size)
        d = np.clip(d, -edge, edge)
    elif view == 1:
        ok &= np.abs(d) <= 1.5 * size
    elif view == 2:
        ok &= np.abs(mid) < size
        d = np.sign(w) * size
    else:
        at = mid / step
        ok &= (np.abs(at - np.floor(at) - .5) * step <= size) & (np.abs(d) <= 1.5 * step)
    if not ok.any():
        return np.full(len(w), np.nan), np.nan
    power = (half[ok] ** 2).mean()
    noise = max((d[ok] ** 2).mean() - power / 2, .02 * power)
    num, den = np.where(ok, half * d, 0).sum(1) / noise, np.where(ok, half * half, 0).sum(1) / noise
    y = np.full(len(num), np.nan)
    y[den > 0] = num[den > 0] / den[den > 0]
    s0 = max(np.median(den[den > 0] ** -.5), .1)
    return y, s0 if view == 0 else min(s0, .5)


# ---- the model: channel, score, bound

def binomial(n, p):
    from math import comb
    return np.array([comb(n, k) * p ** k * (1 - p) ** (n - k) for k in range(n + 1)]).T


def fit(n, named, c, limit, s0):
    """n[class, ones among the named, bin]: P(bin | k ones) and the log-likelihood."""
    levels = sorted({round(2 * k / c - 1, 12) for k in range(c + 1)} | {0.0})
    mu = np.array(levels)
    near = lambda x: int(np.argmin(np.round(np.abs(mu - x), 9)))
    end = np.abs(mu) > 1 - 1e-9
    theta = np.zeros((c + 1, len(mu)))
    for k in range(1, c):
        for at, share in ((near(2 * k / c - 1), .45), (-1, .45 * k / c), (0, .45 * (1 - k / c)), (near(0), .1)):
            theta[k, at] += share
    theta[0, 0] = theta[c, -1] = 1
    prior = 2 * theta
    y = np.arange(BINS) * 2 * limit / (BINS - 1) - limit
    s0 = max(s0, .1)
    sigma, gain = np.where(end, s0, 1.3 * s0), 1.0
    pk = np.zeros((len(P), named + 1, c + 1))
    for one in range(named + 1):
        pk[:, one, one:one + c - named + 1] = binomial(c - named, P)
    for step in range(25):
        dens = np.exp(-.5 * ((y - gain * mu[:, None]) / sigma[:, None]) ** 2) / sigma[:, None]
        dens = .998 * dens * (y[1] - y[0]) / np.sqrt(2 * np.pi) + .002 / BINS
        w = theta @ dens
        f = np.einsum('aok,ky->aoy', pk, w)
        like = (n * np.log(f)).sum()
        if step == 24:
            break
        g = np.einsum('aoy,aok->ky', n / f, pk)
        r = theta[:, :, None] * dens[None] * g[:, None, :]
        t = r.sum(2) + prior
        theta[1:c] = t[1:c] / t[1:c].sum(1, keepdims=True)
        ly = r.sum(0)
        if ly[end].sum() > 5:
            gain = np.clip(((ly * y * mu[:, None])[end].sum() + 20) / (ly[end].sum() + 20), .1, 1.5)
        far = np.minimum((y - gain * mu[:, None]) ** 2, (1 + 3 * s0) ** 2)
        for group in (end, ~end):
            if ly[group].sum() > 5:
                v = ((ly * far)[group].sum() + 2 * s0 ** 2) / (ly[group].sum() + 2)
                sigma[group] = np.sqrt(np.clip(v, .03 ** 2, (2 * s0 + 1) ** 2))
    return w, like


def log10_bound(p, d, scores):
    """Chernoff's bound for sums of d over symbols that are 1 with probability p."""
    far = np.abs(d) > 1e-12
    mean, p, d = (p * d).sum(), p[far], d[far]
    sd = np.sqrt((p * (1 - p) * d * d).sum())
    best = np.zeros(len(scores))
    for lam in np.geomspace(.3, 150, 140) / sd:
        k = np.logaddexp(np.log(p) + lam * d * (1 - p), np.log1p(-p) - lam * d * p).sum()
        best = np.minimum(best, k - lam * (scores - mean))
    return best / LN10


def model_trace(y, cls, x, noise, registered):
    need = -9 - np.log10(registered) - np.log10(128)
    limit = 1.6 if noise <= .3 else 1 + 2.5 * min(noise, 12)
    ok = np.isfinite(y)
    b = np.rint((np.clip(y[ok], -limit, limit) + limit) * (BINS - 1) / (2 * limit)).astype(int)
    cls, x = cls[ok], x[:, ok].astype(float)
    named, best, rounds, coalition = [], np.zeros(len(x)), 0, 0
    for rnd in range(4):
        one = x[[u for u, *_ in named]].sum(0).astype(int)
        n = np.zeros((len(P), len(named) + 1, BINS))
        np.add.at(n, (cls, one, b), 1)
        now, under, fits = np.zeros(len(x)), np.zeros(len(x), int), {}
        if len(named) >= 20:
            break
        for c in (c for c in ASSUMED if c > len(named)):
            w, like = fit(n, len(named), c, limit, noise)
            fits[c] = like - (2 * c - 1)
            pb = binomial(c - len(named) - 1, P)[cls]
            span = one[:, None] + np.arange(pb.shape[1])
            d = np.clip(np.log((pb * w[span + 1, b[:, None]]).sum(1) / (pb * w[span, b[:, None]]).sum(1)), -8, 8)
            lp = log10_bound(P[cls], d, x @ d)
            under = np.where(lp < now, c, under)
            now = np.minimum(now, lp)
        rounds += 1
        if rnd == 0:
            coalition = max(fits, key=fits.get)
        before = {u for u, *_ in named}
        rest = [u for u in range(len(x)) if u not in before]
        best[rest] = np.minimum(best, now)[rest]
        hits = sorted((now[u], u) for u in rest if now[u] <= need)
        named += [(u, rnd, under[u], p) for p, u in hits]
        if not hits:
            break
    return max(coalition, len(named)), rounds, named, best, need


class Marks(unittest.TestCase):
    def test_embeddings_agree_bit_for_bit(self):
        for kind in range(3):
            for rows, cols, n_s, n_sites in ((64, 250, 24, 60), (7, 3 * 5 * 5, 4, 100), (300, 1, 2, 150)):
                with self.subTest(kind=kind, rows=rows):
                    g = np.random.default_rng(rows + kind)
                    w = (.02 * np.exp(.3 * g.standard_normal((rows, 1))) * g.standard_normal((rows, cols))).astype('f4')
                    w[g.random(w.shape) < .05] = 0
                    w.ravel()[::17] *= np.float32(1e-5)  # subnormal in float16
                    if kind == 1:
                        w.ravel()[5::91] = 65504
                    bits = to_type(w, kind)
                    site, chips = g.bytes(4 * n_sites), g.bytes((n_sites * n_s + 7) // 8)
                    out = run('mark', kind, ALPHA, n_s, n_sites, rows, cols, data=site + chips + bits.tobytes())
                    first, (zero, one) = model_mark(bits, kind, n_s, n_sites, site, chips)
                    self.assertEqual(out, first.astype('<u8').tobytes() + zero.tobytes() + one.tobytes())
                    self.assertGreater((zero != one).sum(), .7 * n_s * n_sites)

    def test_readings_agree(self):
        n_s, n_sites = 24, 500
        for attack in ('none', 'noise', 'scaled', 'pruned', 'int8', 'int4', 'signs', 'missing'):
            g = np.random.default_rng(len(attack))
            w = g.standard_normal((n_sites, n_s)).astype('f4')
            a = (.0625 * (.5 + .5 * np.abs(w)) * g.choice([-1, 1], w.shape)).astype('f4')
            zero, one = w - a, w + a
            x = g.integers(0, 2, (n_sites, 1))
            leak = np.where(x == 1, one, zero)
            step = np.full(w.shape, 1 / 40 if attack == 'int8' else .3, 'f4')
            if attack == 'noise':
                leak = leak + .3 * g.standard_normal(w.shape)
            elif attack == 'scaled':
                leak = leak * 1.7
            elif attack == 'pruned':
                leak = np.where(np.abs(leak) < .7, 0, leak)
            elif attack in ('int8', 'int4'):
                leak = np.rint(leak / step) * step
            elif attack == 'signs':
                leak = np.sign(leak) * .8
            elif attack == 'missing':
                leak = np.where(g.random((n_sites, 1)) < .9, np.nan, leak)
            leak = leak.astype('f4')
            for view in range(4):
                with self.subTest(attack=attack, view=view):
                    out = np.frombuffer(run('read', view, n_s, n_sites,
                                            data=b''.join(v.tobytes() for v in (zero, one, leak, step))), 'f8')
                    y, noise = model_read(view, *(v.astype('f8') for v in (zero, one, leak, step)))
                    np.testing.assert_allclose(out[0], noise, rtol=1e-6)
                    np.testing.assert_allclose(out[1:], y, rtol=1e-6, atol=1e-9)
                    if (attack, view) in (('none', 0), ('noise', 0), ('scaled', 0), ('int4', 3), ('signs', 2)):
                        seen = np.isfinite(y)
                        self.assertGreater((np.sign(y) == np.where(x[:, 0] == 1, 1, -1))[seen].mean(), .8)

    def check_trace(self, y, cls, x, noise, registered, colluders):
        n, m = x.shape
        text = run('trace', m, n, repr(noise), registered,
                   data=y.astype('<f8').tobytes() + cls.astype(np.uint8).tobytes()
                   + np.packbits(x, axis=1, bitorder='little').tobytes()).decode().splitlines()
        coalition, rounds, named, best, need = model_trace(y, cls, x, noise, registered)
        head = text[0].split()
        self.assertEqual([int(v) for v in head[:3]], [coalition, rounds, len(named)])
        self.assertAlmostEqual(float(head[3]), need, 9)
        for line, (u, rnd, c, p) in zip(text[1:], named):
            words = line.split(maxsplit=5)
            self.assertEqual([int(v) for v in words[:3]], [u, rnd, c])
            np.testing.assert_allclose(float(words[3]), p, rtol=1e-6)
            np.testing.assert_allclose(float(words[4]), p - need - 9, rtol=1e-6)
            self.assertEqual(words[5], 'evidence' if p <= -38.6 else 'accused')
        ours = np.array([float(v) for v in text[1 + len(named):]])
        low = best <= -3.001
        np.testing.assert_allclose(ours[low], best[low], rtol=1e-6)
        np.testing.assert_allclose(ours[~low], best[~low], rtol=1e-3, atol=1e-3)
        self.assertTrue({u for u, *_ in named} <= set(range(colluders)))
        return {u for u, *_ in named}

    def test_traces_agree(self):
        m, innocents = 1024, 200
        for attack, c, sigma, missing in (('avg', 1, .1, 0), ('avg', 1, .1, .8), ('avg', 8, .1, 0), ('min', 3, .1, 0),
                                          ('random', 2, .1, 0), ('random', 3, .5, 0), ('majority', 4, .1, 0),
                                          ('minority', 4, .1, 0), ('none', 1, .1, 0)):
            with self.subTest(attack=attack, c=c, sigma=sigma):
                g = np.random.default_rng(100 * c + len(attack))
                cls = g.integers(0, 5, m)
                x = (g.random((c + innocents, m)) < P[cls]).astype(np.uint8)
                v = 2.0 * x[:c] - 1
                mean = v.mean(0)
                y = {'avg': mean, 'min': v.min(0), 'random': v[g.integers(0, c, m), np.arange(m)],
                     'majority': np.where(mean == 0, 1, np.sign(mean)), 'none': 0 * mean,
                     'minority': np.where(np.abs(mean) == 1, mean, -np.sign(mean))}[attack]
                y = y + sigma * g.standard_normal(m)
                y[g.random(m) < missing] = np.nan
                got = self.check_trace(y, cls, x, sigma, 10 ** 6, c)
                if attack == 'none':
                    self.assertEqual(got, set())
                elif sigma == .1:
                    self.assertTrue(got)


if __name__ == '__main__':
    unittest.main(verbosity=2)
