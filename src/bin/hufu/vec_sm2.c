/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Vectors of SM2. Only the recommended curve is there to be tested; the examples of the standard on
 * other curves are skipped.
 */
#include <stdio.h>
#include <string.h>

#include "base/endian.h"
#include "crypto/kdf.h"
#include "crypto/sm2.h"
#include "crypto/sm3.h"
#include "vec_run.h"

enum {
	KEX_KEY_MAX = 1 << 16, /* bytes of an exchanged key */
	DER_HEADS = 32,        /* bytes that DER adds to a raw ciphertext, at most */
	ORDER_TAIL = 4,        /* the last bytes of a scalar, enough to step it by one or two */
};

static bool is_our_curve(struct vec_run *r)
{
	const char *curve = vec_text(r, "CurveText");

	if (curve == NULL || strcmp(curve, "sm2p256v1") == 0)
		return true;
	vec_skip(r, "on the curve %.40s; this version has sm2p256v1 only", curve);
	return false;
}

/* --- the parameters of the curve ------------------------------------------------------------- */

/* The parameters are not written down in the module's interface; each is found by what it does. */
static void check_order(struct vec_run *r, const uint8_t n[HF_SM2_LEN])
{
	struct hf_sm2_key key;
	uint8_t d[HF_SM2_LEN];
	uint32_t tail = hf_get_be32(n + HF_SM2_LEN - ORDER_TAIL);

	memcpy(d, n, sizeof(d));
	hf_put_be32(d + sizeof(d) - ORDER_TAIL, tail - 2);
	vec_check(r, hf_sm2_key_from_private(&key, d) == HF_OK, "N: n - 2 is no private key");
	hf_put_be32(d + sizeof(d) - ORDER_TAIL, tail - 1);
	vec_check(r, hf_sm2_key_from_private(&key, d) != HF_OK, "N: n - 1 is a private key");
}

/* p = y + (p - y), the two points of one x. */
static void check_prime(struct vec_run *r, const struct hf_sm2_pub *g)
{
	uint8_t in[1 + HF_SM2_LEN];
	struct hf_sm2_pub other;
	uint8_t p[HF_SM2_LEN];
	unsigned carry = 0;

	memcpy(in + 1, g->x, HF_SM2_LEN);
	in[0] = (uint8_t)(2 | (~g->y[HF_SM2_LEN - 1] & 1));
	if (!vec_ok(r, "P", hf_sm2_pub_parse(&other, in, sizeof(in))))
		return;
	for (size_t i = HF_SM2_LEN; i-- > 0; carry >>= 8) {
		carry += (unsigned)g->y[i] + other.y[i];
		p[i] = (uint8_t)carry;
	}
	vec_expect(r, "P", p, sizeof(p));
}

/* Z of GB/T 32918.2 5.5 over the vector's a, b and G must be ours. */
static void check_z(struct vec_run *r, const struct hf_sm2_pub *g)
{
	static const uint8_t entl[] = { 0, 0 };
	uint8_t ours[HF_SM3_LEN];
	uint8_t theirs[HF_SM3_LEN];
	struct hf_sm3 s;

	hf_sm3_init(&s);
	hf_sm3_feed(&s, entl, sizeof(entl));
	for (size_t i = 0; i < 4; i++) {
		static const char *const names[] = { "A", "B", "Gx", "Gy" };
		uint8_t v[HF_SM2_LEN] = { 0 };

		if (!vec_big(r, names[i], v, sizeof(v)))
			vec_fail(r, "%s: missing, or of more than %d bytes", names[i], HF_SM2_LEN);
		hf_sm3_feed(&s, v, sizeof(v));
	}
	hf_sm3_feed(&s, g->x, HF_SM2_LEN);
	hf_sm3_feed(&s, g->y, HF_SM2_LEN);
	hf_sm3_done(&s, theirs);
	if (vec_ok(r, "Z", hf_sm2_z(ours, g, NULL, 0)))
		vec_check(r, memcmp(ours, theirs, sizeof(ours)) == 0,
			"A, B, Gx or Gy differs from what Z is made with");
}

