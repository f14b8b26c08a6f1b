/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors of key files, requests and certificates, as src/pki reads them. */
#include <stdio.h>
#include <string.h>

#include "base/wr.h"
#include "codec/pem.h"
#include "crypto/sm2.h"
#include "pki/cert.h"
#include "pki/csr.h"
#include "pki/pkcs8.h"
#include "pki/spki.h"
#include "vec_run.h"

enum { PASSWORD_MAX = 128 }; /* bytes of a password that stands in a comment */

/* What a file turned out to hold; without a private key, key.pub alone counts. */
struct content {
	struct hf_sm2_key key;
	bool has_private;
};

static void expect_keys(struct vec_run *r, const struct content *c)
{
	uint8_t point[HF_SM2_POINT_LEN];

	hf_sm2_pub_emit(point, &c->key.pub);
	if (c->has_private)
		vec_expect(r, "PrivateKey", c->key.d, HF_SM2_LEN);
	vec_expect(r, "PublicKey", point, sizeof(point));
	vec_expect(r, "PublicX", c->key.pub.x, HF_SM2_LEN);
	vec_expect(r, "PublicY", c->key.pub.y, HF_SM2_LEN);
}

/*
 * The password: PasswordText or Password of the case, or the word after "password is the ASCII
 * string" in a comment. False: there is none.
 */
static bool get_password(struct vec_run *r, struct hf_bytes *out)
{
	static const char says[] = "password is the ASCII string ";
	const char *remark;
	const char *at = NULL;

	if (vec_has(r, "PasswordText") || vec_has(r, "Password")) {
		*out = vec_want(r, vec_has(r, "PasswordText") ? "PasswordText" : "Password");
		return true;
	}
	for (size_t i = 0; at == NULL && (remark = vec_remark(r->file, i)) != NULL; i++)
		at = strstr(remark, says);
	if (at == NULL) {
		vec_fail(r, "nothing says what the password is");
		return false;
	}
	at += sizeof(says) - 1;
	*out = (struct hf_bytes){ (const uint8_t *)at, strcspn(at, " ,;") };
	return true;
}

static hf_err read_plain(struct vec_run *r, struct hf_bytes der, struct content *c)
{
	(void)r;
	c->has_private = true;
	return hf_pkcs8_parse(&c->key, der.p, der.len, NULL);
}

/* Also with a wrong password, which must be refused. */
static hf_err read_sealed(struct vec_run *r, struct hf_bytes der, struct content *c)
{
	uint8_t wrong[PASSWORD_MAX + 1];
	struct hf_bytes password;
	struct hf_sm2_key none;
	hf_err e;

	if (!get_password(r, &password))
		return HF_ERR_NOT_FOUND;
	if (password.len > PASSWORD_MAX) {
		vec_skip(r, "a password of more than %d bytes", PASSWORD_MAX);
		return HF_ERR_LIMIT;
	}
	c->has_private = true;
	e = hf_pkcs8_open(&c->key, der.p, der.len, password, NULL);
	if (e != HF_OK)
		return e;
	if (password.len > 0)
		memcpy(wrong, password.p, password.len);
	wrong[password.len] = 'x';
	vec_check(r,
		hf_pkcs8_open(&none, der.p, der.len, (struct hf_bytes){ wrong, password.len + 1 },
			NULL) == HF_ERR_AUTH,
		"a wrong password is not refused as one");
	return HF_OK;
}

static hf_err read_spki(struct vec_run *r, struct hf_bytes der, struct content *c)
{
	uint8_t out[HF_SPKI_LEN];
	struct hf_writer w = { .p = out, .cap = sizeof(out) };

	HF_TRY(hf_spki_parse(&c->key.pub, der.p, der.len));
	hf_spki_put(&w, &c->key.pub);
	if (vec_ok(r, "write", hf_wr_done(&w)))
		vec_expect(r, "Der", out, w.len);
	return HF_OK;
}

static hf_err read_csr(struct vec_run *r, struct hf_bytes der, struct content *c)
{
	struct hf_csr csr;

	(void)r;
	HF_TRY(hf_csr_parse(&csr, der.p, der.len, NULL));
	c->key.pub = csr.key;
	return hf_csr_verify(&csr, NULL);
}

