/* SPDX-License-Identifier: Apache-2.0 */
/* layer: tls */
/*
 * The record layer: what is sealed comes back and nothing else does; and any stream gives a fresh
 * server the same end, however it is cut. The input is a byte that says where to cut or to alter,
 * a type, and the bytes.
 */
#include "tls_input.h"

enum { SEQUENCE = 3 };

static void dir_init(struct hf_tls_dir *d)
{
	static const uint8_t secret[HF_SM3_LEN] = { 9 };

	memset(d, 0, sizeof(*d));
	must(hf_tls_dir_set(d, hf_tls_suite_best(HF_TLS_SUITES), secret, 1) == HF_OK);
}

static void round_trip(unsigned at, unsigned type, const uint8_t *data, size_t len)
{
	static uint8_t record[HF_TLS_RECORD_MAX];
	static uint8_t out[HF_TLS_RECORD_MAX];
	size_t pad = at % 5;
	size_t total = len + pad + HF_TLS_OVERHEAD;
	struct hf_tls_dir tx;
	struct hf_tls_dir rx;
	struct hf_tls_inner inner;

	if (len + pad > HF_TLS_PLAIN_MAX)
		return;
	dir_init(&tx);
	dir_init(&rx);
	for (int i = 0; i < SEQUENCE; i++) {
		must(hf_tls_seal(&tx, record, (enum hf_tls_type)type, data, len, pad) == HF_OK);
		must(hf_tls_open(&rx, out, &inner, record) == HF_OK);
		must(inner.type == type && inner.len == len && memcmp(out, data, len) == 0);
		/* The same record again is out of order. */
		must(hf_tls_open(&rx, out, &inner, record) == HF_ERR_AUTH);
	}
	must(hf_tls_seal(&tx, record, (enum hf_tls_type)type, data, len, pad) == HF_OK);
	record[HF_TLS_HEAD_LEN + at % (total - HF_TLS_HEAD_LEN)] ^= 1;
	must(hf_tls_open(&rx, out, &inner, record) == HF_ERR_AUTH);
	hf_tls_dir_clear(&tx);
	hf_tls_dir_clear(&rx);
}

/* A record that nobody sealed does not open. */
static void any_record(const uint8_t *data, size_t len)
{
	static uint8_t out[HF_TLS_RECORD_MAX];
	struct hf_tls_inner inner;
	struct hf_tls_dir rx;
	uint8_t *record;

	if (len < HF_TLS_HEAD_LEN || hf_tls_head_get(data).len > HF_TLS_CIPHER_MAX ||
		hf_tls_head_get(data).len > len - HF_TLS_HEAD_LEN)
		return;
	record = malloc(HF_TLS_HEAD_LEN + hf_tls_head_get(data).len);
	must(record != NULL);
	memcpy(record, data, HF_TLS_HEAD_LEN + hf_tls_head_get(data).len);
	dir_init(&rx);
	must(hf_tls_open(&rx, out, &inner, record) != HF_OK);
	hf_tls_dir_clear(&rx);
	free(record);
}

struct result {
	hf_err err;
	unsigned alert_sent;
	unsigned alert_got;
	char why[HF_ERRINFO_TEXT];
};

static struct result feed_server(size_t step, const uint8_t *data, size_t len)
{
	struct pair *p = tls_fuzz_pair();
	struct result r = { .err = HF_OK };

	pair_start(p);
	end_feed(&p->s, data, len, step, 1000);
	r.err = hf_tls_error(&p->s.t);
	r.alert_sent = hf_tls_alert_sent(&p->s.t);
	r.alert_got = hf_tls_alert_got(&p->s.t);
	memcpy(r.why, hf_tls_why(&p->s.t)->text, sizeof(r.why));
	pair_clear(p);
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct result whole;
	struct result cut;

	if (len < 2)
		return 0;
	must(hf_module_start(0) == HF_OK);
	round_trip(data[0], data[1] == 0 ? HF_TLS_DATA : data[1], data + 2, len - 2);
	any_record(data + 2, len - 2);
	whole = feed_server(SIZE_MAX, data + 2, len - 2);
	cut = feed_server(1 + data[0] % 16, data + 2, len - 2);
	must(whole.err == cut.err && whole.alert_sent == cut.alert_sent &&
		whole.alert_got == cut.alert_got && strcmp(whole.why, cut.why) == 0);
	return 0;
}
