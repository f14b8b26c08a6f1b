/* SPDX-License-Identifier: Apache-2.0 */
/* What the links of a loop share inside this folder. */
#ifndef HF_NET_LOOP_INNER_H
#define HF_NET_LOOP_INNER_H

#include "net/loop.h"

enum { LOOP_SCRATCH = 64 * 1024 };

struct hf_loop {
	const struct hf_mem *mem;
	uv_loop_t uv;
	/* Every read of every link goes here and is dealt with at once: idle links hold no buffer.
	 */
	uint8_t scratch[LOOP_SCRATCH];
};

#endif
