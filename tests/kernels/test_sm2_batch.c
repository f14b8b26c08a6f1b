/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batches of SM2 on every kernel that this processor can run, the portable one too, against single
 * operations: random jobs, every small number of jobs, scalars and points at the edges, points that
 * meet in additions, bad jobs among good ones; and the speed of all of them.
 */
#include "test.h"

#include "crypto/module.h"
#include "crypto/sm2/sm2_batch.h"
#include "crypto/sm2/sm2_fn.h"
#include "crypto/sm2/sm2_mul.h"
#include "kernels.h"

enum {
	RANDOM_JOBS = TEST_HAS_MLOCK ? 10240 : 1024, /* sanitizers make single calls slow */
	REFERENCE_JOBS = 1024,                       /* it is made of the same functions */
	JOBS_MAX = 80,
	LEN = HF_SM2_LEN,
};

static int set_up(void **state)
{
	(void)state;
	return hf_module_start(test_cpu()) == HF_OK ? 0 : -1;
}

/* The services work on this kernel from here on, which no user of the module can bring about. */
static void force(const struct hf_sm2_batch_kernel *k)
{
	struct hf_module *m = (struct hf_module *)(uintptr_t)hf_module();

	m->sm2_batch = k;
}

/* The kernels that can run here, forced one after the other; false after the last. */
static bool next_kernel(size_t *i)
{
	const struct hf_sm2_batch_kernel *k;

	while ((k = hf_sm2_batch_kernel_at(*i)) != NULL) {
		(*i)++;
		if ((k->needs & ~test_cpu()) == 0) {
			force(k);
			return true;
		}
		print_message("%s: not on this processor\n", k->name);
	}
	force(hf_sm2_batch_choose(test_cpu()));
	return false;
}

/* Everything on the heap and exactly as long as promised. */
struct jobs {
	size_t n;
	struct hf_sm2_key *keys;
	struct hf_sm2_sig *sigs;
	uint8_t (*e)[LEN];
	uint8_t (*x)[LEN];
	struct hf_sm2_key_job *make;
	struct hf_sm2_sign_job *sign;
	struct hf_sm2_verify_job *verify;
	struct hf_sm2_ecdh_job *ecdh;
};

/* Job i of ECDH is with the key of job i + 1. */
static void jobs_new(struct jobs *j, size_t n)
{
	j->n = n;
	j->keys = calloc(n, sizeof(*j->keys));
	j->sigs = calloc(n, sizeof(*j->sigs));
	j->e = calloc(n, sizeof(*j->e));
	j->x = calloc(n, sizeof(*j->x));
	j->make = calloc(n, sizeof(*j->make));
	j->sign = calloc(n, sizeof(*j->sign));
	j->verify = calloc(n, sizeof(*j->verify));
	j->ecdh = calloc(n, sizeof(*j->ecdh));
	for (size_t i = 0; i < n; i++) {
		j->make[i] = (struct hf_sm2_key_job){ &j->keys[i], HF_ERR_ARG };
		j->sign[i] =
			(struct hf_sm2_sign_job){ &j->keys[i], j->e[i], &j->sigs[i], HF_ERR_ARG };
		j->verify[i] = (struct hf_sm2_verify_job){ &j->keys[i].pub, j->e[i], &j->sigs[i],
			HF_ERR_ARG };
		j->ecdh[i] = (struct hf_sm2_ecdh_job){ &j->keys[i], &j->keys[(i + 1) % n].pub,
			j->x[i], HF_ERR_ARG };
	}
}

static void jobs_free(struct jobs *j)
{
	free(j->keys);
	free(j->sigs);
	free(j->e);
	free(j->x);
	free(j->make);
	free(j->sign);
	free(j->verify);
	free(j->ecdh);
}

