/* SPDX-License-Identifier: Apache-2.0 */
/* uses: libzstd */
/*
 * usage: bench_package
 *
 * What sealing makes of models, in bytes: untraced safetensors files of normally distributed
 * weights, the same on every machine, sealed by a publisher of a domain that is made for this run.
 * Beside it zstd -3 of the same file. Then releases against the first one: 5 % of the tensors
 * changed, and a dense fine-tune: every master weight moved by at most 2^-9 of itself, and rounded
 * anew. Exits 1 if a figure misses its goal.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zstd.h>

#include "base/endian.h"
#include "bench.h"
#include "os/dir.h"
#include "os/heap.h"
#include "svc/domain.h"
#include "svc/seal.h"

enum {
	TENSORS = 80,
	WEIGHTS = 512 << 10, /* of a tensor */
	CHANGED = 20,        /* one of so many tensors: 5 % */
	SHARES = 3,
	DAY_S = 86400,
};

enum type { BF16, F16, F32, TYPES };

static const struct {
	const char *name;
	size_t width;
} types[TYPES] = { { "BF16", 2 }, { "F16", 2 }, { "F32", 4 } };

struct model {
	enum type type;
	float *weights; /* TENSORS x WEIGHTS masters */
	uint8_t *file;
	size_t len;
	size_t head_len;
};

static char dir[] = "/tmp/hufu-bench-XXXXXX";
static bool has_missed;

/* splitmix64 */
static uint64_t next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static double uniform(uint64_t *state)
{
	return ((double)(next(state) >> 11) + 0.5) / 9007199254740992.0;
}

/* Layers differ in their width, as those of real models do. */
static void draw(struct model *m, size_t tensor, uint64_t seed)
{
	uint64_t state = seed * 1000 + tensor;
	double sigma = 0.01 + 0.03 * uniform(&state);
	float *w = m->weights + tensor * WEIGHTS;

	for (size_t i = 0; i < WEIGHTS; i += 2) {
		double r = sigma * sqrt(-2 * log(uniform(&state)));
		double a = 6.283185307179586 * uniform(&state);

		w[i] = (float)(r * cos(a));
		w[i + 1] = (float)(r * sin(a));
	}
}

static void move(struct model *m, uint64_t seed)
{
	uint64_t state = seed;

	for (size_t i = 0; i < (size_t)TENSORS * WEIGHTS; i++)
		m->weights[i] *= (float)(1 + (2 * uniform(&state) - 1) / 512);
}

static uint32_t bits_of(float f)
{
	uint32_t b;

	memcpy(&b, &f, sizeof(b));
	return b;
}

static uint16_t to_bf16(float f)
{
	uint32_t b = bits_of(f);

	return (uint16_t)((b + 0x7fff + (b >> 16 & 1)) >> 16);
}

/* For weights: below the smallest normal number it is zero. */
static uint16_t to_f16(float f)
{
	uint32_t b = bits_of(f) + 0xfff + (bits_of(f) >> 13 & 1);
	uint32_t exponent = b >> 23 & 255;

	if (exponent < 113)
		return (uint16_t)(b >> 16 & 0x8000);
	return (uint16_t)((b >> 16 & 0x8000) | (exponent - 112) << 10 | (b >> 13 & 0x3ff));
}

static void emit(struct model *m)
{
	size_t width = types[m->type].width;
	uint8_t *out = m->file + 8 + m->head_len;

	for (size_t i = 0; i < (size_t)TENSORS * WEIGHTS; i++, out += width) {
		uint32_t b = m->type == F32    ? bits_of(m->weights[i])
			     : m->type == BF16 ? to_bf16(m->weights[i])
					       : to_f16(m->weights[i]);

		for (size_t k = 0; k < width; k++)
			out[k] = (uint8_t)(b >> (8 * k));
	}
}

static void model_init(struct model *m, enum type type)
{
	size_t tensor_len = WEIGHTS * types[type].width;
	size_t cap = (size_t)TENSORS * 128;

	memset(m, 0, sizeof(*m));
	m->type = type;
	m->weights = malloc((size_t)TENSORS * WEIGHTS * sizeof(float));
	m->file = malloc(8 + cap + TENSORS * tensor_len);
	bench_need(m->weights != NULL && m->file != NULL, "memory for a model");
	for (size_t i = 0; i < TENSORS; i++)
		m->head_len +=
			(size_t)snprintf((char *)m->file + 8 + m->head_len, cap - m->head_len,
				"%c\"layer.%zu\":{\"dtype\":\"%s\",\"shape\":[%d],\"data_offsets\":"
				"[%zu,%zu]}",
				i == 0 ? '{' : ',', i, types[type].name, WEIGHTS, i * tensor_len,
				(i + 1) * tensor_len);
	m->head_len += (size_t)snprintf((char *)m->file + 8 + m->head_len, cap - m->head_len, "}");
	hf_put_le64(m->file, m->head_len);
	m->len = 8 + m->head_len + TENSORS * tensor_len;
	for (size_t i = 0; i < TENSORS; i++)
		draw(m, i, 1);
	emit(m);
}

static void model_clear(struct model *m)
{
	free(m->weights);
	free(m->file);
}

