/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists on the disk and in memory. Invariants:
 *
 * 1. What is in a slot was verified with its issuer's key, and is marked so (hf_crl.is_checked).
 * 2. The file of a list is durable before the list is in a view.
 * 3. A list lives as long as a view or the slot that it is in: each counts as a holder.
 */
#include "svc/crls.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "codec/pem.h"
#include "os/dir.h"
#include "os/file.h"
#include "pki/status.h"
#include "svc/party.h"

enum {
	ID_LEN = 16,
	KINDS = 2,          /* complete, delta */
	CLOCK_SKEW_S = 300, /* a list from further in the future is not for us */
	PEM_MAX = 6 << 20,  /* a list of HF_CRL_DER_MAX bytes in base64 */
	VERIFIES = 1 << 16, /* all lists here are verified already, so none is ever used up */
	VIEW_MAX = KINDS * HF_CRLS_ISSUERS_MAX,
};

static const char *const suffixes[KINDS] = { "crl", "delta" };

struct held {
	atomic_uint n_holders;
	struct hf_crl crl;
};

struct view {
	struct hf_crls_view face; /* first */
	const struct hf_mem *mem;
	atomic_uint n_holders;
	struct held *held[VIEW_MAX];
	struct hf_crl crls[VIEW_MAX]; /* borrow from held */
};

struct issuer {
	struct hf_cert cert;
	struct held *list[KINDS];
};

struct hf_crls {
	const struct hf_env *env;
	char dir[HF_PATH_MAX];
	struct issuer issuers[HF_CRLS_ISSUERS_MAX];
	size_t n_issuers;
	struct view *view;
};

static void held_unhold(const struct hf_mem *mem, struct held *h)
{
	if (h == NULL || atomic_fetch_sub(&h->n_holders, 1) > 1)
		return;
	hf_crl_clear(&h->crl);
	hf_mem_free(mem, h);
}

void hf_crls_unhold(const struct hf_crls_view *face)
{
	struct view *v = (struct view *)(uintptr_t)face;

	if (v == NULL || atomic_fetch_sub(&v->n_holders, 1) > 1)
		return;
	for (size_t i = 0; i < v->face.n_crls; i++)
		held_unhold(v->mem, v->held[i]);
	hf_mem_free(v->mem, v);
}

const struct hf_crls_view *hf_crls_hold(const struct hf_crls *c)
{
	atomic_fetch_add(&c->view->n_holders, 1);
	return &c->view->face;
}

/* A view of what is in the slots, with `next` in the place of one list. */
static struct view *view_new(const struct hf_crls *c, const struct held *old, struct held *next)
{
	struct view *v = hf_mem_new(c->env->mem, sizeof(*v));
	size_t n = 0;

	if (v == NULL)
		return NULL;
	v->mem = c->env->mem;
	atomic_init(&v->n_holders, 1);
	for (size_t i = 0; i < c->n_issuers; i++)
		for (size_t k = 0; k < KINDS; k++)
			if (c->issuers[i].list[k] != NULL && c->issuers[i].list[k] != old)
				v->held[n++] = c->issuers[i].list[k];
	if (next != NULL)
		v->held[n++] = next;
	for (size_t i = 0; i < n; i++) {
		atomic_fetch_add(&v->held[i]->n_holders, 1);
		v->crls[i] = v->held[i]->crl;
	}
	v->face = (struct hf_crls_view){ v->crls, n };
	return v;
}

hf_err hf_crls_new(
	struct hf_crls **out, const struct hf_env *env, const char *dir, struct hf_errinfo *ei)
{
	struct hf_crls *c;

	if (strlen(dir) >= HF_PATH_MAX)
		return hf_fail(ei, HF_ERR_LIMIT, "%s: the path is too long", dir);
	HF_TRY(hf_dir_make(dir, 0755, ei));
	c = hf_mem_new(env->mem, sizeof(*c));
	if (c == NULL)
		return hf_fail(ei, HF_ERR_NO_MEMORY, "no memory for revocation lists");
	c->env = env;
	memcpy(c->dir, dir, strlen(dir) + 1);
	c->view = view_new(c, NULL, NULL);
	if (c->view == NULL) {
		hf_mem_free(env->mem, c);
		return hf_fail(ei, HF_ERR_NO_MEMORY, "no memory for revocation lists");
	}
	*out = c;
	return HF_OK;
}

void hf_crls_free(struct hf_crls *c)
{
	const struct hf_mem *mem;

	if (c == NULL)
		return;
	mem = c->env->mem;
	hf_crls_unhold(&c->view->face);
	for (size_t i = 0; i < c->n_issuers; i++) {
		for (size_t k = 0; k < KINDS; k++)
			held_unhold(mem, c->issuers[i].list[k]);
		hf_cert_clear(&c->issuers[i].cert);
	}
	hf_mem_free(mem, c);
}

