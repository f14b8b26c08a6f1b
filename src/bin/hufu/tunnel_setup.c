/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a configuration to what workers can run. Whatever fails on the way leaves all as it was: the
 * setup that is at work goes on.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "os/file.h"
#include "os/heap.h"
#include "os/process.h"
#include "os/sandbox.h"
#include "os/unixsock.h"
#include "tunnel_run.h"

enum { BACKLOG = 4096, FILES_MAX = 64 };

/* --- doors --- */

static void door_close(struct tunnel_run *r, struct tunnel_door *d)
{
	for (unsigned i = 0; d->fds != NULL && i < r->n_workers; i++)
		hf_file_close(&d->fds[i]);
	if (d->handed > 0)
		r->handed_taken[d->handed - 1] = false;
	hf_mem_free(hf_os_mem(), d->fds);
	*d = (struct tunnel_door){ 0 };
}

void tunnel_doors_close(struct tunnel_run *r)
{
	for (size_t i = 0; i < TUNNEL_DOORS_MAX; i++) {
		struct tunnel_door *d = &r->doors[i];

		if (d->accept[0] == '\0' || d->is_needed)
			continue;
		if (r->setup != NULL && !r->is_draining)
			hufud_log_event(&r->log, "no-longer-listening", "accept", d->accept);
		door_close(r, d);
	}
}

/* A socket a worker; the first one alone finds out whether somebody else listens there. */
static hf_err open_tcp(struct tunnel_run *r, struct tunnel_door *d, const struct hf_sock_addr *a,
	struct hf_errinfo *ei)
{
	struct hf_sock_addr at = *a;
	int probe = -1;
	hf_err e;

	e = hf_sock_listen(&probe, &at, false, BACKLOG, ei);
	if (e == HF_OK)
		e = hf_sock_name(&at, probe);
	if (e != HF_OK || r->n_workers == 1) {
		d->fds[0] = probe;
		return e;
	}
	hf_file_close(&probe);
	for (unsigned i = 0; e == HF_OK && i < r->n_workers; i++)
		e = hf_sock_listen(&d->fds[i], &at, true, BACKLOG, ei);
	return e;
}

static hf_err share(struct tunnel_run *r, struct tunnel_door *d, struct hf_errinfo *ei)
{
	HF_TRY(hf_sock_adopt(d->fds[0], ei));
	for (unsigned i = 1; i < r->n_workers; i++)
		HF_TRY(hf_sock_dup(&d->fds[i], d->fds[0], ei));
	return HF_OK;
}

/*
 * The descriptor itself stays open for as long as we live: nobody hands it over again to a
 * configuration that comes later. Whoever handed it over listens at it, with us or without.
 */
static hf_err open_handed(struct tunnel_run *r, struct tunnel_door *d,
	const struct tunnel_service *s, size_t number, struct hf_errinfo *ei)
{
	for (size_t i = 0; i < r->handed.n; i++) {
		bool is_it = s->systemd_name[0] != '\0'
				     ? strcmp(r->handed.name[i], s->systemd_name) == 0
				     : i == number;

		if (!is_it || r->handed_taken[i])
			continue;
		HF_TRY(hf_sock_adopt(HF_SERVICE_FD_FIRST + (int)i, ei));
		HF_TRY(hf_sock_dup(&d->fds[0], HF_SERVICE_FD_FIRST + (int)i, ei));
		r->handed_taken[i] = true;
		d->handed = (unsigned)i + 1;
		return share(r, d, ei);
	}
	return hf_fail(ei, HF_ERR_NOT_FOUND,
		"%s: %s: no such socket was handed over (%zu were); start it by its .socket unit",
		s->name, s->accept, r->handed.n);
}

static hf_err open_unix(struct tunnel_run *r, struct tunnel_door *d, const struct tunnel_service *s,
	struct hf_errinfo *ei)
{
	struct hf_errinfo why = { 0 };
	hf_err e = hf_unixsock_listen(&d->fds[0], s->path, s->mode, BACKLOG, &why);

