/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes of an audit record in the making. What is empty or 0 is left out. */
#ifndef HF_SVC_ATTRS_H
#define HF_SVC_ATTRS_H

#include <stddef.h>
#include <stdint.h>

#include "audit/record.h"
#include "base/err.h"

enum { HF_ATTRS_ROOM = 1024 };

/* Start it with { 0 }. */
struct hf_attrs {
	uint8_t bytes[HF_ATTRS_ROOM];
	size_t len;
	hf_err e; /* sticky. HF_ERR_LIMIT: they do not fit */
};

void hf_attrs_put(struct hf_attrs *a, enum hf_record_attr type, const void *value, size_t len);
void hf_attrs_text(struct hf_attrs *a, enum hf_record_attr type, const char *text); /* NULL too */
void hf_attrs_u64(struct hf_attrs *a, enum hf_record_attr type, uint64_t v);

#endif