/* n jobs of each kind; the same seed gives single calls the same keys and nonces. */
static void compare_with_single_calls(size_t n, uint64_t seed)
{
	struct test_rng rs;
	struct hf_rng rng = test_rng(&rs, seed);
	struct jobs j;

	jobs_new(&j, n);
	for (size_t i = 0; i < n; i++)
		assert_ok(hf_rng_fill(&rng, j.e[i], LEN));
	rng = test_rng(&rs, seed + 1);
	assert_ok(hf_sm2_key_new_batch(j.make, n, &rng));
	assert_ok(hf_sm2_sign_batch(j.sign, n, &rng));
	assert_ok(hf_sm2_verify_batch(j.verify, n));
	assert_ok(hf_sm2_ecdh_batch(j.ecdh, n));

	rng = test_rng(&rs, seed + 1);
	for (size_t i = 0; i < n; i++) {
		struct hf_sm2_key key;

		assert_ok(hf_sm2_key_new(&key, &rng));
		assert_memory_equal(&key, &j.keys[i], sizeof(key));
		assert_ok(j.make[i].result);
	}
	for (size_t i = 0; i < n; i++) {
		struct hf_sm2_sig sig;
		uint8_t x[LEN];

		assert_ok(hf_sm2_sign_digest(&sig, &j.keys[i], j.e[i], &rng));
		assert_memory_equal(&sig, &j.sigs[i], sizeof(sig));
		assert_ok(hf_sm2_verify_digest(&j.keys[i].pub, j.e[i], &sig));
		assert_ok(hf_sm2_ecdh(x, &j.keys[i], &j.keys[(i + 1) % n].pub));
		assert_memory_equal(x, j.x[i], LEN);
		assert_ok(j.sign[i].result);
		assert_ok(j.verify[i].result);
		assert_ok(j.ecdh[i].result);
	}
	jobs_free(&j);
}

static void random_jobs_give_what_single_calls_give(void **state)
{
	struct test_rng rs;
	size_t n;

	(void)state;
	for (size_t at = 0; next_kernel(&at);) {
		size_t jobs = hf_module()->sm2_batch->needs == 0 ? REFERENCE_JOBS : RANDOM_JOBS;

		(void)test_rng(&rs, 1);
		for (size_t done = 0; done < jobs; done += n) {
			n = 1 + (size_t)test_rng_below(&rs, JOBS_MAX);
			compare_with_single_calls(n, 1000 + done);
		}
	}
}

static void every_number_of_jobs_gives_what_single_calls_give(void **state)
{
	(void)state;
	for (size_t at = 0; next_kernel(&at);)
		for (size_t n = 0; n <= 2 * HF_SM2_BATCH_MAX + 1; n++)
			compare_with_single_calls(n, 7 * n);
}

/* Scalars where windows, carries and comparisons end. */
static size_t edges(uint64_t k[JOBS_MAX][4])
{
	static const uint64_t offsets[] = { 1, 2, 3, 4, 5, 6, 7, 8, 15, 16, 17, 31, 32, 33, 34, 63,
		64, 65 };
	size_t n = 0;

	for (size_t i = 0; i < HF_COUNT(offsets); i++) {
		uint64_t small[4] = { offsets[i] };

		memcpy(k[n++], small, LEN);
		(void)hf_w256_sub(k[n++], hf_fn_n, small);
	}
	for (unsigned bit = 51; bit < 256; bit += 17) {
		memset(k[n], 0, LEN);
		k[n][bit / 64] = UINT64_C(1) << bit % 64;
		n++;
	}
	for (unsigned i = 0; i < 4; i++) { /* (n - 1) / 2, (n + 1) / 2, and all ones below n */
		k[n][i] = hf_fn_n[i] >> 1 | (i < 3 ? hf_fn_n[i + 1] << 63 : 0);
		k[n + 1][i] = k[n][i] + (i == 0);
		k[n + 2][i] = i < 3 ? UINT64_MAX : 0;
		k[n + 3][i] = UINT64_C(0x5555555555555555) << (i & 1);
	}
	return n + 4;
}

