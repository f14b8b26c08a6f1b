/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/jobs.h"

#include <string.h>

#include "base/wipe.h"

/* --- the batch --- */

enum { RUN_MAX = 32 }; /* jobs of one call of the module */

static void run_keys(struct hf_tls_job *const *jobs, size_t n)
{
	struct hf_sm2_key_job b[RUN_MAX];

	for (size_t i = 0; i < n; i++)
		b[i] = (struct hf_sm2_key_job){ .key = jobs[i]->made };
	(void)!hf_sm2_key_new_batch(b, n, jobs[0]->rng); /* each has its own result */
	for (size_t i = 0; i < n; i++)
		jobs[i]->result = b[i].result;
}

static void run_ecdh(struct hf_tls_job *const *jobs, size_t n)
{
	struct hf_sm2_ecdh_job b[RUN_MAX];

	for (size_t i = 0; i < n; i++)
		b[i] = (struct hf_sm2_ecdh_job){
			.key = jobs[i]->own, .peer = &jobs[i]->pub, .x = jobs[i]->b
		};
	(void)!hf_sm2_ecdh_batch(b, n);
	for (size_t i = 0; i < n; i++)
		jobs[i]->result = b[i].result;
}

static void run_verify(struct hf_tls_job *const *jobs, size_t n)
{
	struct hf_sm2_verify_job b[RUN_MAX];

	for (size_t i = 0; i < n; i++)
		b[i] = (struct hf_sm2_verify_job){
			.pub = &jobs[i]->pub, .e = jobs[i]->b, .sig = &jobs[i]->sig
		};
	(void)!hf_sm2_verify_batch(b, n);
	for (size_t i = 0; i < n; i++)
		jobs[i]->result = b[i].result;
}

static void run_sign(struct hf_tls_job *const *jobs, size_t n)
{
	struct hf_sm2_sign_job b[RUN_MAX];

	for (size_t i = 0; i < n; i++)
		b[i] = (struct hf_sm2_sign_job){
			.key = jobs[i]->own, .e = jobs[i]->b, .sig = &jobs[i]->sig
		};
	(void)!hf_sm2_sign_batch(b, n, jobs[0]->rng);
	for (size_t i = 0; i < n; i++)
		jobs[i]->result = b[i].result;
}

/* n > 0 jobs of one kind and one generator. */
static void (*const runs[HF_TLS_JOB_KINDS])(struct hf_tls_job *const *jobs, size_t n) = {
	[HF_TLS_JOB_KEY] = run_keys,
	[HF_TLS_JOB_ECDH] = run_ecdh,
	[HF_TLS_JOB_VERIFY] = run_verify,
	[HF_TLS_JOB_SIGN] = run_sign,
};

/* What waits to be run, until it is enough. */
struct heap {
	enum hf_tls_job_kind kind;
	struct hf_tls_job *job[RUN_MAX];
	size_t n;
};

static void flush(struct heap *h)
{
	if (h->n > 0)
		runs[h->kind](h->job, h->n);
	h->n = 0;
}

static void add(struct heap *h, struct hf_tls_job *job)
{
	if (h->n == RUN_MAX || (h->n > 0 && h->job[0]->rng != job->rng))
		flush(h);
	h->job[h->n++] = job;
}

static bool is_waiting(const struct hf_tls *t)
{
	return hf_tls_jobs_has(t) && !t->jobs->is_done;
}

void hf_tls_jobs_run(struct hf_tls *const *links, size_t n)
{
	for (int kind = 0; kind < HF_TLS_JOB_KINDS; kind++) {
		struct heap h = { .kind = (enum hf_tls_job_kind)kind };

		for (size_t i = 0; i < n; i++) {
			struct hf_tls_jobs *of = links[i]->jobs;

			for (size_t k = 0; is_waiting(links[i]) && k < of->n; k++) {
				if (of->job[k].kind == h.kind)
					add(&h, &of->job[k]);
			}
		}
		flush(&h);
	}
	for (size_t i = 0; i < n; i++) {
		if (is_waiting(links[i]))
			links[i]->jobs->is_done = true;
	}
}

/* --- life --- */

hf_err hf_tls_jobs_new(struct hf_tls *t)
{
	if (!t->start->defer_sm2)
		return HF_OK;
	t->jobs = hf_mem_new(t->cfg->mem, sizeof(*t->jobs));
	return t->jobs != NULL ? HF_OK : HF_ERR_NO_MEMORY;
}

void hf_tls_jobs_free(struct hf_tls *t)
{
	if (t->jobs == NULL)
		return;
	hf_wipe(t->jobs, sizeof(*t->jobs));
	hf_mem_free(t->cfg->mem, t->jobs);
	t->jobs = NULL;
}

void hf_tls_jobs_clear(struct hf_tls *t)
{
	if (hf_tls_jobs_is_done(t))
		hf_wipe(t->jobs, sizeof(*t->jobs));
}

bool hf_tls_jobs_has(const struct hf_tls *t)
{
	return t->jobs != NULL && t->jobs->n > 0;
}

bool hf_tls_jobs_is_done(const struct hf_tls *t)
{
	return hf_tls_jobs_has(t) && t->jobs->is_done;
}

/* --- wishes --- */

/* A place for one more; NULL: no more are taken. */
static struct hf_tls_job *ask(struct hf_tls *t, enum hf_tls_job_kind kind)
{
	struct hf_tls_jobs *jobs = t->jobs;

