/* SPDX-License-Identifier: Apache-2.0 */
/* SIGTERM and SIGINT as an event of a loop. */
#ifndef HF_BIN_HUFUD_STOP_H
#define HF_BIN_HUFUD_STOP_H

#include "base/err.h"
#include "net/loop.h"

struct hufud_stop {
	uv_poll_t poll;
	int fd;
	void (*on_stop)(void *ctx);
	void *ctx;
};

/* From now on both signals call on_stop, nothing else. The loop's handles end with the loop. */
HF_MUST_USE hf_err hufud_stop_init(struct hufud_stop *s, struct hf_loop *loop,
	void (*on_stop)(void *ctx), void *ctx, struct hf_errinfo *ei);

#endif
