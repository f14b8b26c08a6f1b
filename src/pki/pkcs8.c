/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private-key files. Everything after decryption ends in the one answer AUTH: bad padding, no DER
 * inside, another key inside. Buffers that held a key are wiped on every path.
 */
#include "pki/pkcs8.h"

#include <stdbool.h>
#include <string.h>

#include "base/ct.h"
#include "base/wipe.h"
#include "codec/der.h"
#include "codec/pem.h"
#include "crypto/kdf.h"
#include "crypto/sm4.h"
#include "pki/foreign.h"
#include "pki/oid.h"

enum {
	SALT_LEN = 16,
	SALT_MAX = 64,
	BLOCK = 16, /* of SM4 and of AES */
	VERSION_1 = 0,
	VERSION_2 = 1, /* RFC 5958: may carry the public key behind */
};

/* What the two forms write about a key. Bytes are borrowed. */
struct parts {
	struct hf_bytes d;
	struct hf_bytes pub; /* empty: not written */
	bool has_curve;
};

/* ECParameters: the named curve, and only ours. */
static void take_curve(struct hf_der *d)
{
	enum hf_oid curve;

	if (hf_der_more(d) && !hf_der_is(d, HF_DER_OID))
		hf_der_fail(d, HF_ERR_UNSUPPORTED);
	curve = hf_oid_find(hf_der_oid(d));
	if (d->err == HF_OK && curve != HF_OID_SM2_CURVE)
		hf_der_fail(d, HF_ERR_UNSUPPORTED);
}

/* The fields of ECPrivateKey behind its version, RFC 5915 3. */
static void take_ec_fields(struct hf_der *seq, struct parts *p)
{
	p->d = hf_der_octets(seq);
	if (hf_der_is(seq, HF_DER_CTX_SEQ(0))) {
		struct hf_der params = hf_der_enter(seq, HF_DER_CTX_SEQ(0));

		take_curve(&params);
		hf_der_leave(seq, &params);
		p->has_curve = true;
	}
	if (hf_der_is(seq, HF_DER_CTX_SEQ(1))) {
		struct hf_der pub = hf_der_enter(seq, HF_DER_CTX_SEQ(1));

		p->pub = hf_der_bits(&pub);
		hf_der_leave(seq, &pub);
	}
}

static void take_ec_key(struct hf_der *d, struct parts *p)
{
	struct hf_der seq = hf_der_enter(d, HF_DER_SEQUENCE);

	if (hf_der_u64(&seq) != 1)
		hf_der_fail(&seq, HF_ERR_UNSUPPORTED);
	take_ec_fields(&seq, p);
	hf_der_leave(d, &seq);
}

/* The fields of PrivateKeyInfo behind its version, RFC 5958 2. */
static void take_info_fields(struct hf_der *seq, struct parts *p, uint64_t version)
{
	struct hf_der alg = hf_der_enter(seq, HF_DER_SEQUENCE);
	enum hf_oid type = hf_oid_find(hf_der_oid(&alg));
	struct hf_der key;

	if (alg.err == HF_OK && type != HF_OID_EC_PUBLIC_KEY)
		hf_der_fail(&alg, HF_ERR_UNSUPPORTED);
	take_curve(&alg);
	hf_der_leave(seq, &alg);
	key = hf_der_enter(seq, HF_DER_OCTETS);
	take_ec_key(&key, p);
	hf_der_leave(seq, &key);
	p->has_curve = true;
	if (hf_der_is(seq, HF_DER_CTX_SEQ(0))) /* attributes: passed over */
		(void)hf_der_take(seq, HF_DER_CTX_SEQ(0));
	if (version == VERSION_2 && hf_der_is(seq, HF_DER_CTX(1))) /* publicKey: also inside */
		(void)hf_der_take(seq, HF_DER_CTX(1));
}

