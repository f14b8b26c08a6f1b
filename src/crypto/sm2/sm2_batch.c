/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many operations of SM2 at once: signatures, verifications, shared values, key pairs. What a job
 * brings along is checked here, and jobs that are refused take no lane; the mathematics is the
 * kernel's that the module chose. Randomness is drawn job after job, as single calls would draw it.
 */
#include "crypto/sm2/sm2_batch.h"

#include <string.h>

#include "base/wipe.h"
#include "crypto/fault.h"
#include "crypto/module.h"
#include "crypto/sm2/sm2_fn.h"
#include "crypto/sm2/sm2_key.h"

enum { MAX = HF_SM2_BATCH_MAX };

static size_t at_most_max(size_t n)
{
	return n < MAX ? n : MAX;
}

/* The first failure is the batch's. */
static void note(hf_err *all, hf_err e)
{
	if (*all == HF_OK)
		*all = e;
}

/* At most MAX jobs. */
static hf_err sign_some(struct hf_sm2_sign_job *jobs, size_t n, const struct hf_rng *rng)
{
	struct hf_sm2_sign_lane l[MAX];
	struct hf_sm2_sign_job *of[MAX];
	hf_err all = HF_OK;
	size_t used = 0;
	uint32_t good;

	for (size_t i = 0; i < n; i++) {
		hf_err e = hf_sm2_scalar(l[used].d, jobs[i].key);

		/* GB/T 32918.2-2016 6.1 A3: k of 1 .. n - 1, drawn again when out of range. */
		if (e == HF_OK)
			e = hf_fn_draw(l[used].k, hf_fn_n, rng);
		hf_w256_get(l[used].e, jobs[i].e);
		jobs[i].result = e;
		note(&all, e);
		if (e == HF_OK)
			of[used++] = &jobs[i];
	}
	good = hf_module()->sm2_batch->sign(l, used);
	for (size_t i = 0; i < used; i++) {
		if ((good >> i & 1) == 0) { /* once in 2^255 */
			of[i]->result = hf_sm2_sign_digest(of[i]->sig, of[i]->key, of[i]->e, rng);
			note(&all, of[i]->result);
			continue;
		}
		HF_FAULT("sm2-batch", l[i].r[0]);
		hf_w256_put(of[i]->sig->r, l[i].r);
		hf_w256_put(of[i]->sig->s, l[i].s);
	}
	hf_wipe(l, sizeof(l));
	hf_wipe_stack();
	return all;
}

hf_err hf_sm2_sign_batch(struct hf_sm2_sign_job *jobs, size_t n, const struct hf_rng *rng)
{
	hf_err all = hf_module_check();

	if (all != HF_OK) {
		for (size_t i = 0; i < n; i++)
			jobs[i].result = all;
		return all;
	}
	for (size_t i = 0; i < n; i += MAX)
		note(&all, sign_some(jobs + i, at_most_max(n - i), rng));
	return all;
}

hf_err hf_sm2_verify_batch(struct hf_sm2_verify_job *jobs, size_t n)
{
	hf_err all = hf_module_check();

	if (all != HF_OK) {
		for (size_t i = 0; i < n; i++)
			jobs[i].result = all;
		return all;
	}
	for (size_t i = 0; i < n; i += MAX) {
		size_t some = at_most_max(n - i);
		uint32_t good = hf_module()->sm2_batch->verify(jobs + i, some);

		for (size_t j = 0; j < some; j++) {
			jobs[i + j].result = (good >> j & 1) != 0 ? HF_OK : HF_ERR_AUTH;
			note(&all, jobs[i + j].result);
		}
	}
	return all;
}