/* [k] P for a batch, k of edges(), beside the single function. */
static void ecdh_at_the_edges(uint64_t k[JOBS_MAX][4], size_t n, const struct hf_sm2_pub *peer)
{
	struct hf_sm2_ecdh_lane l[HF_SM2_BATCH_MAX];

	for (size_t i = 0; i < n; i++) {
		size_t at = i % HF_SM2_BATCH_MAX;
		size_t used = at + 1;

		memcpy(l[at].d, k[i], LEN);
		l[at].peer = peer;
		if (used < HF_SM2_BATCH_MAX && i + 1 < n)
			continue;
		assert_int_equal(hf_module()->sm2_batch->ecdh(l, used),
			used == 32 ? UINT32_MAX : (UINT32_C(1) << used) - 1);
		for (size_t m = 0; m < used; m++) {
			struct hf_pt p;
			struct hf_pt_affine a;
			uint8_t want[LEN];
			uint8_t got[LEN];

			assert_ok(hf_pt_from_pub(&p, peer));
			hf_pt_mul(&p, k[i + 1 - used + m], &p);
			hf_pt_affine(&a, &p);
			hf_fp_put(want, &a.x);
			hf_w256_put(got, l[m].x);
			assert_memory_equal(got, want, LEN);
		}
	}
}

/* G, -G, their small multiples, points whose multiples meet those of G, and the like. */
static void shared_values_at_the_edges_are_right(void **state)
{
	uint64_t k[JOBS_MAX][4];
	size_t n = edges(k);

	(void)state;
	for (size_t at = 0; next_kernel(&at);)
		for (size_t i = 0; i < n; i += at == 1 ? 1 : 5) {
			struct hf_pt p;
			struct hf_pt_affine a;
			struct hf_sm2_pub peer;

			hf_pt_mul_base(&p, k[i]);
			hf_pt_affine(&a, &p);
			hf_pt_to_pub(&peer, &a);
			ecdh_at_the_edges(k, n, &peer);
		}
}

static hf_err play(void *ctx, uint8_t *out, size_t len)
{
	const uint8_t **next = ctx;

	assert_int_equal(len, LEN);
	memcpy(out, *next, LEN);
	*next += LEN;
	return HF_OK;
}

/* Private keys and nonces at the edges; digests of 0, n and more as well. */
static void keys_and_signatures_at_the_edges_are_right(void **state)
{
	uint64_t k[JOBS_MAX][4];
	uint8_t bytes[JOBS_MAX][LEN];
	size_t n = edges(k);

	(void)state;
	for (size_t i = 0; i < n; i++)
		hf_w256_put(bytes[i], k[i]);
	for (size_t at = 0; next_kernel(&at);)
		for (size_t shift = 0; shift < n; shift += at == 1 ? 3 : 11) {
			const uint8_t *next = bytes[0];
			struct hf_rng rng = { play, &next };
			struct jobs j;

			jobs_new(&j, n - 2); /* n - 1, at 1, is no private key: another is drawn */
			assert_ok(hf_sm2_key_new_batch(j.make, n - 2, &rng));
			next = bytes[0];
			for (size_t i = 0; i < n - 2; i++) {
				struct hf_sm2_key key;

				assert_ok(hf_sm2_key_new(&key, &rng));
				assert_memory_equal(&key, &j.keys[i], sizeof(key));
				memset(j.e[i], i % 3 == 0 ? 0 : 0xff, LEN);
				if (i % 5 == 0)
					hf_w256_put(j.e[i], hf_fn_n);
			}
			next = bytes[shift];
			assert_ok(hf_sm2_sign_batch(
				j.sign, n - 2 < n - shift ? n - 2 : n - shift, &rng));
			next = bytes[shift];
			for (size_t i = 0; i < n - 2 && i < n - shift; i++) {
				struct hf_sm2_sig sig;

				assert_ok(hf_sm2_sign_digest(&sig, &j.keys[i], j.e[i], &rng));
				assert_memory_equal(&sig, &j.sigs[i], sizeof(sig));
				assert_ok(hf_sm2_verify_batch(&j.verify[i], 1));
			}
			jobs_free(&j);
		}
}

/* sig and e such that [s] G + [t] P is `sum`: r = t - s, e = r - x1. */
static void craft(struct hf_sm2_sig *sig, uint8_t e[LEN], const struct hf_fn *s,
	const struct hf_fn *t, const struct hf_pt *sum)
{
	struct hf_pt_affine a;
	struct hf_fn r;
	struct hf_fn x1;
	uint8_t x[LEN];

	hf_pt_affine(&a, sum);
	hf_fp_put(x, &a.x);
	hf_fn_get(&x1, x);
	hf_fn_sub(&r, t, s);
	hf_fn_put(sig->r, &r);
	hf_fn_put(sig->s, s);
	hf_fn_sub(&r, &r, &x1);
	hf_fn_put(e, &r);
}