static hf_err take_parts(struct parts *p, const uint8_t *in, size_t in_len)
{
	struct hf_der d = hf_der_over(in, in_len);
	struct hf_der seq = hf_der_enter(&d, HF_DER_SEQUENCE);
	uint64_t version = hf_der_u64(&seq);

	if (hf_der_is(&seq, HF_DER_OCTETS)) {
		if (version != 1)
			hf_der_fail(&seq, HF_ERR_UNSUPPORTED);
		take_ec_fields(&seq, p);
	} else {
		if (version != VERSION_1 && version != VERSION_2)
			hf_der_fail(&seq, HF_ERR_UNSUPPORTED);
		take_info_fields(&seq, p, version);
	}
	hf_der_leave(&d, &seq);
	HF_TRY(hf_der_done(&d));
	return p->has_curve && p->d.len == HF_SM2_LEN ? HF_OK : HF_ERR_FORMAT;
}

static hf_err parse_key(struct hf_sm2_key *key, const uint8_t *in, size_t in_len)
{
	struct parts p = { 0 };
	struct hf_sm2_pub pub;

	HF_TRY(take_parts(&p, in, in_len));
	HF_TRY(hf_sm2_key_from_private(key, p.d.p));
	if (p.pub.len == 0)
		return HF_OK;
	HF_TRY(hf_sm2_pub_parse(&pub, p.pub.p, p.pub.len));
	return memcmp(&pub, &key->pub, sizeof(pub)) == 0 ? HF_OK : HF_ERR_FORMAT;
}

hf_err hf_pkcs8_parse(
	struct hf_sm2_key *key, const uint8_t *in, size_t in_len, struct hf_errinfo *ei)
{
	hf_err e = in_len > HF_PKCS8_PLAIN_MAX ? HF_ERR_FORMAT : parse_key(key, in, in_len);

	if (e == HF_OK)
		return HF_OK;
	hf_sm2_key_clear(key);
	if (e == HF_ERR_UNSUPPORTED)
		return hf_fail(ei, e, "private key is not one of SM2");
	return hf_fail(ei, e, "private key is not well formed: %s", hf_err_text(e));
}

void hf_pkcs8_emit(struct hf_writer *w, const struct hf_sm2_key *key)
{
	uint8_t point[HF_SM2_POINT_LEN];
	size_t info = hf_der_open(w, HF_DER_SEQUENCE);
	size_t octets;
	size_t seq;
	size_t mark;

	hf_der_put_u64(w, VERSION_1);
	mark = hf_der_open(w, HF_DER_SEQUENCE);
	hf_der_put_oid(w, hf_oid(HF_OID_EC_PUBLIC_KEY));
	hf_der_put_oid(w, hf_oid(HF_OID_SM2_CURVE));
	hf_der_close(w, mark);
	octets = hf_der_open(w, HF_DER_OCTETS);
	seq = hf_der_open(w, HF_DER_SEQUENCE);
	hf_der_put_u64(w, 1);
	hf_der_put_octets(w, key->d, sizeof(key->d));
	mark = hf_der_open(w, HF_DER_CTX_SEQ(1));
	hf_sm2_pub_emit(point, &key->pub);
	hf_der_put_bits(w, point, sizeof(point));
	hf_der_close(w, mark);
	hf_der_close(w, seq);
	hf_der_close(w, octets);
	hf_der_close(w, info);
}

/* PBES2 parameters, RFC 8018 A.2, A.4, and the ciphertext. */
struct sealed {
	struct hf_bytes salt;
	uint64_t iterations;
	uint64_t key_len; /* 0: not written */
	enum hf_oid prf;
	enum hf_oid cipher;
	struct hf_bytes iv;
	struct hf_bytes ct;
};

static void take_scheme(struct hf_der *d, enum hf_oid expected)
{
	enum hf_oid id = hf_oid_find(hf_der_oid(d));

	if (d->err == HF_OK && id != expected)
		hf_der_fail(d, HF_ERR_UNSUPPORTED);
}

static void take_kdf(struct hf_der *params, struct sealed *s)
{
	struct hf_der kdf = hf_der_enter(params, HF_DER_SEQUENCE);
	struct hf_der seq;

	take_scheme(&kdf, HF_OID_PBKDF2);
	seq = hf_der_enter(&kdf, HF_DER_SEQUENCE);
	s->salt = hf_der_octets(&seq);
	s->iterations = hf_der_u64(&seq);
	if (hf_der_is(&seq, HF_DER_INTEGER))
		s->key_len = hf_der_u64(&seq);
	if (hf_der_more(&seq))
		s->prf = hf_oid_take_algorithm(&seq);
	hf_der_leave(&kdf, &seq);
	hf_der_leave(params, &kdf);
}

