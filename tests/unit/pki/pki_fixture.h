/* SPDX-License-Identifier: Apache-2.0 */
/* A small public-key infrastructure for tests: keys from a seed, certificates at a fixed time. */
#ifndef HF_TEST_PKI_FIXTURE_H
#define HF_TEST_PKI_FIXTURE_H

#include "test.h"

#include <stdio.h>

#include "base/buf.h"
#include "crypto/module.h"
#include "pki/cert.h"
#include "pki/crl.h"
#include "pki/csr.h"
#include "pki/name.h"
#include "pki/signer.h"

#define NOW_S UINT64_C(1790000000) /* in September 2026 */

enum { DAY_S = 86400, FILE_ROOM = 32768 };

/* A party: key, name, and its certificate once it has one. Lives as long as the test program. */
struct party {
	struct hf_sm2_key key;
	struct hf_local_key local;
	struct hf_signer signer;
	struct hf_decrypter decrypter;
	uint8_t name[256];
	struct hf_bytes subject;
	struct hf_cert cert;
};

static struct test_rng fixture_state = { .state = 4711 };

/* Kept until the program ends, since local keys point to it. */
static struct hf_rng fixture_rng;

static inline void party_init(struct party *p, const char *cn)
{
	struct hf_writer w = { .p = p->name, .cap = sizeof(p->name) };

	if (fixture_rng.fill == NULL) {
		assert_ok(hf_module_start(0));
		fixture_rng = test_rng(&fixture_state, 4711);
	}
	assert_ok(hf_sm2_key_new(&p->key, &fixture_rng));
	p->local = (struct hf_local_key){ &p->key, &fixture_rng };
	p->signer = hf_signer_local(&p->local);
	p->decrypter = hf_decrypter_local(&p->local);
	hf_name_emit(&w, "CN", "Example", cn);
	assert_ok(hf_wr_done(&w));
	p->subject = (struct hf_bytes){ p->name, w.len };
}

/* What a certificate of p, issued by issuer, usually says. */
static inline struct hf_cert_spec party_spec(const struct party *p, const struct party *issuer)
{
	static const uint8_t serial[] = { 0x91, 2, 3, 4 };

	return (struct hf_cert_spec){ .serial = serial,
		.serial_len = sizeof(serial),
		.issuer = issuer->subject,
		.subject = p->subject,
		.not_before_s = NOW_S - DAY_S,
		.not_after_s = NOW_S + DAY_S,
		.key = p->key.pub,
		.key_usage = HF_KU_SIGN };
}

static inline struct hf_cert_spec ca_spec(const struct party *p, const struct party *issuer)
{
	struct hf_cert_spec spec = party_spec(p, issuer);

	spec.is_ca = true;
	spec.key_usage = HF_KU_CA;
	return spec;
}

/* Issues it and gives it to p (which loses its old one). */
static inline void party_issue(
	struct party *p, const struct hf_cert_spec *spec, const struct party *issuer)
{
	struct hf_errinfo ei = { 0 };
	struct hf_buf der;

	hf_buf_init(&der, &test_mem, HF_CERT_DER_MAX);
	if (hf_cert_build(&der, spec, &issuer->signer, &ei) != HF_OK)
		fail_msg("%s", ei.text);
	hf_cert_clear(&p->cert);
	assert_ok(hf_cert_copy(&p->cert, &test_mem, der.p, der.len, &ei));
	hf_buf_clear(&der);
}

/* Value of the field of the block whose Id is given, from a vector file; bytes of its hex. */
static inline uint8_t *vector_field(
	const char *file, const char *id, const char *field, size_t *len)
{
	static char line[FILE_ROOM];
	char path[512];
	char want_id[128];
	char want[64];
	bool is_in = false;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/vectors/%s", TEST_DATA, file);
	(void)snprintf(want_id, sizeof(want_id), "Id = %s", id);
	(void)snprintf(want, sizeof(want), "%s = ", field);
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "Id = ", 5) == 0)
			is_in = strcmp(line, want_id) == 0;
		if (!is_in || strncmp(line, want, strlen(want)) != 0)
			continue;
		(void)fclose(f);
		return test_hex(line + strlen(want), len);
	}
	(void)fclose(f);
	fail_msg("%s has no %s of %s", file, field, id);
	return NULL;
}

/* Runs try over a copy of exactly the first len bytes, with byte at flipped if at < len. */
static inline hf_err run_changed(
	hf_err (*try)(const uint8_t *in, size_t len), const uint8_t *in, size_t len, size_t at)
{
	uint8_t *copy = malloc(len + (len == 0));
	hf_err e;

	memcpy(copy, in, len);
	if (at < len)
		copy[at] ^= 0x41;
	e = try(copy, len);
	free(copy);
	return e;
}

/* No shorter input passes, and none with one more byte. */
static inline void refuses_every_length_but_one(
	hf_err (*try)(const uint8_t *in, size_t len), const uint8_t *in, size_t len)
{
	uint8_t *longer = calloc(1, len + 1);

	for (size_t n = 0; n < len; n++)
		assert_int_not_equal(run_changed(try, in, n, SIZE_MAX), HF_OK);
	assert_int_equal(run_changed(try, in, len, SIZE_MAX), HF_OK);
	memcpy(longer, in, len);
	assert_int_not_equal(run_changed(try, longer, len + 1, SIZE_MAX), HF_OK);
	free(longer);
}

/* No single changed byte passes. */
static inline void refuses_every_changed_byte(
	hf_err (*try)(const uint8_t *in, size_t len), const uint8_t *in, size_t len)
{
	for (size_t at = 0; at < len; at++)
		if (run_changed(try, in, len, at) == HF_OK)
			fail_msg("byte %zu may be changed", at);
}

#endif