	if (jobs == NULL || jobs->is_done || jobs->n == HF_TLS_JOBS_MAX)
		return NULL;
	jobs->job[jobs->n].kind = kind;
	jobs->job[jobs->n].result = HF_ERR_INTERNAL; /* until it is done */
	return &jobs->job[jobs->n++];
}

bool hf_tls_ask_key(struct hf_tls *t)
{
	struct hf_tls_job *job = ask(t, HF_TLS_JOB_KEY);

	if (job == NULL)
		return false;
	job->made = &t->jobs->key;
	job->rng = t->cfg->rng;
	return true;
}

bool hf_tls_ask_ecdh(struct hf_tls *t, const struct hf_sm2_key *own, struct hf_bytes share)
{
	struct hf_sm2_pub peer;
	struct hf_tls_job *job;

	if (hf_tls_share_parse(&peer, share) != HF_OK)
		return false;
	job = ask(t, HF_TLS_JOB_ECDH);
	if (job == NULL)
		return false;
	job->own = own != NULL ? own : &t->jobs->key;
	job->pub = peer;
	return true;
}

/* The verification of just this; NULL: there is none. */
static const struct hf_tls_job *find_verify(const struct hf_tls_jobs *jobs,
	const struct hf_sm2_pub *pub, const uint8_t e[HF_SM3_LEN], const struct hf_sm2_sig *sig)
{
	for (size_t i = 0; i < jobs->n; i++) {
		const struct hf_tls_job *job = &jobs->job[i];

		if (job->kind == HF_TLS_JOB_VERIFY && memcmp(&job->pub, pub, sizeof(*pub)) == 0 &&
			memcmp(job->b, e, sizeof(job->b)) == 0 &&
			memcmp(&job->sig, sig, sizeof(*sig)) == 0)
			return job;
	}
	return NULL;
}

bool hf_tls_ask_verify(struct hf_tls *t, const struct hf_sm2_pub *pub, const uint8_t e[HF_SM3_LEN],
	const struct hf_sm2_sig *sig)
{
	struct hf_tls_job *job;

	if (hf_tls_jobs_has(t) && find_verify(t->jobs, pub, e, sig) != NULL)
		return true; /* two certificates of one CA, say */
	job = ask(t, HF_TLS_JOB_VERIFY);
	if (job == NULL)
		return false;
	job->pub = *pub;
	job->sig = *sig;
	memcpy(job->b, e, sizeof(job->b));
	return true;
}

bool hf_tls_ask_sign(struct hf_tls *t, const uint8_t e[HF_SM3_LEN])
{
	const struct hf_local_key *local = t->cfg->signer->local;
	struct hf_tls_job *job;

	hf_tls_jobs_clear(t);
	job = local == NULL ? NULL : ask(t, HF_TLS_JOB_SIGN);
	if (job == NULL)
		return false;
	job->own = local->key;
	job->rng = local->rng;
	memcpy(job->b, e, sizeof(job->b));
	return true;
}

/* --- operations --- */

/* A job that is done and is of this kind, with this point (NULL: any); NULL: none. */
static const struct hf_tls_job *find(
	const struct hf_tls *t, enum hf_tls_job_kind kind, const struct hf_sm2_pub *pub)
{
	for (size_t i = 0; hf_tls_jobs_is_done(t) && i < t->jobs->n; i++) {
		const struct hf_tls_job *job = &t->jobs->job[i];

		if (job->kind == kind && (pub == NULL || memcmp(&job->pub, pub, sizeof(*pub)) == 0))
			return job;
	}
	return NULL;
}

hf_err hf_tls_do_key(struct hf_tls *t, struct hf_sm2_key *key)
{
	const struct hf_tls_job *job = find(t, HF_TLS_JOB_KEY, NULL);

	if (job == NULL)
		return hf_sm2_key_new(key, t->cfg->rng);
	*key = *job->made; /* zero on failure */
	return job->result;
}

hf_err hf_tls_do_ecdh(struct hf_tls *t, uint8_t x[HF_SM2_LEN], const struct hf_sm2_key *own,
	const struct hf_sm2_pub *peer)
{
	const struct hf_tls_job *job = find(t, HF_TLS_JOB_ECDH, peer);

	if (job == NULL || memcmp(&job->own->pub, &own->pub, sizeof(own->pub)) != 0)
		return hf_sm2_ecdh(x, own, peer);
	memcpy(x, job->b, HF_SM2_LEN);
	return job->result;
}

hf_err hf_tls_do_verify(struct hf_tls *t, const struct hf_sm2_pub *pub, const uint8_t e[HF_SM3_LEN],
	const struct hf_sm2_sig *sig)
{
	const struct hf_tls_job *job =
		hf_tls_jobs_is_done(t) ? find_verify(t->jobs, pub, e, sig) : NULL;

	return job != NULL ? job->result : hf_sm2_verify_digest(pub, e, sig);
}

hf_err hf_tls_do_sign(struct hf_tls *t, struct hf_sm2_sig *sig, const uint8_t e[HF_SM3_LEN])
{
	const struct hf_signer *s = t->cfg->signer;
	const struct hf_tls_job *job = find(t, HF_TLS_JOB_SIGN, NULL);

	if (job == NULL || memcmp(job->b, e, sizeof(job->b)) != 0)
		return s->sign_digest(s->ctx, e, sig);
	*sig = job->sig;
	return job->result;
}

hf_err hf_tls_share_parse(struct hf_sm2_pub *out, struct hf_bytes share)
{
	if (share.len != HF_SM2_POINT_LEN || share.p[0] != 4)
		return HF_ERR_FORMAT;
	return hf_sm2_pub_parse(out, share.p, share.len);
}