	if (e == HF_ERR_PERMISSION && r->setup != NULL && (r->may & HF_SANDBOX_UNLINK) == 0)
		return hf_fail_sys(ei, e, why.sys,
			"%s (services had no unix sockets at the start, so this right was given "
			"up: start anew)",
			why.text);
	if (e != HF_OK)
		return hf_fail_sys(ei, e, why.sys, "%s", why.text);
	return share(r, d, ei);
}

static hf_err door_open(struct tunnel_run *r, struct tunnel_door *d, const struct tunnel_service *s,
	size_t number, struct hf_errinfo *ei)
{
	struct hf_sock_addr at;
	hf_err e;

	d->fds = hf_mem_array(hf_os_mem(), r->n_workers, sizeof(*d->fds));
	if (d->fds == NULL)
		return hf_fail(ei, HF_ERR_NO_MEMORY, "out of memory");
	for (unsigned i = 0; i < r->n_workers; i++)
		d->fds[i] = -1;
	if (s->is_systemd) {
		e = open_handed(r, d, s, number, ei);
	} else if (s->path[0] != '\0') {
		e = open_unix(r, d, s, ei);
	} else {
		e = open_tcp(r, d, &s->address, ei);
	}
	if (e != HF_OK) {
		door_close(r, d);
		return e;
	}
	(void)snprintf(d->accept, sizeof(d->accept), "%s", s->accept);
	if (hf_sock_name(&at, d->fds[0]) == HF_OK)
		hf_sock_addr_text(d->address, &at);
	return HF_OK;
}

static hf_err find_door(struct tunnel_run *r, struct tunnel_door **out,
	const struct tunnel_service *s, size_t number, struct hf_errinfo *ei)
{
	struct tunnel_door *empty = NULL;

	for (size_t i = 0; i < TUNNEL_DOORS_MAX; i++) {
		struct tunnel_door *d = &r->doors[i];

		if (d->accept[0] == '\0' && empty == NULL)
			empty = d;
		if (strcmp(d->accept, s->accept) == 0) {
			*out = d;
			return HF_OK;
		}
	}
	if (empty == NULL)
		return hf_fail(ei, HF_ERR_LIMIT, "too many sockets at once");
	*out = empty;
	return door_open(r, empty, s, number, ei);
}

/* --- tallies --- */

static hf_err find_tally(
	struct tunnel_run *r, struct tunnel_tally **out, const char *name, struct hf_errinfo *ei)
{
	struct tunnel_tally *t = r->tallies;
	size_t i = 0;

	while (i < TUNNEL_TALLIES_MAX && t->name[0] != '\0' && strcmp(t->name, name) != 0) {
		i++;
		t++;
	}
	if (i == TUNNEL_TALLIES_MAX)
		return hf_fail(ei, HF_ERR_LIMIT,
			"%s: more names of services than can be counted; start anew", name);
	if (t->name[0] == '\0') {
		t->numbers = hf_mem_array(hf_os_mem(), r->n_workers, sizeof(*t->numbers));
		if (t->numbers == NULL || hf_tunnel_gate_new(&t->gate, hf_os_mem()) != HF_OK) {
			hf_mem_free(hf_os_mem(), t->numbers);
			t->numbers = NULL;
			return hf_fail(ei, HF_ERR_NO_MEMORY, "out of memory");
		}
		(void)snprintf(t->name, sizeof(t->name), "%s", name);
	}
	*out = t;
	return HF_OK;
}

/* What the links of a server leave behind, before anybody asks for it. */
static hf_err grow_memory(struct tunnel_run *r, struct tunnel_tally *t,
	const struct tunnel_service *s, struct hf_errinfo *ei)
{
	hf_err e = HF_OK;

	if (!s->is_server)
		return HF_OK;
	if (t->memory == NULL)
		e = tunnel_memory_new(&t->memory, hf_os_mem(), &r->env.rng);
	if (e == HF_OK)
		e = tunnel_memory_grow(t->memory, s->level, (s->protocols & HF_TLS_TLCP) != 0);
	return e == HF_OK ? HF_OK : hf_fail(ei, e, "service %s: %s", s->name, hf_err_text(e));
}