void vec_run_sm2_curve(struct vec_run *r)
{
	static const uint8_t one[HF_SM2_LEN] = { [HF_SM2_LEN - 1] = 1 };
	uint8_t n[HF_SM2_LEN];
	struct hf_sm2_key g;

	if (!is_our_curve(r) || !vec_ok(r, "G", hf_sm2_key_from_private(&g, one)))
		return;
	vec_expect(r, "Gx", g.pub.x, HF_SM2_LEN);
	vec_expect(r, "Gy", g.pub.y, HF_SM2_LEN);
	vec_expect(r, "Cofactor", one + HF_SM2_LEN - 1, 1);
	check_z(r, &g.pub);
	check_prime(r, &g.pub);
	if (vec_big(r, "N", n, sizeof(n)))
		check_order(r, n);
}

/* --- keys ------------------------------------------------------------------------------------ */

/* A private key; false: it is missing or refused (then the case is settled, if it must be there).
 */
static bool get_key(struct vec_run *r, const char *name, struct hf_sm2_key *key)
{
	uint8_t d[HF_SM2_LEN];

	return vec_big(r, name, d, sizeof(d)) && hf_sm2_key_from_private(key, d) == HF_OK;
}

/* A public key from <name>X and <name>Y; false: not there. Whether it is a point is not asked. */
static bool get_pub(struct vec_run *r, const char *name, struct hf_sm2_pub *pub)
{
	char x[24];
	char y[24];

	(void)snprintf(x, sizeof(x), "%sX", name);
	(void)snprintf(y, sizeof(y), "%sY", name);
	return vec_big(r, x, pub->x, HF_SM2_LEN) && vec_big(r, y, pub->y, HF_SM2_LEN);
}

/* The signer's or receiver's public key, in any of the forms a vector may give it in. */
static hf_err get_public(struct vec_run *r, struct hf_sm2_pub *pub)
{
	struct hf_bytes whole = vec_want(r, "PublicKey");
	struct hf_sm2_key key;

	if (get_pub(r, "Public", pub))
		return HF_OK;
	if (vec_has(r, "PublicKey"))
		return hf_sm2_pub_parse(pub, whole.p, whole.len);
	if (vec_has(r, "PublicX") || vec_has(r, "PublicY"))
		return HF_ERR_FORMAT;
	if (!vec_has(r, "PrivateKey"))
		vec_fail(r, "neither a public nor a private key");
	if (!get_key(r, "PrivateKey", &key))
		return HF_ERR_FORMAT;
	*pub = key.pub;
	return HF_OK;
}

/* The public key of the private one is that of the case. */
static void check_pair(struct vec_run *r, const struct hf_sm2_key *key)
{
	uint8_t point[HF_SM2_POINT_LEN];

	hf_sm2_pub_emit(point, &key->pub);
	vec_expect(r, "PublicX", key->pub.x, HF_SM2_LEN);
	vec_expect(r, "PublicY", key->pub.y, HF_SM2_LEN);
	vec_expect(r, "PublicKey", point, sizeof(point));
}

/* --- signatures ------------------------------------------------------------------------------ */

static struct hf_bytes user_id(const struct vec_run *r)
{
	return vec_has(r, "UserId") ? vec_want(r, "UserId") : hf_bytes_str(HF_SM2_ID_DEFAULT);
}

/* e from the message, or as the case gives it. False: the case is settled. */
static bool get_digest(struct vec_run *r, const struct hf_sm2_pub *pub, uint8_t e[HF_SM3_LEN])
{
	struct hf_bytes id = user_id(r);
	struct hf_bytes m = vec_want(r, "Msg");

	if (!vec_has(r, "Msg")) {
		if (!vec_big(r, "E", e, HF_SM3_LEN))
			vec_fail(r, "neither Msg nor E");
		return vec_is_open(r);
	}
	return vec_ok(r, "e", hf_sm2_digest(e, pub, id.p, id.len, m.p, m.len));
}

