/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One audit record, schema version 1: 96 fixed bytes, then attributes as type-length-value
 * (docs/formats/audit-log.md). No plaintext, no key bytes, no free text: codes with parameters.
 */
#ifndef HF_AUDIT_RECORD_H
#define HF_AUDIT_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum {
	HF_RECORD_FIXED_LEN = 96,
	HF_RECORD_MAX = 4096, /* bytes of a whole record */
	HF_RECORD_ATTRS_MAX = 16,
};

#define HF_RECORD_CLOCK_UNKNOWN UINT32_MAX

enum hf_record_result {
	HF_RESULT_OK = 0,
	HF_RESULT_FAIL = 1,
	HF_RESULT_DENIED = 2,
	HF_RESULT_ERROR = 3,
	HF_RESULT_PARTIAL = 4,
};

enum hf_record_attr {
	HF_ATTR_KEY = 1,           /* key id and version */
	HF_ATTR_PEER = 2,          /* peer id, text */
	HF_ATTR_PEER_CERT = 3,     /* SM3 of the peer's certificate */
	HF_ATTR_SOURCE = 4,        /* endpoint, text */
	HF_ATTR_DESTINATION = 5,   /* endpoint, text */
	HF_ATTR_COUNT_OK = 6,      /* u64 */
	HF_ATTR_COUNT_FAIL = 7,    /* u64 */
	HF_ATTR_BYTES = 8,         /* u64 */
	HF_ATTR_MODEL = 13,        /* lineage, text */
	HF_ATTR_RELEASE = 14,      /* u64 */
	HF_ATTR_MANIFEST = 15,     /* SM3 */
	HF_ATTR_BUSINESS_REF = 17, /* text */
	HF_ATTR_RULE = 18,         /* policy row or rule, text */
	HF_ATTR_CODE = 20,         /* reason as a code with parameters, text */
	HF_ATTR_DURATION_US = 22,  /* u64 */
	HF_ATTR_CONTEXT = 23,      /* SM3 of the additional data */
	HF_ATTR_NAME = 32,         /* in a 'D' record: the name that its number stands for */
};

struct hf_audit_attr {
	uint16_t type; /* enum hf_record_attr, or one this version does not know */
	const uint8_t *value;
	size_t value_len;
};

struct hf_audit_record {
	char class_id; /* 'S', 'A', 'B', 'D' (dictionary), 'H' (heartbeat) */
	uint16_t event;
	uint8_t result;
	uint8_t severity;
	uint64_t seq;     /* contiguous in a log */
	uint64_t time_ns; /* UTC since 1970 */
	uint64_t boot_ns; /* since boot */
	uint32_t clock_error_us;
	uint16_t boot_no;
	uint8_t level;
	uint8_t tier;
	uint64_t hlc; /* hybrid logical clock: 48 bits ms, 16 bits counter */
	uint8_t trace_id[16];
	uint8_t span_id[8];
	uint64_t session_id;
	uint32_t actor;   /* dictionary number; 0: none. In a 'D' record: the number it defines */
	uint32_t subject; /* likewise */
	uint32_t alg;     /* GM/T 0006 identifier, or 0 */
	uint32_t reason;  /* hf_err, or 0 */
	const uint8_t *attrs; /* the attributes as they lie in the record; borrowed */
	size_t attrs_len;
};

/* Writes the record to out. HF_ERR_LIMIT: longer than cap or HF_RECORD_MAX. */
HF_MUST_USE hf_err hf_audit_record_emit(
	uint8_t *out, size_t cap, size_t *len, const struct hf_audit_record *r);

/* Reads exactly one record. Attributes are walked once, so that a parsed record is a good one. */
HF_MUST_USE hf_err hf_audit_record_parse(
	struct hf_audit_record *r, const uint8_t *in, size_t in_len);

/* Takes the attribute at *at and moves on. HF_ERR_NOT_FOUND: that was the last one. */
HF_MUST_USE hf_err hf_audit_attr_next(
	struct hf_audit_attr *a, const struct hf_audit_record *r, size_t *at);

/* Appends one attribute to attrs (room cap). HF_ERR_LIMIT: it does not fit. */
HF_MUST_USE hf_err hf_audit_attr_put(
	uint8_t *attrs, size_t cap, size_t *len, const struct hf_audit_attr *a);

/*
 * The record as one line of JSON, appended to out, with a newline. actor and subject are the names
 * behind the numbers, or NULL. Attribute texts are escaped; unknown attributes come as hex.
 */
HF_MUST_USE hf_err hf_audit_record_json(struct hf_buf *out, const struct hf_audit_record *r,
	const char *log_id, const char *actor, const char *subject);

#endif