static double now_s(void)
{
	struct timespec t;

	bench_need(clock_gettime(CLOCK_MONOTONIC, &t) == 0, "reading the clock");
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void path_of(char out[HF_PATH_MAX], const char *name)
{
	bench_need(hf_path_join(out, dir, name, NULL) == HF_OK, "a path");
}

static void save(const struct model *m)
{
	char path[HF_PATH_MAX];
	FILE *f;

	path_of(path, "w.safetensors");
	f = fopen(path, "we");
	bench_need(f != NULL && fwrite(m->file, 1, m->len, f) == m->len && fclose(f) == 0,
		"writing a model");
}

static size_t zstd_len(const struct model *m)
{
	size_t cap = ZSTD_compressBound(m->len);
	void *out = malloc(cap);
	size_t n;

	bench_need(out != NULL, "memory for zstd");
	n = ZSTD_compress(out, cap, m->file, m->len, 3);
	bench_need(!ZSTD_isError(n), "zstd");
	free(out);
	return n;
}

/* Seals what was saved last as a release of a lineage; base: an earlier bundle of it, or NULL. */
static void seal(const struct hf_env *env, const char *lineage, uint64_t release, const char *base,
	struct hf_seal_result *r)
{
	char publisher[HF_PATH_MAX];
	char file[HF_PATH_MAX];
	char out[HF_PATH_MAX];
	char earlier[HF_PATH_MAX];
	char name[64];
	const char *parties[] = { publisher };
	const char *files[] = { file };
	const char *bases[] = { earlier };
	struct hf_errinfo ei = { .code = HF_OK };
	const struct hf_seal_spec spec = { .parties = parties,
		.n_parties = 1,
		.files = files,
		.n_files = 1,
		.out = out,
		.lineage = lineage,
		.version = "",
		.epoch = 1,
		.release = release,
		.level = HF_L1,
		.life_s = 30 * DAY_S,
		.bases = bases,
		.n_bases = base == NULL ? 0 : 1 };

	path_of(publisher, "domain/publisher");
	path_of(file, "w.safetensors");
	(void)snprintf(name, sizeof(name), "%s.%u.hufu", lineage, (unsigned)release);
	path_of(out, name);
	if (base != NULL)
		path_of(earlier, base);
	memset(r, 0, sizeof(*r));
	if (hf_seal(env, &spec, r, &ei) != HF_OK)
		bench_fail(ei.text);
}

static void print(const char *what, uint64_t part, uint64_t whole, double goal, double zstd)
{
	double percent = 100.0 * (double)part / (double)whole;
	bool is_good = goal == 0 || percent <= goal;

	printf("%-44s %8.1f MiB  %6.2f %%", what, (double)part / 1048576, percent);
	if (goal != 0)
		printf("  (goal: at most %2.0f %%)%s", goal, is_good ? "" : "  MISSED");
	if (zstd != 0)
		printf("  zstd -3: %.2f %%", zstd);
	printf("\n");
	has_missed = has_missed || !is_good;
}

static void bench_whole(const struct hf_env *env, enum type type, double goal)
{
	struct hf_seal_result r;
	struct model m;
	char what[64];
	double start;

	model_init(&m, type);
	save(&m);
	start = now_s();
	seal(env, types[type].name, 1, NULL, &r);
	start = now_s() - start;
	(void)snprintf(what, sizeof(what), "%s weights, sealed (%.0f MiB/s)", types[type].name,
		(double)m.len / 1048576 / start);
	print(what, r.sealed_len, m.len, goal, 100.0 * (double)zstd_len(&m) / (double)m.len);
	model_clear(&m);
}

/* The releases after one of bf16, which bench_whole() has sealed. */
static void bench_increments(const struct hf_env *env)
{
	struct hf_seal_result r;
	struct model m;
	uint64_t first;

	model_init(&m, BF16);
	save(&m);
	seal(env, "first", 1, NULL, &r);
	first = r.totals.new_len;
	for (size_t i = 0; i < TENSORS; i += CHANGED)
		draw(&m, i, 2);
	emit(&m);
	save(&m);
	seal(env, "first", 2, "first.1.hufu", &r);
	print("BF16, 5 % of the tensors changed: to fetch", r.totals.new_len, first, 6, 0);
	for (size_t i = 0; i < TENSORS; i++)
		draw(&m, i, 1);
	move(&m, 7);
	emit(&m);
	save(&m);
	seal(env, "first", 3, "first.1.hufu", &r);
	print("BF16, all weights moved by <= 2^-9: to fetch", r.totals.new_len, m.len, 60,
		100.0 * (double)zstd_len(&m) / (double)m.len);
	print("  the same, of the first release", r.totals.new_len, first, 0, 0);
	move(&m, 8);
	move(&m, 9);
	move(&m, 10);
	emit(&m);
	save(&m);
	seal(env, "first", 4, "first.1.hufu", &r);
	print("BF16, moved four times: to fetch", r.totals.new_len, m.len, 0, 0);
	model_clear(&m);
}

int main(void)
{
	static struct hf_share shares[SHARES];
	char path[HF_PATH_MAX];
	struct hf_errinfo ei = { .code = HF_OK };
	const struct hf_domain_spec spec = { .dir = path,
		.name = "bench",
		.hub = "hub-1",
		.n_publishers = 1,
		.threshold = 2,
		.n_shares = SHARES,
		.level = HF_L1 };
	struct hf_env env;

	bench_start(bench_cpu());
	bench_need(mkdtemp(dir) != NULL, "a folder in /tmp");
	path_of(path, "domain");
	bench_need(hf_env_init(&env, 2, &ei) == HF_OK, "an environment");
	if (hf_domain_init(&env, &spec, shares, &ei) != HF_OK)
		bench_fail(ei.text);
	printf("packages of %d tensors, sizes against the file\n", TENSORS);
	bench_whole(&env, BF16, 70);
	bench_whole(&env, F16, 0);
	bench_whole(&env, F32, 86);
	bench_increments(&env);
	hf_env_clear(&env);
	(void)!hf_dir_delete_all(hf_os_mem(), dir, NULL);
	return has_missed ? 1 : 0;
}
