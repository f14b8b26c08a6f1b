/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fetching one thing by plain HTTP, for what proves itself: whoever sits on the way sees what is
 * asked for and can withhold or alter it. Bounded in bytes and in time, all told; redirects are not
 * followed (http/get.h).
 */
#ifndef HF_NET_FETCH_H
#define HF_NET_FETCH_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "http/url.h"
#include "net/loop.h"

struct hf_fetch;

struct hf_fetch_config {
	struct hf_loop *loop;
	const struct hf_mem *mem;
	struct hf_url url;
	const char *accept; /* media type */
	size_t body_max;
	uint32_t timeout_ms; /* from the look-up of the name to the last byte */
	/*
	 * Called once, never within hf_fetch_begin(), and the fetch is gone then. Failures as
	 * hf_get_feed(), besides HF_ERR_NET and HF_ERR_TIMEOUT.
	 */
	void (*on_done)(void *ctx, hf_err e, const uint8_t *body, size_t body_len,
		const struct hf_errinfo *why);
	void *ctx;
};

HF_MUST_USE hf_err hf_fetch_begin(
	struct hf_fetch **out, const struct hf_fetch_config *config, struct hf_errinfo *ei);

/* on_done is not called any more. */
void hf_fetch_cancel(struct hf_fetch *f);

#endif
