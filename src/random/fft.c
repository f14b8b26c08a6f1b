/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stockham's order: a stage of radix r takes the r points x[q + s (p + m j)], j < r, of a transform
 * of length r m with stride s, and writes the r points y[q + s (r p + k)] of r transforms of length
 *m with stride r s:
 *
 *	y_k = w^(pk) * sum of x_j e^(-2 pi i jk / r),    w = e^(-2 pi i / (r m))
 *
 * After all factors of n the points stand in their order, with no permutation of their own. w^(pk)
 * is a power p k s of the n-th root of unity, taken as the product of two short tables.
 *
 * Lengths with other factors (Bluestein): jk = (j^2 + k^2 - (k - j)^2) / 2 makes the transform a
 * convolution with the chirp c_j = e^(-pi i j^2 / n), done by transforms of a power of two.
 */
#include "random/fft.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/attr.h"

enum { STAGES_MAX = 32 };

/* A transform of a length without other factors than 2, 3 and 5. */
struct staged {
	size_t n;
	struct hf_complex *x; /* n points each; a stage goes from x to y, then they change names */
	struct hf_complex *y;
	size_t split; /* root^i = high[i / split] * low[i % split] */
	struct hf_complex *low;
	struct hf_complex *high;
	unsigned radix[STAGES_MAX];
	unsigned n_stages;
};

struct hf_fft {
	const struct hf_mem *mem;
	size_t n;
	struct staged t;           /* of n points, or of a power of two from 2n - 1 on */
	struct hf_complex *points; /* n of them, with a chirp; else NULL */
	struct hf_complex *chirp;  /* n points; NULL: none is needed */
	struct hf_complex *kernel; /* transform of the conjugate chirp */
};

static const double tau = 6.28318530717958647693;

static struct hf_complex add(struct hf_complex a, struct hf_complex b)
{
	return (struct hf_complex){ a.re + b.re, a.im + b.im };
}

static struct hf_complex sub(struct hf_complex a, struct hf_complex b)
{
	return (struct hf_complex){ a.re - b.re, a.im - b.im };
}

static struct hf_complex mul(struct hf_complex a, struct hf_complex b)
{
	return (struct hf_complex){ a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re };
}

static struct hf_complex scale(struct hf_complex a, double s)
{
	return (struct hf_complex){ a.re * s, a.im * s };
}

/* a times -i */
static struct hf_complex turn(struct hf_complex a)
{
	return (struct hf_complex){ a.im, -a.re };
}

static struct hf_complex root(const struct staged *t, size_t i)
{
	return mul(t->high[i / t->split], t->low[i % t->split]);
}

static void stage_2(const struct staged *t, size_t m, size_t s)
{
	for (size_t p = 0; p < m; p++) {
		struct hf_complex w = root(t, p * s);
		const struct hf_complex *x = t->x + s * p;
		struct hf_complex *y = t->y + s * 2 * p;

		for (size_t q = 0; q < s; q++) {
			struct hf_complex a = x[q];
			struct hf_complex b = x[q + s * m];

			y[q] = add(a, b);
			y[q + s] = mul(w, sub(a, b));
		}
	}
}

static void stage_3(const struct staged *t, size_t m, size_t s)
{
	static const double h = 0.86602540378443864676; /* sin(tau / 3) */

	for (size_t p = 0; p < m; p++) {
		struct hf_complex w1 = root(t, p * s);
		struct hf_complex w2 = root(t, 2 * p * s);
		const struct hf_complex *x = t->x + s * p;
		struct hf_complex *y = t->y + s * 3 * p;

		for (size_t q = 0; q < s; q++) {
			struct hf_complex a = x[q];
			struct hf_complex sum = add(x[q + s * m], x[q + 2 * s * m]);
			struct hf_complex u = turn(scale(sub(x[q + s * m], x[q + 2 * s * m]), h));
			struct hf_complex v = sub(a, scale(sum, 0.5));

			y[q] = add(a, sum);
			y[q + s] = mul(w1, add(v, u));
			y[q + 2 * s] = mul(w2, sub(v, u));
		}
	}
}