/* What the standard's examples print on the way, and the signature with their nonce. */
static void check_signing(
	struct vec_run *r, const struct hf_sm2_pub *pub, const uint8_t e[HF_SM3_LEN])
{
	struct hf_bytes id = user_id(r);
	uint8_t z[HF_SM3_LEN];
	uint8_t der[HF_SM2_SIG_DER_MAX];
	uint8_t raw[HF_SM2_SIG_LEN];
	struct hf_sm2_key key;
	struct vec_nonce k;
	struct hf_rng rng = vec_nonce_rng(&k);
	struct hf_sm2_sig sig;
	hf_err done;

	if (vec_ok(r, "Z", hf_sm2_z(z, pub, id.p, id.len)))
		vec_expect(r, "Za", z, sizeof(z));
	vec_expect(r, "E", e, HF_SM3_LEN);
	if (!vec_has(r, "PrivateKey"))
		return;
	if (!get_key(r, "PrivateKey", &key)) {
		vec_fail(r, "PrivateKey: refused");
		return;
	}
	check_pair(r, &key);
	if (!vec_big(r, "K", k.b, sizeof(k.b)))
		return;
	done = hf_sm2_sign_digest(&sig, &key, e, &rng);
	vec_check(r, done != HF_ERR_ENTROPY, "K: no nonce, or one that gives no signature");
	if (!vec_ok(r, "sign", done))
		return;
	memcpy(raw, sig.r, HF_SM2_LEN);
	memcpy(raw + HF_SM2_LEN, sig.s, HF_SM2_LEN);
	vec_expect(r, "R", sig.r, HF_SM2_LEN);
	vec_expect(r, "S", sig.s, HF_SM2_LEN);
	vec_expect(r, "Sig", raw, sizeof(raw));
	vec_expect(r, "SigDer", der, hf_sm2_sig_emit_der(der, &sig));
}

/* Does a signature in the given form verify? */
static bool verifies(struct vec_run *r, const struct hf_sm2_pub *pub, const uint8_t e[HF_SM3_LEN],
	const char *form)
{
	struct hf_bytes b = vec_want(r, form);
	struct hf_sm2_sig sig;

	if (strcmp(form, "SigDer") == 0) {
		if (hf_sm2_sig_parse_der(&sig, b.p, b.len) != HF_OK)
			return false;
	} else if (strcmp(form, "Sig") == 0) {
		if (b.len != HF_SM2_SIG_LEN)
			return false;
		memcpy(sig.r, b.p, HF_SM2_LEN);
		memcpy(sig.s, b.p + HF_SM2_LEN, HF_SM2_LEN);
	} else if (!vec_big(r, "R", sig.r, HF_SM2_LEN) || !vec_big(r, "S", sig.s, HF_SM2_LEN)) {
		return false;
	}
	return hf_sm2_verify_digest(pub, e, &sig) == HF_OK;
}

void vec_run_sm2_sign(struct vec_run *r)
{
	static const char *const forms[] = { "R", "Sig", "SigDer" };
	struct hf_sm2_pub pub;
	uint8_t e[HF_SM3_LEN];
	hf_err found;

	if (!is_our_curve(r))
		return;
	found = get_public(r, &pub);
	if (found == HF_OK)
		found = hf_sm2_pub_check(&pub);
	if (!vec_is_open(r))
		return;
	if (found != HF_OK) {
		vec_verdict(r, "key", false);
		return;
	}
	if (!get_digest(r, &pub, e))
		return;
	if (vec_must_accept(r))
		check_signing(r, &pub, e);
	for (size_t i = 0; i < HF_COUNT(forms); i++)
		if (vec_has(r, forms[i]))
			vec_verdict(r, forms[i], verifies(r, &pub, e, forms[i]));
}

/* --- encryption ------------------------------------------------------------------------------ */

