/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages for long-lived keys: never swapped, never in a core dump, not inherited by a fork, between
 * two pages that cannot be touched, and closed to reads and writes between uses if asked.
 */
#ifndef HF_OS_LOCKMEM_H
#define HF_OS_LOCKMEM_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum hf_lockmem_access { HF_LOCKMEM_NONE, HF_LOCKMEM_READ, HF_LOCKMEM_WRITE };

struct hf_lockmem {
	uint8_t *p; /* len bytes, aligned to 16, ending at the upper guard (to 16 bytes) */
	size_t len;
	void *base;   /* of the whole mapping */
	size_t total; /* its length */
};

/*
 * len zero bytes (len > 0), open for writing. HF_ERR_LIMIT: the system does not let this process
 * lock so much memory; the text says what to raise. A key process must not run without.
 */
HF_MUST_USE hf_err hf_lockmem_init(struct hf_lockmem *m, size_t len, struct hf_errinfo *ei);

/* Opens or closes the pages; touching closed ones ends the process. */
HF_MUST_USE hf_err hf_lockmem_access(struct hf_lockmem *m, enum hf_lockmem_access access);

/* Wipes (in any access) and gives back. Accepts { 0 }. */
void hf_lockmem_clear(struct hf_lockmem *m);

#endif