static void stage_4(const struct staged *t, size_t m, size_t s)
{
	for (size_t p = 0; p < m; p++) {
		struct hf_complex w1 = root(t, p * s);
		struct hf_complex w2 = root(t, 2 * p * s);
		struct hf_complex w3 = mul(w1, w2);
		const struct hf_complex *x = t->x + s * p;
		struct hf_complex *y = t->y + s * 4 * p;

		for (size_t q = 0; q < s; q++) {
			struct hf_complex a = add(x[q], x[q + 2 * s * m]);
			struct hf_complex b = sub(x[q], x[q + 2 * s * m]);
			struct hf_complex c = add(x[q + s * m], x[q + 3 * s * m]);
			struct hf_complex d = turn(sub(x[q + s * m], x[q + 3 * s * m]));

			y[q] = add(a, c);
			y[q + s] = mul(w1, add(b, d));
			y[q + 2 * s] = mul(w2, sub(a, c));
			y[q + 3 * s] = mul(w3, sub(b, d));
		}
	}
}

/* With c_j, s_j the cosine and sine of j tau / 5: 1 and 4 are conjugate partners, and so are 2, 3.
 */
static void stage_5(const struct staged *t, size_t m, size_t s)
{
	static const double c1 = 0.30901699437494742410;
	static const double c2 = -0.80901699437494742410;
	static const double s1 = 0.95105651629515357212;
	static const double s2 = 0.58778525229247312917;

	for (size_t p = 0; p < m; p++) {
		struct hf_complex w1 = root(t, p * s);
		struct hf_complex w2 = root(t, 2 * p * s);
		struct hf_complex w3 = mul(w1, w2);
		struct hf_complex w4 = mul(w2, w2);
		const struct hf_complex *x = t->x + s * p;
		struct hf_complex *y = t->y + s * 5 * p;

		for (size_t q = 0; q < s; q++) {
			struct hf_complex a = x[q];
			struct hf_complex t1 = add(x[q + s * m], x[q + 4 * s * m]);
			struct hf_complex t2 = add(x[q + 2 * s * m], x[q + 3 * s * m]);
			struct hf_complex u1 = sub(x[q + s * m], x[q + 4 * s * m]);
			struct hf_complex u2 = sub(x[q + 2 * s * m], x[q + 3 * s * m]);
			struct hf_complex v1 = add(a, add(scale(t1, c1), scale(t2, c2)));
			struct hf_complex v2 = add(a, add(scale(t1, c2), scale(t2, c1)));
			struct hf_complex d1 = turn(add(scale(u1, s1), scale(u2, s2)));
			struct hf_complex d2 = turn(sub(scale(u1, s2), scale(u2, s1)));

			y[q] = add(a, add(t1, t2));
			y[q + s] = mul(w1, add(v1, d1));
			y[q + 2 * s] = mul(w2, add(v2, d2));
			y[q + 3 * s] = mul(w3, sub(v2, d2));
			y[q + 4 * s] = mul(w4, sub(v1, d1));
		}
	}
}

static void run_stages(struct staged *t)
{
	size_t left = t->n;
	size_t s = 1;

	for (unsigned i = 0; i < t->n_stages; i++) {
		struct hf_complex *done = t->x;
		size_t m = left / t->radix[i];

		switch (t->radix[i]) {
		case 2: stage_2(t, m, s); break;
		case 3: stage_3(t, m, s); break;
		case 4: stage_4(t, m, s); break;
		default: stage_5(t, m, s); break;
		}
		left = m;
		s *= t->radix[i];
		t->x = t->y;
		t->y = done;
	}
}

/* e^(-2 pi i turns) */
static struct hf_complex unit(double turns)
{
	return (struct hf_complex){ cos(tau * turns), -sin(tau * turns) };
}

/* The stages of n; what is left of n when no small factor divides it any more. */
static size_t split_factors(struct staged *t, size_t n)
{
	static const unsigned radices[] = { 4, 2, 3, 5 };

	for (size_t i = 0; i < HF_COUNT(radices); i++)
		for (; n % radices[i] == 0; n /= radices[i])
			t->radix[t->n_stages++] = radices[i];
	return n;
}