/* C1 of a ciphertext as x || y: what follows it moves up. False: no point of a known form. */
static bool take_c1(uint8_t *raw, size_t *raw_len, struct hf_bytes in)
{
	struct hf_sm2_pub c1;
	size_t len = 1 + HF_SM2_LEN;

	if (in.len > 0 && in.p[0] == 4) {
		memcpy(raw, in.p + 1, in.len - 1);
		*raw_len = in.len - 1;
		return true;
	}
	if (in.len < len || hf_sm2_pub_parse(&c1, in.p, len) != HF_OK)
		return false;
	memcpy(raw, c1.x, HF_SM2_LEN);
	memcpy(raw + HF_SM2_LEN, c1.y, HF_SM2_LEN);
	memcpy(raw + 2 * HF_SM2_LEN, in.p + len, in.len - len);
	*raw_len = in.len - len + 2 * HF_SM2_LEN;
	return true;
}

/* C1 || C2 || C3 of the old draft to C1 || C3 || C2, both without the 04. */
static bool reorder(struct vec_run *r, uint8_t *raw, size_t raw_len)
{
	uint8_t *c2 = raw + 2 * HF_SM2_LEN;
	uint8_t *old;
	size_t c2_len;

	if (raw_len < HF_SM2_CIPHER_OVERHEAD)
		return false;
	c2_len = raw_len - HF_SM2_CIPHER_OVERHEAD;
	old = vec_room(r, c2_len + HF_SM3_LEN);
	if (old == NULL)
		return false;
	memcpy(old, c2, c2_len + HF_SM3_LEN);
	memcpy(c2, old + c2_len, HF_SM3_LEN);
	if (c2_len > 0)
		memcpy(c2 + HF_SM3_LEN, old, c2_len);
	return true;
}

/* Decrypts one form of the ciphertext; a valid one must give Msg. */
static void check_decryption(struct vec_run *r, const struct hf_sm2_key *key, const char *form)
{
	struct hf_bytes in = vec_want(r, form);
	size_t len = in.len + 2 * HF_SM2_LEN; /* short coordinates grow */
	uint8_t *raw = vec_room(r, len);
	uint8_t *out = vec_room(r, len);
	bool is_read;

	if (raw == NULL || out == NULL)
		return;
	if (strcmp(form, "CipherDer") == 0)
		is_read = hf_sm2_cipher_parse_der(raw, &len, in.p, in.len) == HF_OK;
	else
		is_read = take_c1(raw, &len, in);
	if (is_read && strcmp(form, "CipherC1C2C3") == 0)
		is_read = reorder(r, raw, len);
	is_read = is_read && hf_sm2_decrypt(out, key, raw, len) == HF_OK;
	vec_verdict(r, form, is_read);
	if (is_read && vec_must_accept(r))
		vec_expect(r, "Msg", out, len - HF_SM2_CIPHER_OVERHEAD);
}

/* The ciphertext in all its forms, as the nonce of the case makes it. */
static void expect_cipher(struct vec_run *r, uint8_t *raw, size_t len)
{
	uint8_t *c2 = raw + 1 + HF_SM2_CIPHER_OVERHEAD;
	size_t c2_len = len - HF_SM2_CIPHER_OVERHEAD;
	size_t der_len = len + DER_HEADS;
	uint8_t *der = vec_room(r, der_len);
	uint8_t *old = vec_room(r, len + 1);

	if (der == NULL || old == NULL)
		return;
	raw[0] = 4;
	vec_expect(r, "CipherC1C3C2", raw, len + 1);
	vec_expect(r, "C1", raw, HF_SM2_POINT_LEN);
	vec_expect(r, "C3", raw + HF_SM2_POINT_LEN, HF_SM3_LEN);
	vec_expect(r, "C2", c2, c2_len);
	memcpy(old, raw, HF_SM2_POINT_LEN);
	memcpy(old + HF_SM2_POINT_LEN, c2, c2_len);
	memcpy(old + HF_SM2_POINT_LEN + c2_len, raw + HF_SM2_POINT_LEN, HF_SM3_LEN);
	vec_expect(r, "CipherC1C2C3", old, len + 1);
	if (vec_ok(r, "CipherDer", hf_sm2_cipher_emit_der(der, &der_len, raw + 1, len)))
		vec_expect(r, "CipherDer", der, der_len);
}