/* By name and by key: two CAs may bear one name. */
static struct issuer *issuer_of(struct hf_crls *c, const struct hf_crl *crl)
{
	for (size_t i = 0; i < c->n_issuers; i++) {
		struct issuer *x = &c->issuers[i];

		if (hf_bytes_eq(x->cert.subject, crl->issuer) &&
			(x->cert.ski.len == 0 || crl->aki.len == 0 ||
				hf_bytes_eq(x->cert.ski, crl->aki)))
			return x;
	}
	return NULL;
}

static hf_err path_of(char path[HF_PATH_MAX], const struct hf_crls *c, const struct issuer *x,
	size_t kind, struct hf_errinfo *ei)
{
	uint8_t print[HF_SM3_LEN];
	char name[2 * ID_LEN + 16];

	hf_cert_fingerprint(print, &x->cert);
	hf_hex_emit(name, print, ID_LEN);
	(void)snprintf(name + 2 * ID_LEN, sizeof(name) - 2 * ID_LEN, ".%s", suffixes[kind]);
	return hf_path_join(path, c->dir, name, ei);
}

/*
 * Read and verified, on the heap, with no holder yet. Copied, and its entries sorted, only when the
 * signature holds: of what somebody on the way made up there may be as much as he likes.
 */
static hf_err held_new(struct held **out, const struct hf_crls *c, struct issuer **x,
	struct hf_bytes der, struct hf_errinfo *ei)
{
	struct hf_crl seen;
	struct held *h;
	hf_err e;

	HF_TRY(hf_crl_parse(&seen, der.p, der.len, ei));
	if (*x == NULL)
		*x = issuer_of((struct hf_crls *)(uintptr_t)c, &seen);
	if (*x == NULL || !hf_bytes_eq((*x)->cert.subject, seen.issuer))
		return hf_fail(
			ei, HF_ERR_AUTH, "revocation list of an issuer that is none of ours");
	HF_TRY(hf_crl_check(&seen, &(*x)->cert.key, ei));
	h = hf_mem_new(c->env->mem, sizeof(*h));
	if (h == NULL)
		return hf_fail(ei, HF_ERR_NO_MEMORY, "no memory for a revocation list");
	e = hf_crl_copy(&h->crl, c->env->mem, der.p, der.len, ei);
	if (e != HF_OK) {
		hf_mem_free(c->env->mem, h);
		return e;
	}
	h->crl.is_checked = true; /* the same bytes */
	h->crl.key = seen.key;
	atomic_init(&h->n_holders, 1);
	*out = h;
	return HF_OK;
}

/* A server has the same list most of the time. */
static bool is_here(const struct hf_crls *c, struct hf_bytes der)
{
	for (size_t i = 0; i < c->n_issuers; i++)
		for (size_t k = 0; k < KINDS; k++)
			if (c->issuers[i].list[k] != NULL &&
				hf_bytes_eq(c->issuers[i].list[k]->crl.der, der))
				return true;
	return false;
}

static hf_err check_newer(
	const struct issuer *x, const struct hf_crl *next, uint64_t now_s, struct hf_errinfo *ei)
{
	const struct held *full;
	const struct held *have;

	assert(x != NULL); /* the list was verified with its key */
	full = x->list[0];
	have = x->list[next->is_delta];

	if (next->this_update_s > now_s && next->this_update_s - now_s > CLOCK_SKEW_S)
		return hf_fail(
			ei, HF_ERR_ROLLBACK, "revocation list is from the future; check the clock");
	if (have != NULL)
		HF_TRY(hf_crl_follows(next, &have->crl, ei));
	if (next->is_delta && full != NULL && next->number <= full->crl.number)
		return hf_fail(ei, HF_ERR_ROLLBACK,
			"delta revocation list is not newer than the complete one");
	return HF_OK;
}

/* Into its slot and a new view; the list's one holder is the slot then. */
static hf_err put_in(struct hf_crls *c, struct issuer *x, struct held *next, struct hf_errinfo *ei)
{
	size_t kind = next->crl.is_delta;
	struct held *old = x->list[kind];
	struct view *v = view_new(c, old, next);

	if (v == NULL)
		return hf_fail(ei, HF_ERR_NO_MEMORY, "no memory for revocation lists");
	hf_crls_unhold(&c->view->face);
	c->view = v;
	x->list[kind] = next;
	held_unhold(c->env->mem, old);
	return HF_OK;
}

hf_err hf_crls_take(struct hf_crls *c, struct hf_bytes der, uint64_t now_s, struct hf_errinfo *ei)
{
	struct issuer *x = NULL;
	struct held *h = NULL;
	char path[HF_PATH_MAX];
	hf_err e;

	if (is_here(c, der))
		return HF_ERR_EXISTS;
	HF_TRY(held_new(&h, c, &x, der, ei));
	assert(h != NULL);
	e = check_newer(x, &h->crl, now_s, ei);
	if (e == HF_OK)
		e = path_of(path, c, x, h->crl.is_delta, ei);
	if (e == HF_OK)
		e = hf_file_replace(path, 0644, der.p, der.len, ei);
	if (e == HF_OK)
		e = put_in(c, x, h, ei);
	if (e != HF_OK)
		held_unhold(c->env->mem, h);
	return e;
}

