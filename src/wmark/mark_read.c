/* SPDX-License-Identifier: Apache-2.0 */
#include "wmark/mark_read.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "wmark/mark_keys.h"

#define GAIN_MIN    1e-3         /* a tensor scaled by less is looked at as it is */
#define MEDIAN_CUT  (3 * 1.4826) /* three standard deviations, from the median of the sizes */
#define POWER_FLOOR 0.02         /* noise of a weight, of the power of the mark */

hf_err hf_mark_reading_init(
	struct hf_mark_reading *r, enum hf_mark_view view, size_t n_sites, const struct hf_mem *mem)
{
	struct hf_mark_reading v = { .view = view, .n_sites = n_sites, .mem = mem };

	if (n_sites == 0 || n_sites > HF_MARK_SITES_MAX)
		return HF_ERR_ARG;
	v.sum = hf_mem_array(mem, n_sites, sizeof(*v.sum));
	v.weight = hf_mem_array(mem, n_sites, sizeof(*v.weight));
	if (v.sum == NULL || v.weight == NULL) {
		hf_mark_reading_clear(&v);
		return HF_ERR_NO_MEMORY;
	}
	*r = v;
	return HF_OK;
}

void hf_mark_reading_clear(struct hf_mark_reading *r)
{
	if (r->mem != NULL) {
		hf_mem_free(r->mem, r->sum);
		hf_mem_free(r->mem, r->weight);
	}
	*r = (struct hf_mark_reading){ 0 };
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Of n > 0 values, which are sorted. */
static double median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), by_size);
	return n % 2 != 0 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

struct weight {
	double mid;
	double half; /* half the difference of the variants: + in variant 1 */
	double w;
};

static struct weight weight_at(const struct hf_mark_suspect *s, size_t i)
{
	double zero = s->variant[0][i];
	double one = s->variant[1][i];

	return (struct weight){ (one + zero) / 2, (one - zero) / 2, s->w[i] };
}

static bool can_use(const struct weight *x, enum hf_mark_view view)
{
	return x->half != 0 && isfinite(x->mid) && isfinite(x->half) && isfinite(x->w) &&
	       (x->w != 0 || view == HF_MARK_GRID);
}

/* Least squares of the leak over the middle of the variants; 1 where there is none. */
static double gain_of(const struct hf_mark_suspect *s, size_t n)
{
	double num = 0;
	double den = 0;
	double g;

	for (size_t i = 0; i < n; i++) {
		struct weight x = weight_at(s, i);

		if (!can_use(&x, HF_MARK_GAIN))
			continue;
		num += x.w * x.mid;
		den += x.mid * x.mid;
	}
	g = den > 0 ? num / den : 0;
	return fabs(g) > GAIN_MIN ? g : 1;
}

/* The difference that a view sees in a weight; NaN: it does not look at this one. */
static double difference(const struct weight *x, enum hf_mark_view view, double gain, double step)
{
	double d = x->w - x->mid;
	double size = fabs(x->half);
	double at;

	if (!can_use(x, view))
		return NAN;
	switch (view) {
	case HF_MARK_GAIN: return x->w / gain - x->mid;
	case HF_MARK_ERASE: return fabs(d) <= 1.5 * size ? d : NAN;
	case HF_MARK_SIGN: return fabs(x->mid) >= size ? NAN : x->w < 0 ? -size : size;
	default:
		if (!(step > 0) || !isfinite(step) || fabs(d) > 1.5 * step)
			return NAN;
		at = x->mid / step;
		return fabs(at - floor(at) - 0.5) * step <= size ? d : NAN;
	}
}

/* Of the gain view: what lies too far counts as lying at the edge. */
static void cut(const struct hf_mark_suspect *s, double *d, double *sizes, size_t n)
{
	size_t used = 0;
	double edge;

	for (size_t i = 0; i < n; i++)
		if (!isnan(d[i]))
			sizes[used++] = fabs(d[i]);
	if (used == 0)
		return;
	edge = MEDIAN_CUT * median(sizes, used);
	for (size_t i = 0; i < n; i++) {
		struct weight x = weight_at(s, i);
		double most = fmax(edge, 2 * fabs(x.half));

		if (!isnan(d[i]))
			d[i] = fmin(fmax(d[i], -most), most);
	}
}

/* The noise of a tensor's weights, and with it what each of them adds to its site. */
static void add(
	struct hf_mark_reading *r, const struct hf_mark_suspect *s, const double *d, size_t n)
{
	double power = 0;
	double mark = 0;
	double noise;
	size_t used = 0;

	for (size_t i = 0; i < n; i++) {
		double half = weight_at(s, i).half;

		if (isnan(d[i]))
			continue;
		used++;
		power += d[i] * d[i];
		mark += half * half;
	}
	if (used == 0)
		return;
	power /= (double)used;
	mark /= (double)used;
	noise = fmax(power - mark / 2, mark * POWER_FLOOR);
	for (size_t i = 0; i < n; i++) {
		double half = weight_at(s, i).half;
		size_t j = s->first_site + i / s->n_s;

		if (isnan(d[i]))
			continue;
		r->sum[j] += half * d[i] / noise;
		r->weight[j] += half * half / noise;
	}
}

hf_err hf_mark_reading_add(struct hf_mark_reading *r, const struct hf_mark_suspect *s)
{
	size_t n = s->n_sites * s->n_s;
	double gain = 1;
	double *d = NULL;
	double *sizes = NULL;
	hf_err e = HF_OK;

	if (s->n_s == 0 || s->first_site > r->n_sites || s->n_sites > r->n_sites - s->first_site ||
		n / s->n_s != s->n_sites)
		return HF_ERR_ARG;
	if (n == 0 || (r->view == HF_MARK_GRID && s->step == NULL))
		return HF_OK;
	d = hf_mem_array(r->mem, n, sizeof(*d));
	sizes = hf_mem_array(r->mem, n, sizeof(*sizes));
	if (d == NULL || sizes == NULL) {
		e = HF_ERR_NO_MEMORY;
		goto out;
	}

	if (r->view == HF_MARK_GAIN)
		gain = gain_of(s, n);
	for (size_t i = 0; i < n; i++) {
		struct weight x = weight_at(s, i);

		d[i] = difference(
			&x, r->view, gain, s->step == NULL ? 0 : fabs((double)s->step[i]));
	}
	if (r->view == HF_MARK_GAIN)
		cut(s, d, sizes, n);
	add(r, s, d, n);
out:
	hf_mem_free(r->mem, d);
	hf_mem_free(r->mem, sizes);
	return e;
}

hf_err hf_mark_reading_done(const struct hf_mark_reading *r, double *y, double *noise)
{
	size_t used = 0;
	double s0;

	for (size_t j = 0; j < r->n_sites; j++)
		if (r->weight[j] > 0)
			y[used++] = 1 / sqrt(r->weight[j]);
	if (used > 0) {
		s0 = fmax(median(y, used), 0.1);
		*noise = r->view == HF_MARK_GAIN ? s0 : fmin(s0, 0.5);
	}
	for (size_t j = 0; j < r->n_sites; j++)
		y[j] = r->weight[j] > 0 ? r->sum[j] / r->weight[j] : (double)NAN;
	return used > 0 ? HF_OK : HF_ERR_NOT_FOUND;
}
