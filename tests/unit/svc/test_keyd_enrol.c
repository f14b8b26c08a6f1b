/* SPDX-License-Identifier: Apache-2.0 */
/* From a newcomer to a member, and every way in which that must not work. */
#include "test.h"

#include "keyd_world.h"
#include "pki/csr.h"
#include "svc/issue.h"

static unsigned n_devices;

static int make(void **state)
{
	(void)state;
	world_make();
	return 0;
}

static int delete_all(void **state)
{
	(void)state;
	world_delete();
	return 0;
}

/* A newcomer with a name of its own, its requests and a token for it. */
static void begin(struct joining *j, struct node *n)
{
	static char names[64][16];
	char *id = names[n_devices % 64];

	(void)snprintf(id, sizeof(names[0]), "new-%u", n_devices++);
	joining_init(j);
	node_init(n, id, id, HF_ROLE_DEVICE);
	assert_ok(node_start(n));
	make_token(j, id, "device", DAY);
	join_ask(j, n);
}

static void end(struct joining *j, struct node *n)
{
	joining_clear(j);
	node_stop(n);
}

static void a_newcomer_becomes_a_member_and_stays_one(void **state)
{
	struct hf_key_status s;
	struct hf_key_status after;
	struct counting c;
	struct joining j;
	struct node n;

	(void)state;
	begin(&j, &n);
	assert_ok(join_issue(&j));
	join_papers(&j);
	assert_ok(join_finish(&j, &n));
	assert_int_equal(hf_keyd_state(n.k), HF_KEY_STATE_MEMBER);
	assert_ok(hf_key_status(client(&n), &s, NULL));
	assert_string_equal(s.identity.domain, "plant-7");
	assert_string_equal(s.identity.id, n.config.id);
	assert_int_equal(s.identity.level, HF_L1);
	/* A second time is too late. */
	assert_err(join_finish(&j, &n), HF_ERR_STATE);
	node_restart(&n);
	assert_ok(hf_key_status(client(&n), &after, NULL));
	assert_int_equal(after.state, HF_KEY_STATE_MEMBER);
	assert_memory_equal(&s.identity, &after.identity, sizeof(s.identity));
	assert_true(after.n_records > s.n_records);
	node_stop(&n);
	c = log_count(&n, HF_EV_ENROL);
	assert_int_equal(c.n, 1); /* where the newcomer's log ended */
	joining_clear(&j);
}

static void the_newcomers_log_is_closed_and_whole(void **state)
{
	struct counting closed = { .event = HF_EV_AUDIT_CLOSE };
	struct counting enrolled = { .event = HF_EV_ENROL };
	struct hf_journal_report report;
	struct hf_sm2_pub pub;
	struct joining j;
	struct node n;
	char id[64];

	(void)state;
	begin(&j, &n);
	assert_ok(join_issue(&j));
	join_papers(&j);
	assert_ok(join_finish(&j, &n));
	pub = log_key(n.dir, "sign");
	(void)snprintf(id, sizeof(id), "new/%s", n.config.id);
	assert_ok(hf_journal_verify(&world_env, test_path(n.dir, "audit-new"), id, &pub,
		count_event, &closed, &report, NULL));
	assert_int_equal(report.head_size, report.n_records);
	assert_int_equal(closed.n, 1);
	assert_ok(hf_journal_verify(&world_env, test_path(n.dir, "audit-new"), id, &pub,
		count_event, &enrolled, &report, NULL));
	assert_int_equal(enrolled.n, 1);
	end(&j, &n);
}

