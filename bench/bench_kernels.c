/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every kernel that this processor can run costs a byte, beside the C reference: instructions
 * under an emulator that counts them, else nanoseconds.
 */
/* counted: under qemu-user */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "crypto/modes/ghash_kernel.h"
#include "crypto/sm3/sm3_kernel.h"
#include "crypto/sm4/sm4_kernel.h"
#include "os/cpu.h"
#include "stopwatch.h"

enum {
	LEN = 16384,
	LANES = 16,
	RUNS = 20, /* of which the best counts */
};

/* The text of all rows, and what they need beside. */
struct work {
	uint8_t text[LEN];
	uint8_t iv[LANES][16];
	uint32_t states[LANES * 8];
	struct hf_sm4_key sm4;
	struct hf_gcm_key gcm;
};

static void sm3_one(struct work *w, const struct hf_sm3_kernel *k)
{
	k->compress(w->states, w->text, LEN / HF_SM3_BLOCK_LEN);
}

static void sm3_lanes(struct work *w, const struct hf_sm3_kernel *k)
{
	const uint8_t *in[LANES];

	for (size_t i = 0; i < LANES; i++)
		in[i] = w->text + LEN / LANES * i;
	k->lanes(w->states, in, LANES, LEN / LANES / HF_SM3_BLOCK_LEN);
}

static void sm4_ctr(struct work *w, const struct hf_sm4_kernel *k)
{
	k->ctr32(w->sm4.rk, w->iv[0], w->text, w->text, LEN / HF_SM4_BLOCK_LEN);
}

static void sm4_cbc(struct work *w, const struct hf_sm4_kernel *k)
{
	k->cbc(w->sm4.rk, w->iv[0], w->text, w->text, LEN / HF_SM4_BLOCK_LEN);
}

static void sm4_lanes(struct work *w, const struct hf_sm4_kernel *k)
{
	struct hf_sm4_lane lanes[LANES];

	for (size_t i = 0; i < LANES; i++)
		lanes[i] = (struct hf_sm4_lane){ w->sm4.rk, w->iv[i], w->text + LEN / LANES * i,
			w->text + LEN / LANES * i };
	k->cbc_lanes(lanes, LANES, LEN / LANES / HF_SM4_BLOCK_LEN);
}

static void ghash(struct work *w, const struct hf_ghash_kernel *k)
{
	k->blocks(&w->gcm, w->iv[0], w->text, LEN / 16);
}

/* Instructions or nanoseconds of the best run from before to after, a byte. */
#define BEST(best, call) \
	do { \
		(best) = 0; \
		for (int run_ = 0; run_ < RUNS; run_++) { \
			double from_ = stopwatch(); \
			double took_; \
			call; \
			took_ = (stopwatch() - from_) * 1e6 / LEN; \
			if (run_ == 0 || took_ < (best)) \
				(best) = took_; \
		} \
	} while (0)

static void show(const char *what, const char *kernel, double cost, double reference)
{
	printf("%-14s %-14s %8.2f %8.2f %8.3f\n", what, kernel, cost, reference, cost / reference);
}

static void sm3_rows(struct work *w, uint32_t cpu)
{
	double reference[2];
	const struct hf_sm3_kernel *k;

	BEST(reference[0], sm3_one(w, &hf_sm3_kernel_c));
	BEST(reference[1], sm3_lanes(w, &hf_sm3_kernel_c));
	for (size_t i = 0; (k = hf_sm3_kernel_at(i)) != NULL; i++) {
		double cost;

		if ((k->needs & ~cpu) != 0)
			continue;
		BEST(cost, sm3_one(w, k));
		show("sm3", k->name, cost, reference[0]);
		BEST(cost, sm3_lanes(w, k));
		show("sm3 x 16", k->name, cost, reference[1]);
	}
}

static void sm4_rows(struct work *w, uint32_t cpu)
{
	double reference[3];
	const struct hf_sm4_kernel *k;

	BEST(reference[0], sm4_ctr(w, &hf_sm4_kernel_c));
	BEST(reference[1], sm4_cbc(w, &hf_sm4_kernel_c));
	BEST(reference[2], sm4_lanes(w, &hf_sm4_kernel_c));
	for (size_t i = 0; (k = hf_sm4_kernel_at(i)) != NULL; i++) {
		double cost;

		if ((k->needs & ~cpu) != 0)
			continue;
		BEST(cost, sm4_ctr(w, k));
		show("sm4 ctr", k->name, cost, reference[0]);
		BEST(cost, sm4_cbc(w, k));
		show("sm4 cbc", k->name, cost, reference[1]);
		BEST(cost, sm4_lanes(w, k));
		show("sm4 cbc x 16", k->name, cost, reference[2]);
	}
}

static void ghash_rows(struct work *w, uint32_t cpu)
{
	static const uint8_t h[16] = "0123456789abcdef";
	double reference;
	const struct hf_ghash_kernel *k;

	hf_ghash_kernel_c.init(&w->gcm, h);
	BEST(reference, ghash(w, &hf_ghash_kernel_c));
	for (size_t i = 0; (k = hf_ghash_kernel_at(i)) != NULL; i++) {
		double cost;

		if ((k->needs & ~cpu) != 0)
			continue;
		k->init(&w->gcm, h);
		BEST(cost, ghash(w, k));
		show("ghash", k->name, cost, reference);
	}
}

int main(void)
{
	static struct work w;
	struct hf_errinfo ei = { 0 };
	uint32_t cpu;
	char text[256];

	stopwatch_start();
	if (hf_os_cpu_limit(&cpu, getenv("HUFU_CPU"), &ei) != HF_OK) {
		(void)fprintf(stderr, "bench: HUFU_CPU: %s\n", ei.text);
		return 64;
	}
	hf_os_cpu_text(text, sizeof(text), cpu);
	for (size_t i = 0; i < LEN; i++)
		w.text[i] = (uint8_t)(i * 7 + (i >> 8));
	hf_sm4_init(&w.sm4, w.text + 3);
	printf("processor: %s\n%-29s %8s %8s %8s\n", text,
		stopwatch_counts() ? "instructions a byte" : "nanoseconds a byte", "", "c",
		"ratio");
	sm3_rows(&w, cpu);
	sm4_rows(&w, cpu);
	ghash_rows(&w, cpu);
	return 0;
}