/* At most MAX jobs. */
static hf_err ecdh_some(struct hf_sm2_ecdh_job *jobs, size_t n)
{
	struct hf_sm2_ecdh_lane l[MAX];
	struct hf_sm2_ecdh_job *of[MAX];
	hf_err all = HF_OK;
	size_t used = 0;
	uint32_t good;

	for (size_t i = 0; i < n; i++) {
		jobs[i].result = hf_sm2_scalar(l[used].d, jobs[i].key);
		l[used].peer = jobs[i].peer;
		note(&all, jobs[i].result);
		if (jobs[i].result == HF_OK)
			of[used++] = &jobs[i];
	}
	good = hf_module()->sm2_batch->ecdh(l, used);
	for (size_t i = 0; i < used; i++) {
		if ((good >> i & 1) != 0) {
			hf_w256_put(of[i]->x, l[i].x);
			continue;
		}
		of[i]->result = HF_ERR_FORMAT;
		note(&all, HF_ERR_FORMAT);
	}
	hf_wipe(l, sizeof(l));
	hf_wipe_stack();
	return all;
}

hf_err hf_sm2_ecdh_batch(struct hf_sm2_ecdh_job *jobs, size_t n)
{
	hf_err all = hf_module_check();

	if (all != HF_OK) {
		for (size_t i = 0; i < n; i++)
			jobs[i].result = all;
		return all;
	}
	for (size_t i = 0; i < n; i += MAX)
		note(&all, ecdh_some(jobs + i, at_most_max(n - i)));
	return all;
}

/* At most MAX jobs. */
static hf_err keys_some(struct hf_sm2_key_job *jobs, size_t n, const struct hf_rng *rng)
{
	const struct hf_sm2_batch_kernel *kernel = hf_module()->sm2_batch;
	struct hf_sm2_key_lane l[MAX];
	struct hf_sm2_key_job *of[MAX];
	hf_err all = HF_OK;
	size_t used = 0;
	uint32_t good;

	for (size_t i = 0; i < n; i++) {
		memset(jobs[i].key, 0, sizeof(*jobs[i].key));
		/* GB/T 32918.1-2016 6.1: d of 1 .. n - 2. */
		jobs[i].result = hf_fn_draw(l[used].d, hf_fn_n_minus_1, rng);
		note(&all, jobs[i].result);
		if (jobs[i].result == HF_OK)
			of[used++] = &jobs[i];
	}
	kernel->keys(l, used);
	for (size_t i = 0; i < used; i++) {
		HF_PUBLISH(l[i].x);
		HF_PUBLISH(l[i].y);
	}
	/* 6.2: a new pair is checked before it is used. */
	good = kernel->pairs(l, used);
	HF_FAULT("sm2 pair", good);
	/* GB/T 37092-2018 7.10.3: one bad pair ends all service, that of the others, too. */
	if (good != (uint32_t)((UINT64_C(1) << used) - 1))
		all = hf_module_fail("sm2 pair");
	for (size_t i = 0; i < used; i++) {
		if (all == HF_ERR_SELF_TEST) {
			of[i]->result = all;
			continue;
		}
		hf_w256_put(of[i]->key->d, l[i].d);
		hf_w256_put(of[i]->key->pub.x, l[i].x);
		hf_w256_put(of[i]->key->pub.y, l[i].y);
	}
	hf_wipe(l, sizeof(l));
	hf_wipe_stack();
	return all;
}

static hf_err refuse_keys(struct hf_sm2_key_job *jobs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		memset(jobs[i].key, 0, sizeof(*jobs[i].key));
		jobs[i].result = HF_ERR_SELF_TEST;
	}
	return HF_ERR_SELF_TEST;
}

hf_err hf_sm2_key_new_batch(struct hf_sm2_key_job *jobs, size_t n, const struct hf_rng *rng)
{
	hf_err all = HF_OK;

	for (size_t i = 0; i < n; i += MAX) {
		if (hf_module_check() !=
			HF_OK) /* a bad pair among those before ends service, too */
			return refuse_keys(jobs + i, n - i);
		note(&all, keys_some(jobs + i, at_most_max(n - i), rng));
	}
	return n > 0 ? all : hf_module_check();
}