static void the_same_key_may_ask_again_and_another_may_not(void **state)
{
	struct joining j;
	struct joining other;
	struct node n;
	struct node thief;
	struct counting c;

	(void)state;
	begin(&j, &n);
	assert_ok(join_issue(&j));
	hf_buf_reset(&j.sign_cert);
	hf_buf_reset(&j.enc_cert);
	assert_ok(join_issue(&j)); /* the first answer was lost */
	/* Somebody who saw the token, under the same name and with keys of its own. */
	joining_init(&other);
	node_init(&thief, "thief", n.config.id, HF_ROLE_DEVICE);
	assert_ok(node_start(&thief));
	join_ask(&other, &thief);
	memcpy(other.token, j.token, sizeof(j.token));
	assert_err(join_issue(&other), HF_ERR_AUTH);
	assert_non_null(strstr(world_ei.text, "another key"));
	assert_int_equal(other.sign_cert.len, 0);
	node_restart(&hub); /* remembered durably */
	assert_err(join_issue(&other), HF_ERR_AUTH);
	node_stop(&hub);
	c = log_count(&hub, HF_EV_ENROL_REFUSED);
	assert_true(c.n >= 2);
	assert_int_equal(c.reason, HF_ERR_AUTH);
	assert_non_null(strstr(c.subject, n.config.id));
	assert_ok(node_start(&hub));
	end(&other, &thief);
	end(&j, &n);
}

/*
 * An edge saw token and requests on their way, and sends them again with an encryption key of its
 * own: grants of that device would be sealed to it.
 */
static void an_edge_cannot_put_its_own_encryption_key_under_a_device(void **state)
{
	struct joining j;
	struct joining evil;
	struct node n;
	struct node edge;

	(void)state;
	begin(&j, &n);
	assert_ok(join_issue(&j));
	joining_init(&evil);
	node_init(&edge, "evil-edge", n.config.id, HF_ROLE_DEVICE);
	assert_ok(node_start(&edge));
	join_ask(&evil, &edge);
	memcpy(evil.token, j.token, sizeof(j.token));
	hf_buf_reset(&evil.sign_csr);
	assert_ok(hf_buf_put(&evil.sign_csr, j.sign_csr.p, j.sign_csr.len));
	assert_err(join_issue(&evil), HF_ERR_AUTH);
	assert_int_equal(evil.enc_cert.len, 0);
	hf_buf_reset(&j.sign_cert);
	hf_buf_reset(&j.enc_cert);
	assert_ok(join_issue(&j)); /* the device itself still may */
	end(&evil, &edge);
	end(&j, &n);
}

static void tokens_that_are_not_ours_are_refused(void **state)
{
	static const char foreign_text[] = "hufu1-00";
	struct hf_token t = { .role = "device", .level = 1 };
	uint8_t key[HF_KEY_SEED_LEN] = { 1 };
	struct joining j;
	struct node n;
	char good[HF_TOKEN_TEXT_MAX];

	(void)state;
	begin(&j, &n);
	memcpy(good, j.token, sizeof(good));
	/* every character matters */
	for (size_t i = 0; good[i] != '\0'; i += 5) {
		memcpy(j.token, good, sizeof(good));
		j.token[i] = j.token[i] == '0' ? '1' : '0';
		assert_err(join_issue(&j), HF_ERR_AUTH);
	}
	memcpy(j.token, foreign_text, sizeof(foreign_text));
	assert_err(join_issue(&j), HF_ERR_AUTH);
	j.token[0] = '\0';
	assert_err(join_issue(&j), HF_ERR_AUTH);
	/* another hub's token key */
	(void)snprintf(t.device, sizeof(t.device), "%s", n.config.id);
	t.not_after = world_now + DAY;
	assert_ok(hf_token_emit(j.token, &t, key));
	assert_err(join_issue(&j), HF_ERR_AUTH);
	/* ours by its key, but never issued (the database was put back), or of another root CA */
	assert_ok(hf_root_derive(key, world_seed, "token"));
	assert_ok(hf_token_emit(j.token, &t, key));
	assert_err(join_issue(&j), HF_ERR_AUTH);
	assert_non_null(strstr(world_ei.text, "another root CA"));
	hf_cert_fingerprint(t.root_ca, &world_hub.root_ca);
	assert_ok(hf_token_emit(j.token, &t, key));
	assert_err(join_issue(&j), HF_ERR_AUTH);
	memcpy(j.token, good, sizeof(good));
	assert_ok(join_issue(&j)); /* none of that used it up */
	end(&j, &n);
}