/* [s] G + [t] P with s = t d is a doubling, with s = -t d infinity, where no signature holds. */
static void sums_that_meet_are_verified(void **state)
{
	struct test_rng rs;
	struct hf_rng rng = test_rng(&rs, 5);
	struct jobs j;

	(void)state;
	jobs_new(&j, 48);
	for (size_t i = 0; i < j.n; i++) {
		struct hf_fn d;
		struct hf_fn s;
		struct hf_fn t;
		struct hf_pt sum;
		uint64_t plain[4];
		uint8_t small[LEN] = { [LEN - 1] = (uint8_t)(i + 2) };

		assert_ok(hf_sm2_key_new(&j.keys[i], &rng));
		if (i % 4 == 1)
			assert_ok(hf_sm2_key_from_private(&j.keys[i], small));
		assert_ok(hf_fn_draw(plain, hf_fn_n, &rng));
		hf_fn_from(&t, plain);
		hf_fn_get(&d, j.keys[i].d);
		hf_fn_mul(&s, &t, &d);
		hf_fn_plain(plain, &s);
		hf_pt_mul_base(&sum, plain);
		hf_pt_add(&sum, &sum, &sum);
		if (i % 2 == 1) {
			hf_fn_sub(&d, &s, &s);
			hf_fn_sub(&s, &d, &s);
		}
		craft(&j.sigs[i], j.e[i], &s, &t, &sum);
	}
	for (size_t at = 0; next_kernel(&at);) {
		assert_err(hf_sm2_verify_batch(j.verify, j.n), HF_ERR_AUTH);
		for (size_t i = 0; i < j.n; i++) {
			assert_err(j.verify[i].result, i % 2 == 1 ? HF_ERR_AUTH : HF_OK);
			assert_err(hf_sm2_verify_digest(&j.keys[i].pub, j.e[i], &j.sigs[i]),
				j.verify[i].result);
		}
	}
	jobs_free(&j);
}

/* v + n for a small v: another form of the same number. */
static void other_form(uint8_t v[LEN])
{
	uint64_t w[4];

	hf_w256_get(w, v);
	assert_int_equal(hf_w256_add(w, w, hf_fn_n), 0);
	hf_w256_put(v, w);
}

/*
 * Signatures for which the sum of points is right: with a small r and a small s, which hold; with
 * r + n or s + n in their place; and with t = 0, which anybody can make. kind is 0 .. 4.
 */
static void craft_kind(
	struct hf_sm2_key *key, uint8_t e[LEN], struct hf_sm2_sig *sig, size_t i, unsigned kind)
{
	const uint64_t small[4] = { i + 1 };
	uint64_t plain[4] = { i, 3, 5, 7 };
	struct hf_fn r;
	struct hf_fn s;
	struct hf_fn t;
	struct hf_pt sum;
	struct hf_pt p;

	hf_fn_from(&r, kind < 2 ? small : plain);
	hf_fn_from(&s, kind < 2 ? plain : small);
	hf_fn_add(&t, &r, &s);
	if (kind == 4)
		hf_fn_sub(&t, &t, &t);
	hf_fn_plain(plain, &t);
	assert_ok(hf_pt_from_pub(&p, &key->pub));
	hf_pt_mul(&p, plain, &p);
	hf_fn_plain(plain, &s);
	hf_pt_mul_base(&sum, plain);
	hf_pt_add(&sum, &sum, &p);
	craft(sig, e, &s, &t, &sum);
	if (kind == 1)
		other_form(sig->r);
	if (kind == 3)
		other_form(sig->s);
}

static void other_forms_of_numbers_and_a_t_of_zero_are_refused(void **state)
{
	struct test_rng rs;
	struct hf_rng rng = test_rng(&rs, 14);
	struct jobs j;

	(void)state;
	jobs_new(&j, 45);
	for (size_t i = 0; i < j.n; i++) {
		assert_ok(hf_sm2_key_new(&j.keys[i], &rng));
		craft_kind(&j.keys[i], j.e[i], &j.sigs[i], i, (unsigned)i % 5);
	}
	for (size_t at = 0; next_kernel(&at);) {
		assert_err(hf_sm2_verify_batch(j.verify, j.n), HF_ERR_AUTH);
		for (size_t i = 0; i < j.n; i++)
			assert_err(
				j.verify[i].result, i % 5 == 0 || i % 5 == 2 ? HF_OK : HF_ERR_AUTH);
	}
	jobs_free(&j);
}