static void take_cipher(struct hf_der *params, struct sealed *s)
{
	struct hf_der seq = hf_der_enter(params, HF_DER_SEQUENCE);

	s->cipher = hf_oid_find(hf_der_oid(&seq));
	if (seq.err == HF_OK && s->cipher != HF_OID_SM4_CBC && s->cipher != HF_OID_AES128_CBC &&
		s->cipher != HF_OID_AES256_CBC)
		hf_der_fail(&seq, HF_ERR_UNSUPPORTED);
	s->iv = hf_der_octets(&seq);
	hf_der_leave(params, &seq);
}

static hf_err parse_sealed(struct sealed *s, const uint8_t *in, size_t in_len)
{
	struct hf_der d = hf_der_over(in, in_len);
	struct hf_der seq = hf_der_enter(&d, HF_DER_SEQUENCE);
	struct hf_der alg = hf_der_enter(&seq, HF_DER_SEQUENCE);
	struct hf_der params;

	s->prf = HF_OID_COUNT; /* the default, HMAC-SHA1, is not read */
	take_scheme(&alg, HF_OID_PBES2);
	params = hf_der_enter(&alg, HF_DER_SEQUENCE);
	take_kdf(&params, s);
	take_cipher(&params, s);
	hf_der_leave(&alg, &params);
	hf_der_leave(&seq, &alg);
	s->ct = hf_der_octets(&seq);
	hf_der_leave(&d, &seq);
	return hf_der_done(&d);
}

static size_t cipher_key_len(const struct sealed *s)
{
	return s->cipher == HF_OID_AES256_CBC ? 32 : 16;
}

/* Limits and contradictions, in words. */
static hf_err check_sealed(const struct sealed *s, struct hf_errinfo *ei)
{
	if (s->prf != HF_OID_HMAC_SM3 && s->prf != HF_OID_HMAC_SM3_GM &&
		s->prf != HF_OID_HMAC_SHA256)
		return hf_fail(ei, HF_ERR_UNSUPPORTED,
			"encrypted key: its pseudo-random function is neither HMAC-SM3 nor "
			"HMAC-SHA256");
	if (s->iterations > HF_PKCS8_ITERATIONS_MAX)
		return hf_fail(ei, HF_ERR_LIMIT, "encrypted key: more than %d iterations",
			HF_PKCS8_ITERATIONS_MAX);
	if (s->iterations == 0 || s->salt.len == 0 || s->salt.len > SALT_MAX ||
		s->iv.len != BLOCK || s->ct.len == 0 || s->ct.len % BLOCK != 0 ||
		(s->key_len != 0 && s->key_len != cipher_key_len(s)))
		return hf_fail(ei, HF_ERR_FORMAT, "encrypted key is not well formed");
	return HF_OK;
}

static hf_err derive(uint8_t key[HF_FOREIGN_KEY_MAX], const struct sealed *s, struct hf_bytes pass)
{
	size_t key_len = cipher_key_len(s);

	if (s->prf == HF_OID_HMAC_SHA256)
		return hf_foreign_pbkdf2_sha256(key, key_len, pass.p, pass.len, s->salt.p,
			s->salt.len, (uint32_t)s->iterations);
	return hf_pbkdf2(
		key, key_len, pass.p, pass.len, s->salt.p, s->salt.len, (uint32_t)s->iterations);
}

static hf_err decrypt(uint8_t *out, const struct sealed *s, const uint8_t *key)
{
	size_t n_blocks = s->ct.len / BLOCK;
	struct hf_sm4_key sm4;
	uint8_t iv[BLOCK];
	hf_err e;

	if (s->cipher != HF_OID_SM4_CBC)
		return hf_foreign_aes_cbc_decrypt(
			out, s->ct.p, n_blocks, key, cipher_key_len(s), s->iv.p);
	memcpy(iv, s->iv.p, sizeof(iv));
	hf_sm4_init(&sm4, key);
	e = hf_sm4_cbc_decrypt(&sm4, iv, out, s->ct.p, n_blocks);
	hf_sm4_clear(&sm4);
	return e;
}