static hf_err staged_init(struct staged *t, const struct hf_mem *mem, size_t n)
{
	size_t n_high;

	t->n = n;
	for (t->split = 1; t->split * t->split < n; t->split *= 2)
		;
	n_high = n / t->split + 1;
	t->x = hf_mem_array(mem, n, sizeof(*t->x));
	t->y = hf_mem_array(mem, n, sizeof(*t->y));
	t->low = hf_mem_array(mem, t->split, sizeof(*t->low));
	t->high = hf_mem_array(mem, n_high, sizeof(*t->high));
	if (t->x == NULL || t->y == NULL || t->low == NULL || t->high == NULL)
		return HF_ERR_NO_MEMORY;
	for (size_t i = 0; i < t->split; i++)
		t->low[i] = unit((double)i / (double)n);
	for (size_t i = 0; i < n_high; i++)
		t->high[i] = unit((double)(i * t->split) / (double)n);
	return HF_OK;
}

/* The chirp, and the transform of its conjugate laid around zero in a ring. */
static hf_err make_chirp(struct hf_fft *f)
{
	size_t len = f->t.n;
	struct hf_complex *ring = f->t.x;

	f->points = hf_mem_array(f->mem, f->n, sizeof(*f->points));
	f->chirp = hf_mem_array(f->mem, f->n, sizeof(*f->chirp));
	f->kernel = hf_mem_array(f->mem, len, sizeof(*f->kernel));
	if (f->points == NULL || f->chirp == NULL || f->kernel == NULL)
		return HF_ERR_NO_MEMORY;
	memset(ring, 0, len * sizeof(*ring));
	for (size_t j = 0; j < f->n; j++) {
		uint64_t square = (uint64_t)j * j % (2 * (uint64_t)f->n);
		struct hf_complex c = unit((double)square / (2 * (double)f->n));

		f->chirp[j] = c;
		c.im = -c.im;
		ring[j] = c;
		ring[(len - j) % len] = c;
	}
	run_stages(&f->t);
	memcpy(f->kernel, f->t.x, len * sizeof(*ring));
	return HF_OK;
}

static hf_err plan(struct hf_fft *f)
{
	size_t len = 1;

	if (split_factors(&f->t, f->n) == 1)
		return staged_init(&f->t, f->mem, f->n);
	while (len < 2 * f->n - 1)
		len *= 2;
	f->t.n_stages = 0;
	(void)split_factors(&f->t, len);
	HF_TRY(staged_init(&f->t, f->mem, len));
	return make_chirp(f);
}

hf_err hf_fft_new(struct hf_fft **out, const struct hf_mem *mem, size_t n)
{
	struct hf_fft *f;
	hf_err e;

	if (n == 0 || n > HF_FFT_MAX)
		return HF_ERR_ARG;
	f = hf_mem_new(mem, sizeof(*f));
	if (f == NULL)
		return HF_ERR_NO_MEMORY;
	f->mem = mem;
	f->n = n;
	e = plan(f);
	if (e != HF_OK) {
		hf_fft_free(f);
		return e;
	}
	*out = f;
	return HF_OK;
}

void hf_fft_free(struct hf_fft *f)
{
	if (f == NULL)
		return;
	hf_mem_free(f->mem, f->points);
	hf_mem_free(f->mem, f->chirp);
	hf_mem_free(f->mem, f->kernel);
	hf_mem_free(f->mem, f->t.low);
	hf_mem_free(f->mem, f->t.high);
	hf_mem_free(f->mem, f->t.x);
	hf_mem_free(f->mem, f->t.y);
	hf_mem_free(f->mem, f);
}

struct hf_complex *hf_fft_in(struct hf_fft *f)
{
	return f->chirp == NULL ? f->t.x : f->points;
}

/* The inverse transform is the transform of the conjugate, conjugated, over the length. */
static void convolve(struct hf_fft *f)
{
	struct staged *t = &f->t;

	memset(t->x, 0, t->n * sizeof(*t->x));
	for (size_t j = 0; j < f->n; j++)
		t->x[j] = mul(f->points[j], f->chirp[j]);
	run_stages(t);
	for (size_t j = 0; j < t->n; j++) {
		t->x[j] = mul(t->x[j], f->kernel[j]);
		t->x[j].im = -t->x[j].im;
	}
	run_stages(t);
	for (size_t k = 0; k < f->n; k++) {
		struct hf_complex c = { t->x[k].re, -t->x[k].im };

		f->points[k] = mul(scale(c, 1 / (double)t->n), f->chirp[k]);
	}
}

const struct hf_complex *hf_fft_run(struct hf_fft *f)
{
	if (f->chirp == NULL) {
		run_stages(&f->t);
		return f->t.x;
	}
	convolve(f);
	return f->points;
}