/* x1 of n and more, which happens once in 2^128: r is e + x1 - n then. */
static void an_x_of_n_or_more_is_taken_modulo_n(void **state)
{
	struct jobs j;
	size_t found = 0;

	(void)state;
	jobs_new(&j, 8);
	for (uint64_t more = 0; found < j.n; more++) {
		uint64_t x[4];
		uint64_t add[4] = { more };
		uint64_t plain[4];
		uint8_t bytes[LEN];
		struct hf_fp fx;
		struct hf_fn s;
		struct hf_pt_affine a;
		struct hf_pt sum;
		struct hf_pt p;

		(void)hf_w256_add(x, hf_fn_n, add);
		hf_w256_put(bytes, x);
		assert_true(hf_fp_get(&fx, bytes) != 0);
		if (hf_pt_find_y(&a, &fx, more & 1) == 0)
			continue;
		/* P = sum - [s] G with t = 1: s = 5 + found. */
		hf_fn_from(&s, (const uint64_t[4]){ 5 + found });
		hf_fn_plain(plain, &s);
		sum = (struct hf_pt){ a.x, a.y, hf_fp_one };
		hf_pt_mul_base(&p, plain);
		hf_pt_neg_if(&p, hf_ct_bit(1), &p);
		hf_pt_add(&p, &p, &sum);
		hf_pt_affine(&a, &p);
		hf_pt_to_pub(&j.keys[found].pub, &a);
		craft(&j.sigs[found], j.e[found], &s, &hf_fn_one, &sum);
		found++;
	}
	for (size_t at = 0; next_kernel(&at);)
		assert_ok(hf_sm2_verify_batch(j.verify, j.n));
	jobs_free(&j);
}

/* Ways in which a public key is none, and a signature. */
enum { BAD_PUBS = 7, BAD_SIGS = 8 + BAD_PUBS };

static void spoil_pub(struct hf_sm2_pub *pub, unsigned how)
{
	static const uint64_t p[4] = { HF_FP_P0, HF_FP_P1, HF_FP_P2, HF_FP_P3 };

	switch (how) {
	case 0: pub->x[LEN - 1] ^= 1; break;
	case 1: pub->y[0] ^= 0x40; break;
	case 2: memset(pub, 0, sizeof(*pub)); break;
	case 3: memset(pub, 0xff, sizeof(*pub)); break;
	case 4: hf_w256_put(pub->x, p); break;
	case 5: hf_w256_put(pub->y, p); break;
	default: memcpy(pub->y, pub->x, LEN); break;
	}
}

static void spoil(struct hf_sm2_pub *pub, uint8_t e[LEN], struct hf_sm2_sig *sig, unsigned how)
{
	struct hf_fn s;
	struct hf_fn zero;

	switch (how) {
	case 0: sig->r[LEN - 1] ^= 1; break;
	case 1: sig->s[0] ^= 0x80; break;
	case 2: e[7] ^= 4; break;
	case 3: memset(sig->r, 0, LEN); break;
	case 4: memset(sig->s, 0, LEN); break;
	case 5: hf_w256_put(sig->r, hf_fn_n); break;
	case 6: memset(sig->s, 0xff, LEN); break;
	case 7: /* r + s = n */
		hf_fn_get(&s, sig->r);
		hf_fn_sub(&zero, &s, &s);
		hf_fn_sub(&s, &zero, &s);
		hf_fn_put(sig->s, &s);
		break;
	default: spoil_pub(pub, how - 8); break;
	}
}