/* The shared point and the key stream that the standard's examples print. */
static void check_steps(struct vec_run *r, const struct hf_sm2_pub *pub, size_t len)
{
	uint8_t z[2 * HF_SM2_LEN];
	uint8_t *t = vec_room(r, len);
	struct hf_sm2_key k;

	if (t == NULL || !get_key(r, "K", &k))
		return;
	if (vec_ok(r, "X2", hf_sm2_ecdh(z, &k, pub)))
		vec_expect(r, "X2", z, HF_SM2_LEN);
	if (vec_big(r, "Y2", z + HF_SM2_LEN, HF_SM2_LEN) &&
		vec_ok(r, "T", hf_sm2_kdf(t, len, z, sizeof(z))))
		vec_expect(r, "T", t, len);
}

static void check_encryption(struct vec_run *r, const struct hf_sm2_pub *pub)
{
	struct hf_bytes m = vec_want(r, "Msg");
	struct vec_nonce k;
	struct hf_rng rng = vec_nonce_rng(&k);
	uint8_t *raw;

	if (!vec_has(r, "Msg") || !vec_big(r, "K", k.b, sizeof(k.b)))
		return;
	raw = vec_room(r, 1 + HF_SM2_CIPHER_OVERHEAD + m.len);
	if (raw == NULL || !vec_ok(r, "encrypt", hf_sm2_encrypt(raw + 1, pub, m.p, m.len, &rng)))
		return;
	expect_cipher(r, raw, HF_SM2_CIPHER_OVERHEAD + m.len);
	check_steps(r, pub, m.len);
}

void vec_run_sm2_enc(struct vec_run *r)
{
	static const char *const forms[] = { "CipherC1C3C2", "CipherC1C2C3", "CipherDer" };
	struct hf_sm2_key key;
	struct hf_sm2_pub pub;

	if (!is_our_curve(r))
		return;
	if (get_key(r, "PrivateKey", &key)) {
		if (vec_must_accept(r))
			check_pair(r, &key);
		for (size_t i = 0; i < HF_COUNT(forms); i++)
			if (vec_has(r, forms[i]))
				check_decryption(r, &key, forms[i]);
	} else if (vec_has(r, "PrivateKey")) {
		vec_verdict(r, "PrivateKey", false);
		return;
	}
	if (vec_is_open(r) && vec_must_accept(r) && get_public(r, &pub) == HF_OK)
		check_encryption(r, &pub);
}

/* --- key exchange ---------------------------------------------------------------------------- */

/* One party: private keys where the case has them, public ones always. */
struct party {
	struct hf_sm2_key d;
	struct hf_sm2_key e;
	bool is_ours; /* both private keys are there */
	struct hf_bytes id;
};

static bool get_party(struct vec_run *r, struct party *p, char which)
{
	char d[3] = { 'D', (char)(which | 0x20), 0 };
	char e[3] = { 'R', (char)(which | 0x20), 0 };
	char pub[3] = { 'P', (char)(which | 0x20), 0 };
	char id[4] = { 'I', 'd', which, 0 };
	bool has_d = get_key(r, d, &p->d);
	bool has_e = get_key(r, e, &p->e);
	bool has_pub = get_pub(r, pub, &p->d.pub);
	bool has_e_pub = get_pub(r, e, &p->e.pub);

	p->is_ours = has_d && has_e;
	p->id = vec_has(r, id) ? vec_want(r, id) : hf_bytes_str(HF_SM2_ID_DEFAULT);
	return (has_d || has_pub) && (has_e || has_e_pub);
}