/* --- setups --- */

static void setup_free(struct tunnel_setup *s)
{
	for (size_t i = 0; s->keys != NULL && i < s->config.n_services; i++) {
		tunnel_keys_clear(&s->keys[i]);
		tunnel_lists_unref(s->lists[i]);
		tunnel_files_unref(s->files[i]);
	}
	hf_crls_free(s->crls);
	hf_mem_free(hf_os_mem(), s->keys);
	for (size_t i = 0; s->lanes != NULL && i < s->n_lanes; i++)
		hf_tls_tickets_clear(&s->lanes[i].tickets);
	hf_mem_free(hf_os_mem(), s->lanes);
	tunnel_config_clear(&s->config);
	hf_mem_free(hf_os_mem(), s);
}

void tunnel_setup_unref(struct tunnel_setup *s, unsigned n)
{
	if (atomic_fetch_sub(&s->refs, n) == n)
		setup_free(s);
}

/* A connection takes two descriptors: no more of them than the system lets us open. */
static void fit_files(struct tunnel_run *r, struct tunnel_config *c)
{
	uint64_t files = hf_process_raise_files();
	uint64_t taken = FILES_MAX + (c->n_services + 8) * (uint64_t)r->n_workers;
	uint64_t room = files > taken + 128 ? (files - taken) / 2 : 64;
	uint64_t wanted = 0;
	struct hufud_line l;

	for (size_t i = 0; i < c->n_services; i++)
		wanted += c->services[i].limits.max_links;
	if (wanted <= room)
		return;
	for (size_t i = 0; i < c->n_services; i++) {
		uint64_t share_ = c->services[i].limits.max_links * room / wanted;

		c->services[i].limits.max_links = share_ > 0 ? (uint32_t)share_ : 1;
	}
	hufud_line_begin(&l, &r->log, "fewer-connections");
	hufud_line_num(&l, "connections", room);
	hufud_line_num(&l, "wanted", wanted);
	hufud_line_num(&l, "open_files", files);
	hufud_line_end(&l);
}

/* Suites as the level allows them; extensions are not sent, since old servers choke on them. */
static void lane_init_tlcp(struct tunnel_lane *lane, const struct tunnel_keys *k)
{
	lane->tlcp.allow_cbc = lane->service->allow_cbc;
	if (k->has_enc) {
		lane->enc_local =
			(struct hf_local_key){ .key = &k->enc_key, .rng = &lane->worker->env.rng };
		lane->enc_key = hf_tlcp_enc_key_local(&lane->enc_local);
		lane->tlcp.enc_cert = k->enc.der;
		lane->tlcp.enc_key = &lane->enc_key;
	}
	lane->tls.tlcp = &lane->tlcp;
}

static void lane_init(struct tunnel_run *r, struct tunnel_setup *s, unsigned w, size_t i)
{
	struct tunnel_lane *lane = &s->lanes[w * s->config.n_services + i];
	struct tunnel_worker *worker = &r->workers[w];

	*lane = (struct tunnel_lane){
		.setup = s,
		.service = &s->config.services[i],
		.worker = worker,
		.local = { .key = &s->keys[i].key, .rng = &worker->env.rng },
	};
	lane->signer = hf_signer_local(&lane->local);
	tunnel_keys_tls(&lane->tls, &s->keys[i], lane->service);
	lane->tls.rng = &worker->env.rng;
	lane->tls.signer = &lane->signer;
	if ((lane->service->protocols & HF_TLS_TLCP) != 0)
		lane_init_tlcp(lane, &s->keys[i]);
	if (!lane->service->is_server) {
		lane->tls.keep_session = true;
		return;
	}
	tunnel_memory_tickets(&lane->tickets, s->tally[i]->memory, lane->service->level);
	lane->tls.tickets = &lane->tickets;
	if ((lane->service->protocols & HF_TLS_TLCP) != 0) {
		lane->cache = tunnel_memory_cache(s->tally[i]->memory);
		lane->tlcp.cache = &lane->cache;
	}
}

