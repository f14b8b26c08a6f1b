/* SPDX-License-Identifier: Apache-2.0 */
/* A hub hands the revocation list on, and goes by it itself. */
#include "serve_world.h"

#include "svc/serve_inner.h"

static struct served s;
static struct node dev;
static struct node other;
static struct hf_crls *crls;
static struct wire *was_cut;

/* What the front of a hub does: the key process's list into the cache. */
static void take_list(void)
{
	struct hf_buf der = buf_new();
	const struct hf_crl *have = hf_crls_get(crls, &world_hub.issuing_ca);

	assert_ok(hf_key_revocations(client(&hub), have == NULL ? 0 : have->number, &der, fresh()));
	assert_true(der.len > 0);
	assert_ok(hf_crls_take(crls, bytes_of(&der), world_now, fresh()));
	hf_buf_clear(&der);
}

static int make(void **state)
{
	char dir[TEST_PATH_MAX + 16];

	(void)state;
	world_make();
	wire_now_ms = hf_clock_mono_ms();
	(void)snprintf(dir, sizeof(dir), "%s/crls", world_dir);
	assert_ok(hf_crls_new(&crls, &world_env, dir, NULL));
	assert_ok(hf_crls_trust(crls, &world_hub.issuing_ca, NULL));
	served_open(&s, &hub, "hub-1", HF_ROLE_HUB);
	s.config.crls = crls;
	served_start(&s);
	serve_join(&s, &dev, "dev-1", HF_ROLE_DEVICE);
	serve_join(&s, &other, "dev-2", HF_ROLE_DEVICE);
	return 0;
}

static int delete_all(void **state)
{
	(void)state;
	served_stop(&s);
	hf_crls_free(crls);
	node_stop(&dev);
	node_stop(&other);
	world_delete();
	return 0;
}

/* Asks for the list; have NULL: without saying what is there. */
static unsigned get_list(struct ask *a, struct wire *w, const char *have)
{
	ask_init(a, HF_HTTP_GET, "/v1/crl");
	if (have != NULL)
		ask_field(a, HF_FIELD_HAVE, have);
	return ask_run(a, w);
}

static void the_list_is_given_to_who_has_another(void **state)
{
	static const char *const odd[] = { "", "x", "-1", "1x", "99999999999999999999999" };
	struct wire *w = wire_of(s.serve, dev.dir);
	const struct hf_crl *crl;
	char number[32];
	struct ask a;

	(void)state;
	assert_int_equal(get_list(&a, w, NULL), 404); /* there is none yet */
	ask_clear(&a);
	take_list();
	crl = hf_crls_get(crls, &world_hub.issuing_ca);
	assert_int_equal(get_list(&a, w, NULL), 200);
	assert_string_equal(a.answer.head.content_type, HF_TYPE_CRL);
	assert_int_equal(a.answer.len, crl->der.len);
	assert_memory_equal(a.answer.body, crl->der.p, a.answer.len);
	ask_clear(&a);
	(void)snprintf(number, sizeof(number), "%u", (unsigned)crl->number);
	assert_int_equal(get_list(&a, w, number), 200);
	assert_int_equal(a.answer.len, 0);
	ask_clear(&a);
	for (size_t i = 0; i < HF_COUNT(odd); i++) {
		assert_int_equal(get_list(&a, w, odd[i]), 200);
		assert_int_equal(a.answer.len, crl->der.len);
		ask_clear(&a);
	}
	wire_end(w);
}

static void on_cut(void *ctx)
{
	was_cut = ctx;
	wire_end(ctx); /* as a link may: at once */
}

static struct wire *cuttable(const struct node *n)
{
	struct wire *w = wire_of(s.serve, n->dir);

	w->session->peer.cut = on_cut;
	w->session->peer.ctx = w;
	return w;
}

/* A link that knew of no list, or of an older one: the peer gets no session all the same. */
static void refuses_to_begin(const struct hf_cert *cert)
{
	const struct hf_serve_peer peer = {
		.cert = cert, .address = "192.0.2.1", .pump = wire_pump
	};
	struct hf_serve_session *session = NULL;
	struct hf_errinfo ei = { 0 };
	struct hf_h2 *h = NULL;
	uint32_t n = stats_of(&s).n_sessions;

	assert_err(hf_serve_begin(&session, &h, s.serve, &peer, wire_now_ms, &ei), HF_ERR_REVOKED);
	assert_non_null(strstr(ei.text, "is revoked"));
	assert_true(session == NULL && h == NULL);
	assert_int_equal(stats_of(&s).n_sessions, n);
}

static void who_is_on_the_list_is_cut_off_and_nobody_else(void **state)
{
	struct node admin = as_user(&hub, hf_process_uid());
	struct wire *good = cuttable(&other);
	struct wire *bad = cuttable(&dev);
	struct hf_cert cert = { .is_ca = false };
	uint64_t number;

	(void)state;
	hf_serve_sweep(s.serve);
	assert_null(was_cut);
	assert_ok(hf_cert_copy(&cert, world_env.mem, bad->cert.der.p, bad->cert.der.len, NULL));
	assert_ok(hf_serve_check_revoked(s.serve, &cert, NULL));
	assert_ok(hf_key_revoke(client(&admin), "dev-1", 1, &number, fresh()));
	take_list();
	hf_serve_sweep(s.serve);
	assert_ptr_equal(was_cut, bad);
	assert_false(bad->is_used);
	assert_true(good->is_used);
	assert_err(hf_serve_check_revoked(s.serve, &cert, NULL), HF_ERR_REVOKED);
	refuses_to_begin(&cert);
	assert_int_equal(status_of(good, HF_HTTP_GET, "/v1/crl", NULL, 0), 200);
	hf_cert_clear(&cert);
	wire_end(good);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_list_is_given_to_who_has_another),
		cmocka_unit_test(who_is_on_the_list_is_cut_off_and_nobody_else),
	};

	return cmocka_run_group_tests(tests, make, delete_all);
}
