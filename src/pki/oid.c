/* SPDX-License-Identifier: Apache-2.0 */
/* The table of object identifiers. */
#include "pki/oid.h"

static const struct {
	const char *bytes;
	size_t len;
} oids[HF_OID_COUNT] = {
#define HF_OID_ROW(name, bytes) [HF_OID_##name] = { bytes, sizeof(bytes) - 1 },
	HF_OID_LIST(HF_OID_ROW)
#undef HF_OID_ROW
};

struct hf_bytes hf_oid(enum hf_oid id)
{
	return (struct hf_bytes){ (const uint8_t *)oids[id].bytes, oids[id].len };
}

enum hf_oid hf_oid_find(struct hf_bytes content)
{
	unsigned i = 0;

	while (i < HF_OID_COUNT && !hf_bytes_eq(content, hf_oid((enum hf_oid)i)))
		i++;
	return (enum hf_oid)i;
}

void hf_oid_put_algorithm(struct hf_writer *w, enum hf_oid id)
{
	size_t seq = hf_der_open(w, HF_DER_SEQUENCE);

	hf_der_put_oid(w, hf_oid(id));
	hf_der_close(w, seq);
}

enum hf_oid hf_oid_take_algorithm(struct hf_der *d)
{
	struct hf_der seq = hf_der_enter(d, HF_DER_SEQUENCE);
	enum hf_oid id = hf_oid_find(hf_der_oid(&seq));

	if (hf_der_more(&seq))
		hf_der_null(&seq);
	hf_der_leave(d, &seq);
	return id;
}
