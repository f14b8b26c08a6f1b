/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which chunks of one transfer are safely on disk, remembered across kill -9 and power cuts. A set
 * bit is a promise: the data was synced before. A lost bit costs one chunk fetched again.
 */
#ifndef HF_STORE_RESUME_H
#define HF_STORE_RESUME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"

enum {
	HF_RESUME_KEY_LEN = 32,      /* bytes: digest over everything that fixes the layout */
	HF_RESUME_BITS_MAX = 1 << 26 /* 64 TiB in chunks of 1 MiB */
};

struct hf_resume;

/*
 * Opens the bitmap at path. What is there for another key or another number of bits, or with
 * is_fresh (the data begins anew), is forgotten, durably, before this returns.
 */
HF_MUST_USE hf_err hf_resume_new(struct hf_resume **r, const struct hf_mem *mem, const char *path,
	const uint8_t key[HF_RESUME_KEY_LEN], uint64_t n_bits, bool is_fresh,
	struct hf_errinfo *ei);

/* Closes; what was marked and not committed is lost. Accepts NULL. */
void hf_resume_free(struct hf_resume *r);

/* True once marked. */
bool hf_resume_has(const struct hf_resume *r, uint64_t i);

/* Bits that are set. */
uint64_t hf_resume_count(const struct hf_resume *r);

/* The first bit at or after from that is not set; n_bits if there is none. */
uint64_t hf_resume_missing(const struct hf_resume *r, uint64_t from);

/* The data of chunk i has been written (not: synced). HF_ERR_ARG: no such bit. */
HF_MUST_USE hf_err hf_resume_mark(struct hf_resume *r, uint64_t i);

/*
 * Makes all marks durable: syncs the n_fds data files (all that were written since the last
 * commit), then writes the bits, then syncs them. On failure the marks since the last commit are
 * taken back, and every further commit fails alike: close data and bitmap, open both again.
 */
HF_MUST_USE hf_err hf_resume_commit(
	struct hf_resume *r, const int *data_fds, size_t n_fds, struct hf_errinfo *ei);

/* Deletes the file at path once the transfer is done. A missing file is HF_OK. */
HF_MUST_USE hf_err hf_resume_delete(const char *path, struct hf_errinfo *ei);

#endif
