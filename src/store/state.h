/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A little state that must survive everything and never go back by itself: root version, channel
 * serial, floors, counters. Two files, <path>.a and <path>.b, take turns; each carries a generation
 * and a digest. *Not* guaranteed: who can put both files back to an older pair goes back in time;
 * against that stand the hub's cross-check and a TPM counter.
 */
#ifndef HF_STORE_STATE_H
#define HF_STORE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"

enum {
	HF_STATE_DIGEST_LEN = 32,
	HF_STATE_LEN_MAX = 1 << 20, /* bytes of one state */
};

/* Computes the digest of len bytes; in programs HMAC-SM3 under the device key. */
struct hf_state_mac {
	hf_err (*compute)(
		void *ctx, uint8_t out[HF_STATE_DIGEST_LEN], const uint8_t *bytes, size_t len);
	void *ctx;
};

struct hf_state {
	const struct hf_mem *mem;
	struct hf_state_mac mac;
	uint64_t generation; /* of what is durable; 0: nothing was ever saved */
	unsigned next;       /* the slot that the next save goes to: 0 is .a */
	bool is_recovered;   /* one slot was there and did not verify: torn, or tampered with */
	hf_err failed;       /* sticky */
	char path[1024];
};

/*
 * Opens the state and appends the newest content to out. With no file at all: HF_ERR_NOT_FOUND and
 * an object that may be saved to, with generation 0; the caller knows whether that can be.
 * HF_ERR_AUTH: files are there and none verifies; do not start anew by yourself.
 */
HF_MUST_USE hf_err hf_state_init(struct hf_state *s, const struct hf_mem *mem, const char *path,
	const struct hf_state_mac *mac, struct hf_buf *out, struct hf_errinfo *ei);

/*
 * Makes a new content durable under the next generation. On failure the older content stays the
 * durable one and the object refuses further saves: close, open again, look.
 */
HF_MUST_USE hf_err hf_state_save(
	struct hf_state *s, const void *bytes, size_t len, struct hf_errinfo *ei);

#endif