static hf_err read_cert(struct vec_run *r, struct hf_bytes der, struct content *c)
{
	struct hf_cert cert;

	(void)r;
	HF_TRY(hf_cert_parse(&cert, der.p, der.len, NULL));
	c->key.pub = cert.key;
	return hf_bytes_eq(cert.issuer, cert.subject) ? hf_cert_verify_sig(&cert, &cert.key, NULL)
						      : HF_OK;
}

struct kind {
	const char *label; /* of the PEM block */
	hf_err (*read)(struct vec_run *r, struct hf_bytes der, struct content *c);
};

static const struct kind kinds[] = {
	{ "PRIVATE KEY", read_plain },
	{ "EC PRIVATE KEY", read_plain },
	{ "ENCRYPTED PRIVATE KEY", read_sealed },
	{ "PUBLIC KEY", read_spki },
	{ "CERTIFICATE REQUEST", read_csr },
	{ "CERTIFICATE", read_cert },
};

/* The file as PEM text gives the same bytes again. */
static void check_pem(struct vec_run *r, const char *label, struct hf_bytes der)
{
	size_t text_len = hf_pem_len(label, der.len);
	uint8_t *text = vec_room(r, text_len);
	uint8_t *back = vec_room(r, der.len);
	struct hf_writer w = { .p = text, .cap = text_len };
	size_t len = 0;

	if (text == NULL || back == NULL)
		return;
	hf_pem_emit(&w, label, der.p, der.len);
	if (vec_ok(r, "PEM", hf_wr_done(&w)) &&
		vec_ok(r, "PEM",
			hf_pem_parse(back, der.len, &len, label, (struct hf_bytes){ text, w.len })))
		vec_expect(r, "Der", back, len);
}

void vec_run_key_file(struct vec_run *r)
{
	const char *label = vec_text(r, "PemText");
	struct hf_bytes der = vec_need(r, "Der");
	const struct kind *kind = NULL;
	struct content c = { .has_private = false };
	hf_err e;

	for (size_t i = 0; label != NULL && i < HF_COUNT(kinds); i++)
		if (strcmp(kinds[i].label, label) == 0)
			kind = &kinds[i];
	if (kind == NULL) {
		vec_skip(r, "a file of the kind '%.40s'", label == NULL ? "" : label);
		return;
	}
	check_pem(r, label, der);
	e = kind->read(r, der, &c);
	if (!vec_is_open(r))
		return;
	vec_verdict(r, label, e == HF_OK);
	if (e == HF_OK && vec_must_accept(r))
		expect_keys(r, &c);
	hf_sm2_key_clear(&c.key);
}

/* A key pair with everything that is made from it. */
void vec_run_test_key(struct vec_run *r)
{
	struct hf_bytes cert_der = vec_want(r, "Cert");
	struct hf_bytes pkcs8 = vec_want(r, "Pkcs8");
	uint8_t point[HF_SM2_POINT_LEN];
	struct content c = { .has_private = true };
	struct hf_sm2_key key;
	uint8_t d[HF_SM2_LEN];
	uint8_t z[HF_SM3_LEN];

	if (!vec_big(r, "PrivateKey", d, sizeof(d)))
		vec_fail(r, "no field PrivateKey, or too long a number");
	if (!vec_is_open(r) || !vec_ok(r, "PrivateKey", hf_sm2_key_from_private(&key, d)))
		return;
	hf_sm2_pub_emit(point, &key.pub);
	vec_expect(r, "PublicKey", point, sizeof(point));
	if (vec_ok(r, "Z", hf_sm2_z(z, &key.pub, HF_SM2_ID_DEFAULT, strlen(HF_SM2_ID_DEFAULT))))
		vec_expect(r, "ZaDefaultId", z, sizeof(z));
	if (vec_has(r, "Cert") && vec_ok(r, "Cert", read_cert(r, cert_der, &c)))
		expect_keys(r, &(struct content){ .key = c.key });
	if (vec_has(r, "Pkcs8") && vec_ok(r, "Pkcs8", read_plain(r, pkcs8, &c)))
		expect_keys(r, &c);
	hf_sm2_key_clear(&c.key);
	hf_sm2_key_clear(&key);
}
