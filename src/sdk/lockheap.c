/* SPDX-License-Identifier: Apache-2.0 */
#include "sdk/lockheap.h"

#include <stdint.h>
#include <string.h>

#include "base/checked.h"
#include "os/lockmem.h"

enum { HEAD_LEN = 64 }; /* in front of each allocation: what it takes to give it back */

_Static_assert(sizeof(struct hf_lockmem) <= HEAD_LEN, "the head has room for it");

static void *lock_get(void *ctx, size_t len)
{
	struct hf_lockheap *h = ctx;
	struct hf_lockmem m;
	size_t total = 0;

	if (hf_add_size(&total, len, HEAD_LEN) != HF_OK ||
		hf_lockmem_init(&m, total, &h->why) != HF_OK)
		return NULL;
	memcpy(m.p, &m, sizeof(m));
	return m.p + HEAD_LEN;
}

static void lock_put(void *ctx, void *p)
{
	struct hf_lockmem m;

	(void)ctx;
	if (p == NULL)
		return;
	memcpy(&m, (uint8_t *)p - HEAD_LEN, sizeof(m));
	hf_lockmem_clear(&m);
}

void hf_lockheap_init(struct hf_lockheap *h)
{
	*h = (struct hf_lockheap){ .mem = { lock_get, lock_put, h } };
}