static hf_err load_keys(struct tunnel_run *r, struct tunnel_setup *s, struct hf_errinfo *ei)
{
	for (size_t i = 0; i < s->config.n_services; i++) {
		const struct tunnel_service *service = &s->config.services[i];
		struct hf_errinfo why = { 0 };
		hf_err e = tunnel_keys_load(&s->keys[i], &r->env, service, &why);

		if (e != HF_OK)
			return hf_fail_sys(ei, e, why.sys, "service %s: %s", service->name,
				why.text[0] != '\0' ? why.text : hf_err_text(e));
	}
	return HF_OK;
}

/* --- lists of what is revoked --- */

/* Lists of everybody who may have issued a certificate that a service believes. */
static hf_err trust(struct tunnel_setup *s, const struct hf_cert *ca, struct hf_errinfo *ei)
{
	crl_fetch_from(s->fetch, ca);
	if (!ca->is_ca || !ca->has_key_usage || (ca->key_usage & HF_KU_CRL_SIGN) == 0)
		return HF_OK;
	return hf_crls_trust(s->crls, ca, ei);
}

static hf_err trust_all(struct tunnel_setup *s, const struct tunnel_keys *k, struct hf_errinfo *ei)
{
	for (size_t i = 0; i < k->n_roots; i++)
		HF_TRY(trust(s, &k->roots[i], ei));
	for (size_t i = 0; i < k->n_chain; i++)
		HF_TRY(trust(s, &k->chain[i], ei));
	if (k->has_enc)
		crl_fetch_from(s->fetch, &k->enc);
	return HF_OK;
}

static void on_new_list(void *ctx)
{
	struct tunnel_run *r = ctx;

	tunnel_setup_refresh(r, r->setup);
}

static hf_err open_fetch(struct tunnel_run *r, struct tunnel_setup *s, struct hf_errinfo *ei)
{
	struct crl_fetch_config config = { .plan = s->config.plan,
		.loop = r->loop,
		.env = &r->env,
		.log = &r->log,
		.on_new = on_new_list,
		.ctx = r };

	if (s->config.crl_cache[0] == '\0')
		return HF_OK;
	if (r->setup != NULL && (r->may & HF_SANDBOX_STORE) == 0)
		return hf_fail(ei, HF_ERR_PERMISSION,
			"%s: revocation.cache: what began without one may write no files any more; "
			"start it anew",
			s->config.crl_cache);
	HF_TRY(hf_crls_new(&s->crls, &r->env, s->config.crl_cache, ei));
	config.crls = s->crls;
	HF_TRY(crl_fetch_new(&s->fetch, &config, ei));
	for (size_t i = 0; i < s->config.n_services; i++)
		HF_TRY(trust_all(s, &s->keys[i], ei));
	return HF_OK;
}

/* A file that is older than the one that is at work for this service takes no place. */
static hf_err check_files(
	struct tunnel_run *r, const struct tunnel_setup *s, size_t i, struct hf_errinfo *ei)
{
	const char *name = s->config.services[i].name;
	struct hf_errinfo why = { 0 };
	hf_err e = HF_OK;

	for (size_t k = 0; r->setup != NULL && k < r->setup->config.n_services; k++)
		if (strcmp(r->setup->config.services[k].name, name) == 0)
			e = tunnel_files_follow(s->files[i], r->setup->files[k], &why);
	return e == HF_OK ? HF_OK : hf_fail(ei, e, "service %s: %s", name, why.text);
}