/* Length without the padding of RFC 8018 6.1.1; 0 when it is wrong, found out in equal time. */
static size_t unpadded_len(const uint8_t *plain, size_t len)
{
	uint64_t pad = plain[len - 1];
	hf_ct_mask good = hf_ct_nonzero(pad) & hf_ct_less(pad, BLOCK + 1);

	for (size_t i = 1; i <= BLOCK; i++)
		good &= hf_ct_less(pad, i) | hf_ct_same(plain[len - i], pad);
	return hf_ct_declassify(good) ? len - (size_t)pad : 0;
}

hf_err hf_pkcs8_open(struct hf_sm2_key *key, const uint8_t *in, size_t in_len,
	struct hf_bytes passphrase, struct hf_errinfo *ei)
{
	uint8_t wrap[HF_FOREIGN_KEY_MAX] = { 0 };
	uint8_t plain[HF_PKCS8_SEALED_MAX];
	struct sealed s = { 0 };
	hf_err e;

	hf_sm2_key_clear(key);
	e = in_len > HF_PKCS8_SEALED_MAX ? HF_ERR_FORMAT : parse_sealed(&s, in, in_len);
	if (e != HF_OK)
		return hf_fail(ei, e, "encrypted key is not PBES2 with PBKDF2: %s", hf_err_text(e));
	HF_TRY(check_sealed(&s, ei));

	e = derive(wrap, &s, passphrase);
	if (e == HF_OK)
		e = decrypt(plain, &s, wrap);
	if (e != HF_OK) {
		(void)hf_fail(ei, e, "encrypted key: %s", hf_err_text(e));
		goto out;
	}
	if (parse_key(key, plain, unpadded_len(plain, s.ct.len)) != HF_OK) {
		hf_sm2_key_clear(key);
		e = hf_fail(ei, HF_ERR_AUTH, "encrypted key: wrong passphrase, or altered");
	}
out:
	hf_wipe(wrap, sizeof(wrap));
	hf_wipe(plain, sizeof(plain));
	return e;
}

static void put_prf(struct hf_writer *w, enum hf_pkcs8_flavour flavour)
{
	size_t seq = hf_der_open(w, HF_DER_SEQUENCE);

	if (flavour == HF_PKCS8_GMSSL) {
		hf_der_put_oid(w, hf_oid(HF_OID_HMAC_SM3_GM));
	} else {
		hf_der_put_oid(w, hf_oid(HF_OID_HMAC_SM3));
		hf_der_put_null(w);
	}
	hf_der_close(w, seq);
}

static void put_scheme(struct hf_writer *w, const struct sealed *s, enum hf_pkcs8_flavour flavour)
{
	size_t alg = hf_der_open(w, HF_DER_SEQUENCE);
	size_t params;
	size_t seq;
	size_t inner;

	hf_der_put_oid(w, hf_oid(HF_OID_PBES2));
	params = hf_der_open(w, HF_DER_SEQUENCE);
	seq = hf_der_open(w, HF_DER_SEQUENCE);
	hf_der_put_oid(w, hf_oid(HF_OID_PBKDF2));
	inner = hf_der_open(w, HF_DER_SEQUENCE);
	hf_der_put_octets(w, s->salt.p, s->salt.len);
	hf_der_put_u64(w, s->iterations);
	hf_der_put_u64(w, HF_SM4_KEY_LEN);
	put_prf(w, flavour);
	hf_der_close(w, inner);
	hf_der_close(w, seq);
	seq = hf_der_open(w, HF_DER_SEQUENCE);
	hf_der_put_oid(w, hf_oid(HF_OID_SM4_CBC));
	hf_der_put_octets(w, s->iv.p, s->iv.len);
	hf_der_close(w, seq);
	hf_der_close(w, params);
	hf_der_close(w, alg);
}

/* Plain form, padded as RFC 8018 6.1.1, in place. Returns its length. */
static size_t plain_of(uint8_t plain[HF_PKCS8_EMIT_MAX], const struct hf_sm2_key *key)
{
	struct hf_writer w = { .p = plain, .cap = HF_PKCS8_EMIT_MAX };
	size_t pad;

	hf_pkcs8_emit(&w, key);
	pad = BLOCK - w.len % BLOCK;
	for (size_t i = 0; i < pad; i++)
		hf_wr_u8(&w, (uint8_t)pad);
	return w.len;
}

