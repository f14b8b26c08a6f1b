/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parts of bench_crypto: what others do beside the rows of src/bin/hufu/speed.h, a file
 * crypto_<family>.c each, and the figures that ours must reach, by class of processor.
 */
#ifndef HF_BENCH_CRYPTO_H
#define HF_BENCH_CRYPTO_H

#include <stddef.h>
#include <stdint.h>

#include "speed.h"

/* Who stands beside ours. */
enum crypto_side {
	CRYPTO_GCRYPT,
	CRYPTO_OPENSSL,
	CRYPTO_P256, /* openssl again, with P-256 where ours has SM2 */
	CRYPTO_SIDES,
};

/* The classes of processors that figures are set for, best first. */
enum crypto_class {
	CRYPTO_AVX512, /* with GFNI and VPCLMULQDQ */
	CRYPTO_GFNI,   /* AVX2 with GFNI */
	CRYPTO_AVX2,   /* with AES-NI and PCLMULQDQ */
	CRYPTO_SSE,    /* with AES-NI and PCLMULQDQ */
	CRYPTO_C,      /* nothing */
	CRYPTO_CLASSES,
};

/*
 * How others do the work of the rows of this name and length. Whatever the n of a row is, they do
 * one message or operation a call.
 */
struct crypto_peer {
	const char *name;
	size_t len;  /* 0: any */
	size_t same; /* bytes of out that all sides must agree on; CRYPTO_TEXT: the message's */
	hufu_speed_fn *sides[CRYPTO_SIDES]; /* NULL: has it not */
};

#define CRYPTO_TEXT ((size_t)-1)

/*
 * What a row must reach with the kernels of a class: so many GB/s (thousand operations a second)
 * on one core of about 3.6 GHz, where the one beside it had so many. On another processor the same
 * ratio is asked for, measured in the same run.
 */
struct crypto_figure {
	const char *name;
	size_t len;
	size_t n;
	enum crypto_class class;
	double want;
	enum crypto_side beside;
	double had;
};

struct crypto_family {
	void *(*start)(struct hufu_speed *s); /* what s->beside is for its peers; never ended */
	const struct crypto_peer *peers;
	size_t n_peers;
	const struct crypto_figure *figures;
	size_t n_figures;
};

extern const struct crypto_family crypto_sm4;
extern const struct crypto_family crypto_sm3;
extern const struct crypto_family crypto_sm2;

/* The best class that features make up, and the features that are left when a class is forced. */
enum crypto_class crypto_class_of(uint32_t cpu);
uint32_t crypto_class_cpu(enum crypto_class class, uint32_t cpu);
const char *crypto_class_name(enum crypto_class class);

/*
 * Measures ours with the kernels of a lower class. The module chooses its kernels once a process,
 * so each class has a process of its own, started before the module here. Rows are meant by their
 * number in hufu_speed_row_at().
 */
struct crypto_worker {
	int ask;
	int answer;
};

void crypto_worker_start(struct crypto_worker *w, uint32_t cpu);
double crypto_worker_sample(const struct crypto_worker *w, size_t row);

#endif
