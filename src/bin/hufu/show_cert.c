/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates: what they say, in the words of the standards. */
#include <string.h>

#include "codec/pem.h"
#include "pki/cert.h"
#include "show.h"

static void show_usage(struct hufu_view *v, const struct hf_cert *c)
{
	static const char *const names[] = { "digitalSignature", "nonRepudiation",
		"keyEncipherment", "dataEncipherment", "keyAgreement", "keyCertSign", "cRLSign" };

	if (c->has_key_usage) {
		hufu_view_list(v, "key_usage");
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			if ((c->key_usage >> i & 1) != 0)
				hufu_view_str(v, NULL, names[i]);
		hufu_view_end(v);
	}
	if (c->has_eku) {
		hufu_view_list(v, "ext_usage");
		if ((c->eku & HF_EKU_SERVER) != 0)
			hufu_view_str(v, NULL, "serverAuth");
		if ((c->eku & HF_EKU_CLIENT) != 0)
			hufu_view_str(v, NULL, "clientAuth");
		if ((c->eku & HF_EKU_OTHER) != 0)
			hufu_view_str(v, NULL, "other");
		hufu_view_end(v);
	}
}

hf_err hufu_show_cert(struct hufu_view *v, struct hf_bytes der, struct hf_errinfo *ei)
{
	struct hf_cert c;
	uint8_t digest[HF_SM3_LEN];
	uint8_t point[HF_SM2_POINT_LEN];
	char name[HF_NAME_TEXT];

	HF_TRY(hf_cert_parse(&c, der.p, der.len, ei));
	hf_cert_fingerprint(digest, &c);
	hf_sm2_pub_emit(point, &c.key);
	hufu_view_str(v, "kind", "certificate");
	hufu_view_hex(v, "sm3", digest, sizeof(digest));
	hf_name_text(name, c.subject);
	hufu_view_str(v, "subject", name);
	hf_name_text(name, c.issuer);
	hufu_view_str(v, "issuer", name);
	hufu_view_bool(v, "self_issued", hf_bytes_eq(c.subject, c.issuer));
	hufu_view_hex(v, "serial", c.serial.p, c.serial.len);
	hufu_view_time(v, "not_before", c.not_before_s);
	hufu_view_time(v, "not_after", c.not_after_s);
	hufu_view_hex(v, "sm2_key", point, sizeof(point));
	hufu_view_bool(v, "ca", c.is_ca);
	if (c.is_ca && c.has_path_len)
		hufu_view_u64(v, "path_len", c.path_len);
	show_usage(v, &c);
	if (c.has_identity) {
		hufu_view_str(v, "role", hf_role_name(c.identity.role));
		hufu_view_u64(v, "level", (uint64_t)c.identity.level);
		hufu_view_str(v, "domain", c.identity.domain);
		hufu_view_str(v, "id", c.identity.id);
	}
	return HF_OK;
}

hf_err hufu_show_pem(struct hufu_view *v, struct hf_bytes text, struct hf_errinfo *ei)
{
	uint8_t der[HF_CERT_DER_MAX];
	struct hf_pem_block block;
	size_t n = 0;
	hf_err e;

	hufu_view_list(v, "certificates");
	while ((e = hf_pem_next(&block, &text)) == HF_OK) {
		size_t len = 0;

		if (strcmp(block.label, "CERTIFICATE") != 0)
			return hf_fail(ei, HF_ERR_UNSUPPORTED,
				"a PEM block %s; only certificates are shown", block.label);
		e = hf_pem_decode(der, sizeof(der), &len, &block);
		if (e != HF_OK)
			return hf_fail(ei, e, "PEM block %zu: %s", n + 1, hf_err_text(e));
		hufu_view_object(v, NULL);
		HF_TRY(hufu_show_cert(v, (struct hf_bytes){ der, len }, ei));
		hufu_view_end(v);
		n++;
	}
	hufu_view_end(v);
	return e == HF_ERR_NOT_FOUND && n > 0 ? HF_OK : hf_fail(ei, e, "PEM: %s", hf_err_text(e));
}
