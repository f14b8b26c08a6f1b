/* SPDX-License-Identifier: Apache-2.0 */
/* One timer, one transfer at a time: at most one list of HF_CRL_DER_MAX bytes is under way. */
#include "bin/common/crl_fetch.h"

#include <string.h>

#include "http/api.h"
#include "net/fetch.h"
#include "os/clock.h"
#include "os/heap.h"
#include "pki/dist_point.h"
#include "svc/crl_due.h"

enum { POINTS_MAX = 8 }; /* of one certificate or list */

struct crl_fetch {
	struct crl_fetch_config config;
	struct hf_crl_due due;
	uv_timer_t timer;
	struct hf_fetch *fetch; /* NULL: none is under way */
	size_t at;              /* its place */
};

static void arm(struct crl_fetch *f);

/* --- places --- */

static void add_points(struct crl_fetch *f, struct hf_bytes points)
{
	struct hf_bytes uri;

	if (!f->config.plan.from_certificates)
		return;
	for (size_t i = 0; i < POINTS_MAX && hf_dist_points_uri(&uri, points, i); i++)
		(void)!hf_crl_due_add(&f->due, (const char *)uri.p, uri.len);
}

void crl_fetch_from(struct crl_fetch *f, const struct hf_cert *cert)
{
	add_points(f, cert->crl_points);
	add_points(f, cert->fresh_points);
}

/* --- results --- */

static void tell(struct crl_fetch *f, const char *event, const struct hf_errinfo *why)
{
	struct hufud_line l;

	hufud_line_begin(&l, f->config.log, event);
	hufud_line_str(&l, "from", f->due.place[f->at].text);
	if (why->code != HF_OK)
		hufud_line_err(&l, why);
	hufud_line_end(&l);
}

/* The end of a list on the clock of the loop. */
static uint64_t end_ms(const struct crl_fetch *f, const struct hf_crl *crl)
{
	uint64_t now_s = hf_clock_wall_s();
	uint64_t left_s = crl->next_update_s > now_s ? crl->next_update_s - now_s : 0;

	if (left_s > UINT32_MAX)
		return UINT64_MAX;
	return hf_loop_now_ms(f->config.loop) + left_s * 1000;
}

static void good(struct crl_fetch *f, const struct hf_crl *crl, bool is_new)
{
	const struct hf_errinfo none = { 0 };

	hf_crl_due_good(&f->due, f->at, end_ms(f, crl), hf_loop_now_ms(f->config.loop));
	if (!is_new)
		return;
	tell(f, "list-fetched", &none);
	add_points(f, crl->fresh_points);
	f->config.on_new(f->config.ctx);
}

/* A delta that a complete list has overtaken, as happens to every one: nothing is wrong with that.
 */
static bool is_overtaken(const struct crl_fetch *f, const struct hf_crl *delta)
{
	const struct hf_crls_view *view;
	bool found = false;

	if (!delta->is_delta)
		return false;
	view = hf_crls_hold(f->config.crls);
	for (size_t i = 0; i < view->n_crls; i++)
		found |= !view->crls[i].is_delta && view->crls[i].number >= delta->number &&
			 hf_bytes_eq(view->crls[i].issuer, delta->issuer);
	hf_crls_unhold(view);
	return found;
}

static void on_done(
	void *ctx, hf_err e, const uint8_t *body, size_t body_len, const struct hf_errinfo *why)
{
	struct crl_fetch *f = ctx;
	struct hf_errinfo ei = *why;
	struct hf_crl crl = { .number = 0 };

	f->fetch = NULL;
	if (e == HF_OK)
		e = hf_crl_parse(&crl, body, body_len, &ei);
	if (e == HF_OK)
		e = hf_crls_take(f->config.crls, (struct hf_bytes){ body, body_len },
			hf_clock_wall_s(), &ei);
	if (e == HF_ERR_ROLLBACK && is_overtaken(f, &crl))
		e = HF_ERR_EXISTS;
	if (e == HF_OK || e == HF_ERR_EXISTS) {
		good(f, &crl, e == HF_OK);
	} else {
		(void)hf_fail(&ei, e, "%s", hf_err_text(e));
		tell(f, "list-not-fetched", &ei);
		hf_crl_due_failed(&f->due, f->at, hf_loop_now_ms(f->config.loop));
	}
	arm(f);
}

/* --- time --- */

static void fetch_one(struct crl_fetch *f)
{
	struct hf_fetch_config config = {
		.loop = f->config.loop,
		.mem = hf_os_mem(),
		.url = f->due.place[f->at].url,
		.accept = HF_TYPE_CRL,
		.body_max = HF_CRL_DER_MAX,
		.timeout_ms = f->config.plan.timeout_ms,
		.on_done = on_done,
		.ctx = f,
	};
	struct hf_errinfo ei = { 0 };

	if (hf_fetch_begin(&f->fetch, &config, &ei) == HF_OK)
		return;
	f->fetch = NULL;
	tell(f, "list-not-fetched", &ei);
	hf_crl_due_failed(&f->due, f->at, hf_loop_now_ms(f->config.loop));
}

static void on_timer(uv_timer_t *timer)
{
	struct crl_fetch *f = timer->data;

	if (hf_crl_due_next(&f->due, hf_loop_now_ms(f->config.loop), &f->at))
		fetch_one(f);
	arm(f);
}

static void arm(struct crl_fetch *f)
{
	uint64_t now = hf_loop_now_ms(f->config.loop);
	uint64_t at = f->fetch == NULL ? hf_crl_due_deadline(&f->due) : UINT64_MAX;

	if (at == UINT64_MAX)
		(void)uv_timer_stop(&f->timer);
	else
		(void)uv_timer_start(&f->timer, on_timer, at > now ? at - now : 0, 0);
}

/* --- life --- */

hf_err crl_fetch_new(
	struct crl_fetch **out, const struct crl_fetch_config *config, struct hf_errinfo *ei)
{
	const struct crl_fetch_plan *plan = &config->plan;
	struct crl_fetch *f = hf_mem_new(hf_os_mem(), sizeof(*f));
	hf_err e = HF_OK;

	if (f == NULL)
		return hf_fail(ei, HF_ERR_NO_MEMORY, "out of memory");
	f->config = *config;
	f->due.rng = &config->env->rng;
	f->due.every_ms = plan->every_ms;
	for (size_t i = 0; i < plan->n_urls; i++) {
		e = hf_crl_due_add(&f->due, plan->urls[i], strlen(plan->urls[i]));
		if (e != HF_OK && e != HF_ERR_EXISTS) {
			hf_mem_free(hf_os_mem(), f);
			return hf_fail(ei, HF_ERR_ARG, "%s: %s", plan->urls[i], hf_err_text(e));
		}
	}
	(void)uv_timer_init(hf_loop_uv(config->loop), &f->timer); /* cannot fail */
	f->timer.data = f;
	*out = f;
	return HF_OK;
}

void crl_fetch_begin(struct crl_fetch *f)
{
	arm(f);
}

static void on_closed(uv_handle_t *handle)
{
	hf_mem_free(hf_os_mem(), handle->data);
}

void crl_fetch_end(struct crl_fetch *f)
{
	if (f == NULL)
		return;
	if (f->fetch != NULL)
		hf_fetch_cancel(f->fetch);
	f->fetch = NULL;
	uv_close((uv_handle_t *)&f->timer, on_closed);
}