/* What lies on the disk of an issuer; whatever is wrong with it, there is none then. */
static hf_err load(struct hf_crls *c, struct issuer *x, size_t kind, struct hf_errinfo *ei)
{
	struct held *h = NULL;
	char path[HF_PATH_MAX];
	struct hf_buf der;
	hf_err e;

	HF_TRY(path_of(path, c, x, kind, ei));
	hf_buf_init(&der, c->env->mem, HF_CRL_DER_MAX);
	e = hf_file_load(&der, path, NULL);
	if (e == HF_OK)
		e = held_new(&h, c, &x, (struct hf_bytes){ der.p, der.len }, NULL);
	hf_buf_clear(&der);
	if (e != HF_OK)
		return e == HF_ERR_NO_MEMORY ? hf_fail(ei, e, "%s: out of memory", path) : HF_OK;
	assert(h != NULL);
	if (h->crl.is_delta == (kind != 0))
		e = put_in(c, x, h, ei);
	if (x->list[kind] != h)
		held_unhold(c->env->mem, h);
	return e;
}

hf_err hf_crls_trust(struct hf_crls *c, const struct hf_cert *issuer, struct hf_errinfo *ei)
{
	struct issuer *x = &c->issuers[c->n_issuers];

	for (size_t i = 0; i < c->n_issuers; i++)
		if (hf_bytes_eq(c->issuers[i].cert.der, issuer->der))
			return HF_OK;
	if (c->n_issuers == HF_CRLS_ISSUERS_MAX)
		return hf_fail(
			ei, HF_ERR_LIMIT, "lists of more than %d issuers", HF_CRLS_ISSUERS_MAX);
	HF_TRY(hf_cert_copy(&x->cert, c->env->mem, issuer->der.p, issuer->der.len, ei));
	c->n_issuers++;
	for (size_t kind = 0; kind < KINDS; kind++)
		HF_TRY(load(c, x, kind, ei));
	return HF_OK;
}

/* A walk over a folder. */
struct walk {
	struct hf_crls *c;
	const char *dir;
	uint64_t now_s;
	size_t n_taken;
};

/* DER as it is; PEM decoded in place. */
static hf_err unwrap(struct hf_buf *file)
{
	static const char begin[] = "-----BEGIN";
	size_t len = 0;

	if (file->len < sizeof(begin) || memcmp(file->p, begin, sizeof(begin) - 1) != 0)
		return HF_OK;
	HF_TRY(hf_pem_parse(
		file->p, file->len, &len, "X509 CRL", (struct hf_bytes){ file->p, file->len }));
	file->len = len;
	return HF_OK;
}

static hf_err take_file(void *ctx, const char *name)
{
	struct walk *w = ctx;
	char path[HF_PATH_MAX];
	struct hf_buf file;
	hf_err e;

	hf_buf_init(&file, w->c->env->mem, PEM_MAX);
	e = hf_path_join(path, w->dir, name, NULL);
	if (e == HF_OK)
		e = hf_file_load(&file, path, NULL);
	if (e == HF_OK)
		e = unwrap(&file);
	if (e == HF_OK)
		e = hf_crls_take(w->c, (struct hf_bytes){ file.p, file.len }, w->now_s, NULL);
	hf_buf_clear(&file);
	w->n_taken += e == HF_OK;
	return HF_OK; /* what is of no use here is passed over */
}

hf_err hf_crls_take_dir(
	struct hf_crls *c, const char *dir, uint64_t now_s, size_t *n_taken, struct hf_errinfo *ei)
{
	struct walk w = { .c = c, .dir = dir, .now_s = now_s };

	HF_TRY(hf_dir_list(c->env->mem, dir, HF_CRLS_FILES_MAX, take_file, &w, ei));
	*n_taken = w.n_taken;
	return HF_OK;
}

const struct hf_crl *hf_crls_get(const struct hf_crls *c, const struct hf_cert *issuer)
{
	for (size_t i = 0; i < c->n_issuers; i++)
		if (hf_bytes_eq(c->issuers[i].cert.der, issuer->der))
			return c->issuers[i].list[0] == NULL ? NULL : &c->issuers[i].list[0]->crl;
	return NULL;
}

hf_err hf_crls_check(const struct hf_crls *c, const struct hf_cert *cert, unsigned level,
	uint64_t now_s, struct hf_errinfo *ei)
{
	uint64_t age_s = level == 0 ? HF_POLICY_NONE
				    : hf_policy(HF_ROW_REVOCATION_AGE, (enum hf_level)level);
	struct hf_status_query q = { .crls = c->view->crls,
		.n_crls = c->view->face.n_crls,
		.now_s = now_s,
		.need = age_s != HF_POLICY_NONE,
		.age_max_s = age_s,
		.n_verifies = VERIFIES };

	for (size_t i = 0; i < c->n_issuers; i++) {
		const struct hf_cert *issuer = &c->issuers[i].cert;

		if (hf_bytes_eq(issuer->subject, cert->issuer) &&
			(issuer->ski.len == 0 || cert->aki.len == 0 ||
				hf_bytes_eq(issuer->ski, cert->aki)))
			return hf_status_check(&q, cert, issuer, ei);
	}
	return HF_OK;
}