static hf_err open_lists(struct tunnel_run *r, struct tunnel_setup *s, struct hf_errinfo *ei)
{
	HF_TRY(open_fetch(r, s, ei));
	for (size_t i = 0; i < s->config.n_services; i++) {
		if (tunnel_files_new(&s->files[i], &s->keys[i]) != HF_OK ||
			tunnel_lists_new(&s->lists[i], s->files[i], s->crls) != HF_OK)
			return hf_fail(ei, HF_ERR_NO_MEMORY, "out of memory");
		HF_TRY(check_files(r, s, i, ei));
	}
	return HF_OK;
}

void tunnel_setup_refresh(struct tunnel_run *r, struct tunnel_setup *s)
{
	for (size_t i = 0; i < s->config.n_services; i++) {
		const char *name = s->config.services[i].name;
		struct tunnel_lists *next = NULL;
		struct tunnel_lists *old;

		if (tunnel_lists_new(&next, s->files[i], s->crls) != HF_OK) {
			hufud_log_event(&r->log, "list-not-used", "service", name);
			continue;
		}
		uv_mutex_lock(&r->lists_lock);
		old = s->lists[i];
		s->lists[i] = next;
		uv_mutex_unlock(&r->lists_lock);
		tunnel_lists_unref(old);
	}
	for (unsigned w = 0; w < r->n_workers; w++)
		tunnel_worker_lists(&r->workers[w]);
}

static hf_err fill(struct tunnel_run *r, struct tunnel_setup *s, struct hf_errinfo *ei)
{
	struct tunnel_config *c = &s->config;
	size_t n_lanes;

	HF_TRY(tunnel_config_parse(c, r->path != NULL ? r->path : "command line",
		(const char *)r->text.p, r->text.len, ei));
	n_lanes = s->n_lanes = c->n_services * r->n_workers;
	s->keys = hf_mem_array(hf_os_mem(), c->n_services, sizeof(*s->keys));
	s->lanes = hf_mem_array(hf_os_mem(), n_lanes, sizeof(*s->lanes));
	if (s->keys == NULL || s->lanes == NULL)
		return hf_fail(ei, HF_ERR_NO_MEMORY, "out of memory");
	HF_TRY(load_keys(r, s, ei));
	HF_TRY(open_lists(r, s, ei));
	fit_files(r, c);
	for (size_t i = 0; i < c->n_services; i++) {
		HF_TRY(find_tally(r, &s->tally[i], c->services[i].name, ei));
		HF_TRY(grow_memory(r, s->tally[i], &c->services[i], ei));
		HF_TRY(find_door(r, &s->door[i], &c->services[i], i, ei));
	}
	for (unsigned w = 0; w < r->n_workers; w++)
		for (size_t i = 0; i < c->n_services; i++)
			lane_init(r, s, w, i);
	atomic_store(&s->refs, (unsigned)n_lanes + 1);
	return HF_OK;
}

/* The others go, once no worker waits at them any more. */
static void mark_doors(struct tunnel_run *r, const struct tunnel_setup *s)
{
	for (size_t i = 0; i < TUNNEL_DOORS_MAX; i++)
		r->doors[i].is_needed = false;
	for (size_t i = 0; s != NULL && i < s->config.n_services; i++)
		if (s->door[i] != NULL)
			s->door[i]->is_needed = true;
}

hf_err tunnel_setup_new(struct tunnel_run *r, struct tunnel_setup **out, struct hf_errinfo *ei)
{
	struct tunnel_setup *s = hf_mem_new(hf_os_mem(), sizeof(*s));
	hf_err e;

	if (s == NULL)
		return hf_fail(ei, HF_ERR_NO_MEMORY, "out of memory");
	e = fill(r, s, ei);
	mark_doors(r, e == HF_OK ? s : r->setup);
	if (e != HF_OK) {
		crl_fetch_end(s->fetch);
		setup_free(s);
		return e;
	}
	*out = s;
	return HF_OK;
}