/* One bad job at every place of groups, and then half of them. */
static void a_bad_signature_fails_alone(void **state)
{
	struct test_rng rs;
	struct hf_rng rng = test_rng(&rs, 6);

	(void)state;
	for (size_t at = 0; next_kernel(&at);)
		for (unsigned how = 0; how <= BAD_SIGS; how++) {
			struct hf_sm2_pub pubs[19];
			struct jobs j;

			jobs_new(&j, 19);
			assert_ok(hf_sm2_key_new_batch(j.make, j.n, &rng));
			assert_ok(hf_sm2_sign_batch(j.sign, j.n, &rng));
			for (size_t i = 0; i < j.n; i++) {
				pubs[i] = j.keys[i].pub;
				j.verify[i].pub = &pubs[i];
				if (how < BAD_SIGS ? i == (how * 5) % j.n : i % 2 == 1)
					spoil(&pubs[i], j.e[i], &j.sigs[i],
						how < BAD_SIGS ? how : (unsigned)i % BAD_SIGS);
			}
			assert_err(hf_sm2_verify_batch(j.verify, j.n), HF_ERR_AUTH);
			for (size_t i = 0; i < j.n; i++)
				assert_err(j.verify[i].result,
					(how < BAD_SIGS ? i == (how * 5) % j.n : i % 2 == 1)
						? HF_ERR_AUTH
						: HF_OK);
			jobs_free(&j);
		}
}

/* Peers that are no points and keys that are none, each with its own result. */
static void a_bad_peer_or_key_fails_alone(void **state)
{
	struct test_rng rs;
	struct hf_rng rng = test_rng(&rs, 8);
	(void)state;
	for (size_t at = 0; next_kernel(&at);)
		for (unsigned how = 0; how < BAD_PUBS + 2; how++) {
			struct hf_sm2_pub pubs[70];
			struct jobs j;

			jobs_new(&j, 70);
			assert_ok(hf_sm2_key_new_batch(j.make, j.n, &rng));
			for (size_t i = 0; i < j.n; i++) {
				pubs[i] = j.keys[(i + 1) % j.n].pub;
				j.ecdh[i].peer = &pubs[i];
			}
			for (size_t i = how; i < j.n; i += 3 + how) {
				if (how < BAD_PUBS)
					spoil_pub(&pubs[i], how);
				else if (how == BAD_PUBS)
					memset(j.keys[i].d, 0, LEN);
				else
					hf_w256_put(j.keys[i].d, hf_fn_n_minus_1);
			}
			assert_err(hf_sm2_ecdh_batch(j.ecdh, j.n),
				how < BAD_PUBS ? HF_ERR_FORMAT : HF_ERR_ARG);
			for (size_t i = 0; i < j.n; i++) {
				uint8_t x[LEN] = { 0 };

				assert_err(hf_sm2_ecdh(x, &j.keys[i], &pubs[i]), j.ecdh[i].result);
				assert_memory_equal(x, j.x[i], LEN);
				if (i < how || (i - how) % (3 + how) != 0)
					assert_ok(j.ecdh[i].result);
			}
			jobs_free(&j);
		}
}

static void a_key_that_is_none_signs_nothing_and_spoils_nothing(void **state)
{
	struct test_rng rs;
	struct hf_rng rng = test_rng(&rs, 9);
	static const struct hf_sm2_sig untouched;

	(void)state;
	for (size_t at = 0; next_kernel(&at);)
		for (size_t bad = 0; bad < 35; bad++) {
			struct jobs j;

			jobs_new(&j, 35);
			assert_ok(hf_sm2_key_new_batch(j.make, j.n, &rng));
			hf_w256_put(j.keys[bad].d, hf_fn_n_minus_1); /* 1 + d = 0 */
			memset(j.keys[(bad + 11) % j.n].d, 0, LEN);
			assert_err(hf_sm2_sign_batch(j.sign, j.n, &rng), HF_ERR_ARG);
			assert_err(hf_sm2_verify_batch(j.verify, j.n), HF_ERR_AUTH);
			for (size_t i = 0; i < j.n; i++) {
				bool is_bad = i == bad || i == (bad + 11) % j.n;

				assert_err(j.sign[i].result, is_bad ? HF_ERR_ARG : HF_OK);
				assert_err(j.verify[i].result, is_bad ? HF_ERR_AUTH : HF_OK);
				if (is_bad)
					assert_memory_equal(
						&j.sigs[i], &untouched, sizeof(untouched));
			}
			jobs_free(&j);
		}
}