static void an_expired_token_is_refused(void **state)
{
	struct joining j;
	struct node n;

	(void)state;
	begin(&j, &n);
	world_now += DAY + 1;
	assert_err(join_issue(&j), HF_ERR_EXPIRED);
	world_now -= DAY + 1;
	assert_ok(join_issue(&j));
	end(&j, &n);
}

static void requests_for_somebody_else_are_refused(void **state)
{
	struct joining j;
	struct joining other;
	struct node n;
	struct node m;

	(void)state;
	begin(&j, &n);
	begin(&other, &m);
	memcpy(other.token, j.token, sizeof(j.token)); /* j's token for the other's requests */
	assert_err(join_issue(&other), HF_ERR_DENIED);
	end(&other, &m);
	/* another role, another level than the token's */
	make_token(&j, n.config.id, "edge", DAY);
	assert_err(join_issue(&j), HF_ERR_DENIED);
	node_stop(&n);
	n.config.level = HF_L2;
	assert_ok(node_start(&n));
	hf_buf_reset(&j.sign_csr);
	hf_buf_reset(&j.enc_csr);
	join_ask(&j, &n);
	make_token(&j, n.config.id, "device", DAY);
	assert_err(join_issue(&j), HF_ERR_DENIED);
	end(&j, &n);
}

static void requests_that_prove_nothing_are_refused(void **state)
{
	struct joining j;
	struct node n;

	(void)state;
	begin(&j, &n);
	j.enc_csr.p[j.enc_csr.len - 1] ^= 1; /* the signature */
	assert_int_not_equal(join_issue(&j), HF_OK);
	j.enc_csr.p[j.enc_csr.len - 1] ^= 1;
	hf_buf_reset(&j.enc_csr); /* one key for both */
	assert_ok(hf_buf_put(&j.enc_csr, j.sign_csr.p, j.sign_csr.len));
	assert_err(join_issue(&j), HF_ERR_DENIED);
	hf_buf_reset(&j.enc_csr);
	assert_int_not_equal(join_issue(&j), HF_OK);
	end(&j, &n);
}

static void papers_that_do_not_belong_together_are_refused(void **state)
{
	struct joining j;
	struct joining other;
	struct node n;
	struct node m;
	struct hf_enrolled good;
	struct hf_bytes *const fields[] = { &j.papers.sign_cert, &j.papers.enc_cert,
		&j.papers.issuing_ca, &j.papers.root_ca, &j.papers.hub_enc, &j.papers.root };

	(void)state;
	begin(&j, &n);
	begin(&other, &m);
	assert_ok(join_issue(&j));
	assert_ok(join_issue(&other));
	join_papers(&j);
	good = j.papers;
	j.root_ca_sm3[31] ^= 1; /* a wrong hub */
	assert_err(join_finish(&j, &n), HF_ERR_AUTH);
	assert_non_null(strstr(world_ei.text, "wrong hub"));
	j.root_ca_sm3[31] ^= 1;
	j.papers.sign_cert = bytes_of(&other.sign_cert); /* other keys */
	assert_err(join_finish(&j, &n), HF_ERR_AUTH);
	j.papers = good;
	j.papers.enc_cert = good.sign_cert;
	assert_err(join_finish(&j, &n), HF_ERR_AUTH);
	for (size_t i = 0; i < HF_COUNT(fields); i++) {
		uint8_t *copy = malloc(fields[i]->len);

		assert_non_null(copy);
		j.papers = good;
		memcpy(copy, fields[i]->p, fields[i]->len);
		copy[fields[i]->len - 1] ^= 1;
		*fields[i] = (struct hf_bytes){ copy, fields[i]->len };
		assert_int_not_equal(join_finish(&j, &n), HF_OK);
		*fields[i] = (struct hf_bytes){ copy, 0 };
		assert_int_not_equal(join_finish(&j, &n), HF_OK);
		free(copy);
	}
	j.papers = good;
	j.papers.hub_enc = world_hub.sign.der; /* not an encryption certificate */
	assert_err(join_finish(&j, &n), HF_ERR_PURPOSE);
	j.papers.hub_enc = good.enc_cert; /* not a hub's */
	assert_err(join_finish(&j, &n), HF_ERR_DENIED);
	assert_int_equal(hf_keyd_state(n.k), HF_KEY_STATE_NEWCOMER);
	j.papers = good;
	assert_ok(join_finish(&j, &n)); /* none of that left a trace */
	end(&other, &m);
	end(&j, &n);
}