/* The private keys belong to the public ones that the case prints. */
static void check_party(struct vec_run *r, char which)
{
	static const char *const pairs[][2] = { { "D", "P" }, { "R", "R" } };

	for (size_t i = 0; i < HF_COUNT(pairs); i++) {
		char name[4] = { pairs[i][0][0], (char)(which | 0x20), 0, 0 };
		struct hf_sm2_key key;

		if (!get_key(r, name, &key))
			continue;
		name[0] = pairs[i][1][0];
		name[2] = 'X';
		vec_expect(r, name, key.pub.x, HF_SM2_LEN);
		name[2] = 'Y';
		vec_expect(r, name, key.pub.y, HF_SM2_LEN);
	}
}

static void check_side(struct vec_run *r, const struct party *self, const struct party *peer,
	bool is_a, size_t key_len)
{
	struct hf_sm2_kex x = { is_a, &self->d, &self->e, self->id.p, self->id.len, &peer->d.pub,
		&peer->e.pub, peer->id.p, peer->id.len };
	uint8_t s_self[HF_SM3_LEN];
	uint8_t s_peer[HF_SM3_LEN];
	uint8_t *key = vec_room(r, key_len);
	bool accepted;

	if (key == NULL)
		return;
	accepted = hf_sm2_kex_key(key, key_len, s_self, s_peer, &x) == HF_OK;
	vec_verdict(r, is_a ? "exchange of A" : "exchange of B", accepted);
	if (!accepted || !vec_must_accept(r))
		return;
	vec_expect(r, "Key", key, key_len);
	vec_expect(r, "S1", is_a ? s_peer : s_self, HF_SM3_LEN);
	vec_expect(r, "S2", is_a ? s_self : s_peer, HF_SM3_LEN);
}

/* Key = KDF(xV || yV || ZA || ZB) with the values that the case prints. */
static void check_kex_steps(
	struct vec_run *r, const struct party *a, const struct party *b, size_t key_len)
{
	uint8_t in[4 * HF_SM2_LEN];
	uint8_t *z = in + 2 * HF_SM2_LEN;
	uint8_t *key = vec_room(r, key_len);

	if (key == NULL || !vec_ok(r, "Za", hf_sm2_z(z, &a->d.pub, a->id.p, a->id.len)) ||
		!vec_ok(r, "Zb", hf_sm2_z(z + HF_SM3_LEN, &b->d.pub, b->id.p, b->id.len)))
		return;
	vec_expect(r, "Za", z, HF_SM3_LEN);
	vec_expect(r, "Zb", z + HF_SM3_LEN, HF_SM3_LEN);
	if (vec_big(r, "Vx", in, HF_SM2_LEN) && vec_big(r, "Vy", in + HF_SM2_LEN, HF_SM2_LEN) &&
		vec_ok(r, "Key", hf_sm2_kdf(key, key_len, in, sizeof(in))))
		vec_expect(r, "Key", key, key_len);
}

void vec_run_sm2_kex(struct vec_run *r)
{
	uint64_t bits = vec_number(r, "KeyBits", 8 * vec_want(r, "Key").len, 8 * KEX_KEY_MAX);
	struct party a = { .is_ours = false };
	struct party b = { .is_ours = false };

	if (!is_our_curve(r))
		return;
	if (bits % 8 != 0)
		vec_skip(r, "KeyBits is not of whole bytes");
	if (!get_party(r, &a, 'A') || !get_party(r, &b, 'B') || (!a.is_ours && !b.is_ours))
		vec_fail(r, "neither side's keys are complete");
	if (!vec_is_open(r))
		return;
	check_party(r, 'A');
	check_party(r, 'B');
	if (a.is_ours)
		check_side(r, &a, &b, true, (size_t)(bits / 8));
	if (b.is_ours)
		check_side(r, &b, &a, false, (size_t)(bits / 8));
	if (vec_must_accept(r))
		check_kex_steps(r, &a, &b, (size_t)(bits / 8));
}
