/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that belong to somebody else: where they start and how many there are. */
#ifndef HF_BASE_BYTES_H
#define HF_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct hf_bytes {
	const uint8_t *p; /* borrowed; may be NULL when len is 0 */
	size_t len;
};

/* For public bytes: the time depends on where they differ. */
static inline bool hf_bytes_eq(struct hf_bytes a, struct hf_bytes b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

/* The characters of a string without its terminator. */
static inline struct hf_bytes hf_bytes_str(const char *s)
{
	return (struct hf_bytes){ (const uint8_t *)s, strlen(s) };
}

#endif