static void only_root_and_our_own_user_make_tokens(void **state)
{
	static const uint32_t users[] = { 4242 };
	char text[HF_TOKEN_TEXT_MAX] = "";
	struct node user = as_user(&hub, 4242);
	struct node root = as_user(&hub, 0);

	(void)state;
	node_stop(&hub);
	hub.config.open_uids = users; /* who may open models may not do this */
	hub.config.n_open_uids = 1;
	assert_ok(node_start(&hub));
	user.k = hub.k;
	root.k = hub.k;
	assert_err(hf_key_make_token(client(&user), "x", "device", HF_L1, 60, text, fresh()),
		HF_ERR_DENIED);
	assert_err(hf_key_make_token(client(&hub), "x", "device", HF_L1, 60, text, NULL),
		HF_ERR_DENIED); /* nor may the network process */
	assert_string_equal(text, "");
	assert_err(
		hf_key_make_token(client(&root), "A", "device", HF_L1, 60, text, NULL), HF_ERR_ARG);
	assert_err(hf_key_make_token(client(&root), "x", "hub", HF_L1, 60, text, NULL), HF_ERR_ARG);
	assert_err(hf_key_make_token(client(&root), "x", "edge", (enum hf_level)4, 60, text, NULL),
		HF_ERR_ARG);
	assert_err(hf_key_make_token(client(&root), "x", "edge", HF_L1, 0, text, NULL), HF_ERR_ARG);
	assert_err(hf_key_make_token(client(&root), "x", "edge", HF_L1, 400 * DAY, text, NULL),
		HF_ERR_ARG);
	assert_ok(hf_key_make_token(client(&root), "x", "edge", HF_L1, 60, text, NULL));
	assert_memory_equal(text, "hufu1-", 6);
}

static void a_folder_of_another_node_is_refused(void **state)
{
	struct node n;

	(void)state;
	world_join(&n, "own-1", HF_ROLE_EDGE, NULL);
	node_stop(&n);
	n.config.id = "own-2";
	assert_err(node_start(&n), HF_ERR_ARG);
	n.config.id = "own-1";
	n.config.role = HF_ROLE_DEVICE;
	assert_err(node_start(&n), HF_ERR_ARG);
	n.config.role = HF_ROLE_EDGE;
	assert_ok(node_start(&n));
	node_stop(&n);
	node_init(&n, "own-3", "own-3", HF_ROLE_HUB);
	n.config.root_seed = world_seed;
	assert_err(node_start(&n), HF_ERR_NOT_FOUND);
	assert_non_null(strstr(world_ei.text, "domain init"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_newcomer_becomes_a_member_and_stays_one),
		cmocka_unit_test(the_newcomers_log_is_closed_and_whole),
		cmocka_unit_test(the_same_key_may_ask_again_and_another_may_not),
		cmocka_unit_test(an_edge_cannot_put_its_own_encryption_key_under_a_device),
		cmocka_unit_test(tokens_that_are_not_ours_are_refused),
		cmocka_unit_test(an_expired_token_is_refused),
		cmocka_unit_test(requests_for_somebody_else_are_refused),
		cmocka_unit_test(requests_that_prove_nothing_are_refused),
		cmocka_unit_test(papers_that_do_not_belong_together_are_refused),
		cmocka_unit_test(only_root_and_our_own_user_make_tokens),
		cmocka_unit_test(a_folder_of_another_node_is_refused),
	};

	return cmocka_run_group_tests(tests, make, delete_all);
}
