/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One case of a vector file while it is being checked. A runner takes the fields it needs,
 * computes, and compares with every field that it can; what is found first is the outcome. It
 * passes if something was compared and nothing was wrong. It fails, too, if a field that it cannot
 * do without is missing or is not as the algorithm wants it; it is skipped, with the reason, if
 * something is asked for that this version does not have.
 */
#ifndef HF_BIN_HUFU_VEC_RUN_H
#define HF_BIN_HUFU_VEC_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "crypto/sm2.h"
#include "crypto/sm4.h"
#include "vec_file.h"

enum vec_outcome {
	VEC_OPEN, /* nothing found yet */
	VEC_PASSED,
	VEC_FAILED,
	VEC_SKIPPED,
};

enum {
	VEC_ROOMS_MAX = 32, /* buffers of one case */
	VEC_WHY_MAX = 240,  /* bytes of an explanation with its terminator */
};

struct vec_alg;

struct vec_run {
	const struct vec_file *file;
	const struct vec_alg *alg; /* which row of the table runs it */
	const struct vec_case *c;
	enum vec_outcome outcome;
	unsigned n_compared;
	bool is_judged;        /* the runner itself has held ResultText against what was done */
	bool is_refuted;       /* what failed is what the case says, not how it is written */
	char why[VEC_WHY_MAX]; /* what failed, or why it was skipped */
	void *room[VEC_ROOMS_MAX];
	size_t n_rooms;
};

void vec_run_init(struct vec_run *r, const struct vec_file *file, const struct vec_alg *alg);

/*
 * Frees the buffers and settles the outcome, which is VEC_OPEN no longer. Where the runner gave no
 * verdict, a case that says invalid passes if something in it was refused or came out otherwise.
 */
void vec_run_end(struct vec_run *r);

/* Records a failure, or that the case cannot be checked, unless something was found before. */
void vec_fail(struct vec_run *r, const char *fmt, ...) HF_PRINTF(2, 3);
void vec_skip(struct vec_run *r, const char *fmt, ...) HF_PRINTF(2, 3);

static inline bool vec_is_open(const struct vec_run *r)
{
	return r->outcome == VEC_OPEN;
}

bool vec_has(const struct vec_run *r, const char *name);

/* Bytes of a field. _need: the case fails if it is missing; _want: empty if it is missing. */
struct hf_bytes vec_need(struct vec_run *r, const char *name);
struct hf_bytes vec_want(const struct vec_run *r, const char *name);

/* A text, or NULL. Text of a field that is missing or no text is NULL. */
const char *vec_text(const struct vec_run *r, const char *name);
bool vec_text_is(const struct vec_run *r, const char *name, const char *text);

/* A number, fallback if it is missing; above max the case is skipped. */
uint64_t vec_number(struct vec_run *r, const char *name, uint64_t fallback, uint64_t max);

/* A buffer of exactly len bytes that lives as long as the run; NULL: no memory (then it failed). */
uint8_t *vec_room(struct vec_run *r, size_t len);

/* Compares with a field, if the case has it. */
void vec_expect(struct vec_run *r, const char *name, const uint8_t *got, size_t len);

/* Fails unless e is HF_OK; what was done stands in the text. True if it is. */
bool vec_ok(struct vec_run *r, const char *what, hf_err e);

/* Counts a comparison that is not with the bytes of a field; fails, with what, unless it holds. */
void vec_check(struct vec_run *r, bool holds, const char *what);

/*
 * ResultText: the case says that a verifier must accept (also if it says nothing), must refuse, or
 * may do as it likes. vec_verdict() holds it against what was done; what names the operation.
 */
bool vec_must_accept(const struct vec_run *r);
void vec_verdict(struct vec_run *r, const char *what, bool accepted);

/* True if a field has this length; else the case counts as refused, and the runner returns. */
bool vec_has_len(struct vec_run *r, const char *name, struct hf_bytes b, size_t len);

/*
 * A field as an unsigned number of len bytes: leading zero bytes may be missing or superfluous.
 * False: missing or larger.
 */
bool vec_big(const struct vec_run *r, const char *name, uint8_t *out, size_t len);

/* A generator that gives the bytes of one field, once, for a signature or an encryption. */
struct vec_nonce {
	uint8_t b[HF_SM2_LEN];
	bool is_used;
};
struct hf_rng vec_nonce_rng(struct vec_nonce *n);

/* An SM4 key; false: the case is settled. */
bool vec_sm4_key(struct vec_run *r, const char *name, uint8_t key[HF_SM4_KEY_LEN]);

/* The runners; vec_table.c says which algorithm each belongs to. */
void vec_run_sm3(struct vec_run *r);
void vec_run_hmac(struct vec_run *r);
void vec_run_sm2_kdf(struct vec_run *r);
void vec_run_hkdf(struct vec_run *r);
void vec_run_expand_label(struct vec_run *r);
void vec_run_pbkdf2(struct vec_run *r);
void vec_run_tlcp_prf(struct vec_run *r);
void vec_run_drbg(struct vec_run *r);
void vec_run_sm4_ecb(struct vec_run *r);
void vec_run_sm4_mode(struct vec_run *r);
void vec_run_sm4_hctr(struct vec_run *r);
void vec_run_sm4_mac(struct vec_run *r);
void vec_run_sm4_gmac(struct vec_run *r);
void vec_run_sm4_drbg(struct vec_run *r);
void vec_run_sm4_xts(struct vec_run *r);
void vec_run_sm4_gcm(struct vec_run *r);
void vec_run_sm4_ccm(struct vec_run *r);
void vec_run_sm2_curve(struct vec_run *r);
void vec_run_sm2_sign(struct vec_run *r);
void vec_run_sm2_enc(struct vec_run *r);
void vec_run_sm2_kex(struct vec_run *r);
void vec_run_key_file(struct vec_run *r);
void vec_run_test_key(struct vec_run *r);
void vec_run_tls13(struct vec_run *r);
void vec_run_tlcp(struct vec_run *r);
void vec_run_random(struct vec_run *r);

/* An algorithm that vector files name. */
struct vec_alg {
	const char *name; /* as it is printed */
	const char
		*called; /* values of AlgText or ModeText that mean it, parted by blanks, or NULL */
	const char *fields; /* what a case of it has, parted by blanks */
	const char *word;   /* tells it from others with these fields, in file name or comments */
	void (*run)(struct vec_run *r);
	const char *why; /* instead of run: why this version skips it */
};

/* Whether a case that names the algorithm lacks a field that all cases of it have. */
bool vec_alg_lacks(const struct vec_alg *a, const struct vec_case *c);

/* The algorithm of the case that was read last. Never NULL: the last row of the table is "none". */
const struct vec_alg *vec_alg_of(const struct vec_file *f);
const struct vec_alg *vec_alg_table(size_t *n);

#endif
