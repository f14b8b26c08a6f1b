/* SPDX-License-Identifier: Apache-2.0 */
#include "wmark/mark_sites.h"

#include <math.h>
#include <string.h>

#include "base/endian.h"
#include "wmark/mark_keys.h"

enum {
	SMALL = 2 << 20, /* weights; below, the code is shorter */
	TINY = 400000,
	LEAST = 80000,
	WEIGHTS_MIN = 4800, /* 2048 sites of 2 weights are 86 % of them */
	SHARE = 10,         /* one weight of so many lies in a site */
};

size_t hf_mark_type_len(enum hf_mark_type type)
{
	return type == HF_MARK_F32 ? 4 : 2;
}

static float of_bits(uint32_t u)
{
	float f;

	memcpy(&f, &u, sizeof(f));
	return f;
}

static uint32_t bits_of(float f)
{
	uint32_t u;

	memcpy(&u, &f, sizeof(u));
	return u;
}

/* Exact: every half is a float. */
static float of_half(uint16_t h)
{
	uint32_t sign = (uint32_t)(h & 0x8000) << 16;
	uint32_t exponent = h >> 10 & 0x1f;
	uint32_t fraction = h & 0x3ff;
	float small;

	if (exponent == 31)
		return of_bits(sign | 0x7f800000 | fraction << 13);
	if (exponent != 0)
		return of_bits(sign | (exponent + 112) << 23 | fraction << 13);
	small = (float)fraction * 0x1p-24f;
	return sign != 0 ? -small : small;
}

static uint16_t half_of(float f)
{
	uint32_t u = bits_of(f);
	uint16_t sign = (uint16_t)(u >> 16 & 0x8000);
	uint32_t size = u & 0x7fffffff;

	if (size > 0x7f800000)
		return sign | 0x7e00;
	if (size >= 0x477ff000) /* 65520 and more round to infinity */
		return sign | 0x7c00;
	if (size < 0x38800000) /* below 2^-14: in units of 2^-24, rounded by the addition */
		return (uint16_t)(sign | (bits_of(of_bits(size) + 0.5f) - bits_of(0.5f)));
	size += 0xfff + (size >> 13 & 1);
	return (uint16_t)(sign | (size - 0x38000000) >> 13);
}

static uint16_t bfloat_of(float f)
{
	uint32_t u = bits_of(f);

	if ((u & 0x7fffffff) > 0x7f800000)
		return (uint16_t)(u >> 16 | 0x40);
	return (uint16_t)((u + 0x7fff + (u >> 16 & 1)) >> 16);
}

float hf_mark_load(enum hf_mark_type type, const uint8_t *p)
{
	uint16_t h;

	if (type == HF_MARK_F32)
		return of_bits(hf_get_le32(p));
	h = (uint16_t)(p[0] | p[1] << 8);
	return type == HF_MARK_F16 ? of_half(h) : of_bits((uint32_t)h << 16);
}

void hf_mark_store(enum hf_mark_type type, uint8_t *p, float x)
{
	uint32_t u = type == HF_MARK_F32   ? bits_of(x)
		     : type == HF_MARK_F16 ? half_of(x)
					   : bfloat_of(x);

	for (size_t i = 0; i < hf_mark_type_len(type); i++)
		p[i] = (uint8_t)(u >> (8 * i));
}

/* alpha = 1/16 where a tenth of the weights is marked; more of them carry less each, and 1/24 is
 * the least. */
hf_err hf_mark_params_choose(struct hf_mark_params *p, uint64_t n_weights)
{
	struct hf_mark_params v = { 0 };
	uint64_t n_s;
	double share;

	if (n_weights < WEIGHTS_MIN)
		return HF_ERR_LIMIT;
	v.n_sites = n_weights >= SMALL - SMALL / 16 ? 8192 : n_weights >= TINY ? 4096 : 2048;
	n_s = n_weights / SHARE / v.n_sites;
	if (n_weights >= LEAST && n_s < 4)
		n_s = 4;
	n_s = n_s < 2 ? 2 : n_s > HF_MARK_BLOCK_MAX ? HF_MARK_BLOCK_MAX : n_s;
	v.n_s = (uint32_t)n_s;
	share = (double)v.n_sites * v.n_s / (double)n_weights;
	v.alpha = HF_MARK_ALPHA_ONE / 16;
	if (share > 1.0 / SHARE)
		v.alpha = (uint32_t)(v.alpha * sqrt(1 / (SHARE * share)));
	if (v.alpha < HF_MARK_ALPHA_ONE / 24)
		v.alpha = HF_MARK_ALPHA_ONE / 24;
	v.rate = ((uint64_t)v.n_sites << 32) / (n_weights / n_s);
	*p = v;
	return HF_OK;
}

uint64_t hf_mark_n_sites(const struct hf_mark_params *p, uint64_t n_weights, const uint8_t bytes[4])
{
	uint64_t blocks = n_weights / p->n_s;
	/* rate is at most 2^32: in two halves nothing overflows */
	uint64_t low = (blocks & UINT32_MAX) * p->rate;
	uint64_t sites = (blocks >> 32) * p->rate + (low >> 32) +
			 (((low & UINT32_MAX) + hf_get_be32(bytes)) >> 32);

	if (n_weights < HF_MARK_WEIGHTS_MIN)
		return 0;
	return sites < blocks ? sites : blocks;
}

hf_err hf_mark_positions(
	uint64_t *first, const uint8_t *bytes, size_t n_sites, uint64_t n_weights, uint32_t n_s)
{
	uint64_t blocks = n_s == 0 ? 0 : n_weights / n_s;

	if (n_s == 0 || n_sites > HF_MARK_SITES_MAX || blocks < n_sites || blocks > UINT32_MAX)
		return HF_ERR_ARG;
	for (size_t j = 0; j < n_sites; j++) {
		uint64_t low = j * blocks / n_sites;
		uint64_t high = (j + 1) * blocks / n_sites;

		first[j] = (low + (hf_get_be32(bytes + 4 * j) * (high - low) >> 32)) * n_s;
	}
	return HF_OK;
}

float hf_mark_rms(enum hf_mark_type type, const uint8_t *row, size_t n)
{
	size_t len = hf_mark_type_len(type);
	double sum = 0;

	for (size_t i = 0; i < n; i++) {
		double w = hf_mark_load(type, row + i * len);

		sum += w * w;
	}
	return n == 0 ? 0 : (float)sqrt(sum / (double)n);
}

void hf_mark_variant(uint8_t *out, const struct hf_mark_site *s, unsigned v)
{
	size_t len = hf_mark_type_len(s->type);
	float alpha = (float)s->alpha / HF_MARK_ALPHA_ONE;

	for (uint32_t i = 0; i < s->n; i++) {
		uint8_t old[4];
		uint64_t chip = s->first_chip + i;
		float rms = s->row_rms[(s->first + i) / s->cols];
		float w;
		float a;

		memcpy(old, s->weights + i * len, len);
		w = hf_mark_load(s->type, old);
		a = alpha * (0.5f * rms + 0.5f * fabsf(w));
		if ((s->chips[chip >> 3] >> (chip & 7) & 1) == v)
			a = -a;
		/* chip 0 is +1: variant 1 adds, variant 0 takes away */
		memcpy(out + i * len, old, len);
		hf_mark_store(s->type, old, w + a);
		if (w != 0 && isfinite(w) && isfinite(hf_mark_load(s->type, old)))
			memcpy(out + i * len, old, len);
	}
}