hf_err hf_pkcs8_seal(struct hf_writer *w, const struct hf_sm2_key *key, struct hf_bytes passphrase,
	uint32_t iterations, enum hf_pkcs8_flavour flavour, const struct hf_rng *rng)
{
	uint8_t fresh[SALT_LEN + BLOCK];
	uint8_t iv[BLOCK];
	uint8_t plain[HF_PKCS8_EMIT_MAX];
	uint8_t wrap[HF_SM4_KEY_LEN];
	struct sealed s = { .salt = { fresh, SALT_LEN }, .iv = { fresh + SALT_LEN, BLOCK } };
	struct hf_sm4_key sm4 = { 0 };
	size_t len = plain_of(plain, key);
	size_t seq;
	hf_err e;

	e = iterations < HF_PKCS8_ITERATIONS_MIN || iterations > HF_PKCS8_ITERATIONS_MAX
		    ? HF_ERR_ARG
		    : hf_rng_fill(rng, fresh, sizeof(fresh));
	if (e != HF_OK)
		goto out;
	s.iterations = iterations;
	e = hf_pbkdf2(
		wrap, sizeof(wrap), passphrase.p, passphrase.len, s.salt.p, s.salt.len, iterations);
	if (e != HF_OK)
		goto out;
	hf_sm4_init(&sm4, wrap);
	memcpy(iv, s.iv.p, sizeof(iv));
	e = hf_sm4_cbc_encrypt(&sm4, iv, plain, plain, len / BLOCK);
	if (e != HF_OK)
		goto out;

	seq = hf_der_open(w, HF_DER_SEQUENCE);
	put_scheme(w, &s, flavour);
	hf_der_put_octets(w, plain, len);
	hf_der_close(w, seq);
	e = hf_wr_done(w);
out:
	hf_sm4_clear(&sm4);
	hf_wipe(wrap, sizeof(wrap));
	hf_wipe(plain, sizeof(plain));
	return e;
}

static hf_err read_der(struct hf_sm2_key *key, struct hf_bytes der, struct hf_bytes passphrase,
	struct hf_errinfo *ei)
{
	struct hf_der d = hf_der_over(der.p, der.len);
	struct hf_der seq = hf_der_enter(&d, HF_DER_SEQUENCE);

	/* EncryptedPrivateKeyInfo begins with an algorithm, the plain forms with a version. */
	if (!hf_der_is(&seq, HF_DER_SEQUENCE))
		return hf_pkcs8_parse(key, der.p, der.len, ei);
	if (passphrase.len == 0)
		return hf_fail(
			ei, HF_ERR_AUTH, "private key is encrypted and no passphrase was given");
	return hf_pkcs8_open(key, der.p, der.len, passphrase, ei);
}

/* "SM2 PRIVATE KEY" is what OpenSSL 3 calls an ECPrivateKey of this curve. */
static bool is_key_label(const char *label)
{
	static const char *const labels[] = { "PRIVATE KEY", "EC PRIVATE KEY", "SM2 PRIVATE KEY",
		"ENCRYPTED PRIVATE KEY" };

	for (size_t i = 0; i < HF_COUNT(labels); i++)
		if (strcmp(label, labels[i]) == 0)
			return true;
	return false;
}

hf_err hf_pkcs8_read(struct hf_sm2_key *key, struct hf_bytes file, struct hf_bytes passphrase,
	struct hf_errinfo *ei)
{
	uint8_t der[HF_PKCS8_SEALED_MAX];
	struct hf_pem_block b = { 0 };
	size_t len = 0;
	hf_err e;

	hf_sm2_key_clear(key);
	if (file.len > 0 && file.p[0] == HF_DER_SEQUENCE)
		return read_der(key, file, passphrase, ei);
	do {
		e = hf_pem_next(&b, &file);
	} while (e == HF_OK && !is_key_label(b.label));
	if (e == HF_OK)
		e = hf_pem_decode(der, sizeof(der), &len, &b);
	if (e == HF_ERR_NOT_FOUND)
		return hf_fail(ei, e, "no private key in the file");
	if (e != HF_OK)
		return hf_fail(ei, e, "private key: PEM text is not well formed");
	e = read_der(key, (struct hf_bytes){ der, len }, passphrase, ei);
	hf_wipe(der, sizeof(der));
	return e;
}