/* A generator that fails at its call of the given number. */
struct failing {
	struct hf_rng rng;
	unsigned at;
};

static hf_err fill_or_fail(void *ctx, uint8_t *out, size_t len)
{
	struct failing *f = ctx;

	memset(out, 0, len);
	return f->at-- == 0 ? HF_ERR_ENTROPY : hf_rng_fill(&f->rng, out, len);
}

static void a_failing_generator_fails_one_job(void **state)
{
	struct test_rng rs;
	struct failing f = { test_rng(&rs, 10), 0 };
	struct hf_rng rng = { fill_or_fail, &f };
	static const struct hf_sm2_key zero;

	(void)state;
	for (size_t at = 0; next_kernel(&at);)
		for (unsigned bad = 0; bad < 34; bad += 3) {
			struct jobs j;

			jobs_new(&j, 34);
			memset(j.keys, 7, j.n * sizeof(*j.keys));
			f.at = bad;
			assert_err(hf_sm2_key_new_batch(j.make, j.n, &rng), HF_ERR_ENTROPY);
			assert_err(j.make[bad].result, HF_ERR_ENTROPY);
			assert_memory_equal(&j.keys[bad], &zero, sizeof(zero));
			assert_ok(hf_sm2_key_new(&j.keys[bad], &f.rng));
			f.at = bad;
			assert_err(hf_sm2_sign_batch(j.sign, j.n, &rng), HF_ERR_ENTROPY);
			assert_err(hf_sm2_verify_batch(j.verify, j.n), HF_ERR_AUTH);
			for (size_t i = 0; i < j.n; i++) {
				assert_err(j.sign[i].result, i == bad ? HF_ERR_ENTROPY : HF_OK);
				assert_err(j.verify[i].result, i == bad ? HF_ERR_AUTH : HF_OK);
			}
			jobs_free(&j);
		}
}

/* The same bytes again and again. */
static hf_err stick(void *ctx, uint8_t *out, size_t len)
{
	memcpy(out, ctx, len);
	return HF_OK;
}

/* r = 0 and r + k = n are no signatures, and the generator gives no other nonce here. */
static void a_nonce_that_must_not_be_used_is_not(void **state)
{
	uint8_t k[LEN] = { [0] = 0x11, [31] = 9 };
	struct hf_rng stuck = { stick, k };
	struct hf_sm2_key kg;
	struct hf_fn x;
	struct hf_fn fk;
	struct hf_fn e;

	(void)state;
	assert_ok(hf_sm2_key_from_private(&kg, k));
	hf_fn_get(&x, kg.pub.x);
	hf_fn_get(&fk, k);
	hf_fn_sub(&e, &x, &x);
	hf_fn_sub(&e, &e, &x); /* r = 0 */
	for (size_t at = 0; next_kernel(&at);) {
		struct jobs j;

		jobs_new(&j, 11);
		for (size_t i = 0; i < j.n; i++)
			j.keys[i] = kg;
		hf_fn_put(j.e[3], &e);
		hf_fn_sub(&fk, &e, &fk); /* r + k = n */
		hf_fn_put(j.e[9], &fk);
		hf_fn_get(&fk, k);
		assert_err(hf_sm2_sign_batch(j.sign, j.n, &stuck), HF_ERR_ENTROPY);
		for (size_t i = 0; i < j.n; i++)
			assert_err(j.sign[i].result, i == 3 || i == 9 ? HF_ERR_ENTROPY : HF_OK);
		jobs_free(&j);
	}
}

/* The check of new pairs: every lane with another public key, a point or not, is found. */
static void pairs_that_are_none_are_found(void **state)
{
	struct hf_sm2_key_lane l[HF_SM2_BATCH_MAX];
	uint64_t k[JOBS_MAX][4];

	(void)state;
	(void)edges(k);
	for (size_t at = 0; next_kernel(&at);) {
		const struct hf_sm2_batch_kernel *kernel = hf_module()->sm2_batch;
		struct hf_sm2_key_lane t;

		for (size_t i = 0; i < HF_SM2_BATCH_MAX; i++)
			memcpy(l[i].d, k[i == 1 ? HF_SM2_BATCH_MAX : i], LEN); /* not n - 1 */
		kernel->keys(l, HF_SM2_BATCH_MAX);
		assert_int_equal(kernel->pairs(l, HF_SM2_BATCH_MAX), UINT32_MAX);
		for (size_t i = 0; i < HF_SM2_BATCH_MAX; i++) {
			uint32_t others = UINT32_MAX ^ UINT32_C(1) << i;

			t = l[i];
			l[i].x[1] ^= 1;
			assert_int_equal(kernel->pairs(l, HF_SM2_BATCH_MAX), others);
			l[i] = t;
			memcpy(l[i].x, l[(i + 9) % HF_SM2_BATCH_MAX].x, LEN);
			memcpy(l[i].y, l[(i + 9) % HF_SM2_BATCH_MAX].y, LEN);
			assert_int_equal(kernel->pairs(l, HF_SM2_BATCH_MAX), others);
			l[i] = t;
			memset(l[i].x, 0xff, LEN);
			assert_int_equal(kernel->pairs(l, HF_SM2_BATCH_MAX), others);
			l[i] = t;
		}
	}
}

static void choice_obeys_the_processor(void **state)
{
	(void)state;
	assert_ptr_equal(hf_sm2_batch_choose(0), &hf_sm2_batch_kernel_c);
	for (size_t i = 0; hf_sm2_batch_kernel_at(i) != NULL; i++) {
		const struct hf_sm2_batch_kernel *k = hf_sm2_batch_kernel_at(i);

		if ((k->needs & ~test_cpu()) == 0)
			assert_ptr_equal(hf_sm2_batch_choose(k->needs), k);
	}
}

static hf_err run(const struct jobs *j, unsigned kind, const struct hf_rng *rng)
{
	switch (kind) {
	case 0: return hf_sm2_key_new_batch(j->make, j->n, rng);
	case 1: return hf_sm2_sign_batch(j->sign, j->n, rng);
	case 2: return hf_sm2_verify_batch(j->verify, j->n);
	default: return hf_sm2_ecdh_batch(j->ecdh, j->n);
	}
}

static void print_speed(size_t n)
{
	struct test_rng rs;
	struct hf_rng rng = test_rng(&rs, 11);
	double best[4] = { 0 };
	struct jobs j;

	jobs_new(&j, n);
	for (unsigned i = 0; i < 4 * 3; i++) {
		double rate;

		TEST_RATE(rate, n * 1e6, assert_ok(run(&j, i / 3, &rng)));
		best[i / 3] = rate > best[i / 3] ? rate : best[i / 3];
	}
	print_message("sm2 %-12s x %-2zu %6.1f keys %6.1f sign %6.1f verify %6.1f ecdh k/s at %.2f "
		      "GHz\n",
		hf_module()->sm2_batch->name, n, best[0], best[1], best[2], best[3], test_ghz());
	jobs_free(&j);
}

static void speed(void **state)
{
	static const size_t counts[] = { 1, 2, 3, 4, 8, 32, 64 };

	(void)state;
	for (size_t at = 0; next_kernel(&at);)
		for (size_t i = 0; i < HF_COUNT(counts); i++)
			print_speed(counts[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_jobs_give_what_single_calls_give),
		cmocka_unit_test(every_number_of_jobs_gives_what_single_calls_give),
		cmocka_unit_test(shared_values_at_the_edges_are_right),
		cmocka_unit_test(keys_and_signatures_at_the_edges_are_right),
		cmocka_unit_test(sums_that_meet_are_verified),
		cmocka_unit_test(other_forms_of_numbers_and_a_t_of_zero_are_refused),
		cmocka_unit_test(an_x_of_n_or_more_is_taken_modulo_n),
		cmocka_unit_test(a_bad_signature_fails_alone),
		cmocka_unit_test(a_bad_peer_or_key_fails_alone),
		cmocka_unit_test(a_key_that_is_none_signs_nothing_and_spoils_nothing),
		cmocka_unit_test(a_failing_generator_fails_one_job),
		cmocka_unit_test(a_nonce_that_must_not_be_used_is_not),
		cmocka_unit_test(pairs_that_are_none_are_found),
		cmocka_unit_test(choice_obeys_the_processor),
		cmocka_unit_test(speed),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
