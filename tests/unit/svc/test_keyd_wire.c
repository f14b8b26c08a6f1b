/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every request of a whole life, cut at every byte and one byte too long, is refused and changes
 * nothing; and the client over a real socket.
 */
#include "test.h"

#include <sys/wait.h>
#include <unistd.h>

#include "keyd_world.h"
#include "os/unixsock.h"
#include "pkg/upload.h"

static struct node dev;
static struct hf_buf cert;
static struct release one;
static uint32_t seen; /* requests that were tried, as bits */

static int make(void **state)
{
	(void)state;
	world_make();
	cert = buf_new();
	world_seal(&one, "digits", 1, 0);
	return 0;
}

static int delete_all(void **state)
{
	(void)state;
	release_clear(&one);
	hf_buf_clear(&cert);
	node_stop(&dev);
	world_delete();
	return 0;
}

static hf_err code_of(const struct hf_buf *reply)
{
	assert_true(reply->len >= 6);
	return (hf_err)hf_get_be32(reply->p);
}

/* A refusal is a code, a text, and nothing behind it. */
static void refused(struct node *n, struct hf_buf *reply, const uint8_t *in, size_t len)
{
	/* memory of exactly this length: a byte too far is seen */
	uint8_t *copy = malloc(len == 0 ? 1 : len);

	assert_non_null(copy);
	memcpy(copy, in, len);
	hf_buf_reset(reply);
	assert_ok(hf_keyd_handle(n->k, reply, n->asker, n->uid, copy, len));
	free(copy);
	assert_int_not_equal(code_of(reply), HF_OK);
	assert_string_not_equal(hf_err_name(code_of(reply)), "unknown");
	assert_int_equal(reply->len, 6 + (size_t)hf_get_be16(reply->p + 4));
}

/* Tries every part of a request before the whole of it. */
static hf_err cutting_exchange(void *ctx, struct hf_buf *reply, const uint8_t *in, size_t in_len)
{
	struct node *n = ctx;
	struct hf_buf out = buf_new();
	struct hf_buf longer = buf_new();
	struct hf_key_status before;
	struct hf_key_status after;
	struct hf_key_client c = n->c;
	size_t step = in_len > 8192 ? 7 : 1;

	c.exchange = world_exchange;
	assert_ok(hf_key_status(&c, &before, NULL));
	seen |= 1u << in[0];
	for (size_t len = 0; len < in_len; len += len < 64 ? 1 : step)
		refused(n, &out, in, len);
	assert_ok(hf_buf_put(&longer, in, in_len));
	assert_ok(hf_buf_put(&longer, "", 1));
	refused(n, &out, longer.p, longer.len);
	assert_ok(hf_key_status(&c, &after, NULL));
	assert_int_equal(after.state, before.state);
	assert_int_equal(after.channel_serial, before.channel_serial);
	hf_buf_clear(&longer);
	hf_buf_clear(&out);
	return world_exchange(ctx, reply, in, in_len);
}

static void join_cutting(void)
{
	struct joining j;

	joining_init(&j);
	node_init(&dev, "dev-1", "dev-1", HF_ROLE_DEVICE);
	dev.c.exchange = cutting_exchange;
	assert_ok(node_start(&dev));
	make_token(&j, "dev-1", "device", DAY);
	join_ask(&j, &dev);
	assert_ok(join_issue(&j));
	join_papers(&j);
	assert_ok(join_finish(&j, &dev));
	assert_ok(hf_buf_put(&cert, j.enc_cert.p, j.enc_cert.len));
	joining_clear(&j);
}

/* An upload as a user's process prepares it; the body is that of a release. */
static struct hf_buf upload_content(const char *device, enum hf_level level)
{
	const uint8_t cek[HF_CEK_LEN] = { 5 };
	const struct hf_cms_party to = { .pub = world_hub.enc.key, .cert = &world_hub.enc };
	struct hf_upload u = { .counter = 1,
		.kind = HF_UPLOAD_INCREMENT,
		.level = level,
		.created_s = world_now,
		.lineage = "digits",
		.release = 1,
		.recipient = "hub-1" };
	struct hf_buf content = buf_new();
	struct hf_bytes signed_content;
	struct hf_manifest m;

	assert_ok(
		hf_object_peek(&signed_content, HF_OBJECT_MANIFEST, bytes_of(&one.manifest), NULL));
	assert_ok(hf_manifest_parse(&m, signed_content, NULL));
	(void)snprintf(u.domain, sizeof(u.domain), "plant-7");
	(void)snprintf(u.device, sizeof(u.device), "%s", device);
	u.body = m.body;
	assert_ok(hf_upload_emit(&content, &u, cek, &to, &world_env.rng, NULL));
	return content;
}

static void every_request_cut_at_every_byte_is_refused(void **state)
{
	static const uint8_t nonce[16] = { 1 };
	const struct hf_tls_cv cv = { HF_TLS_SERVER, { 3 } };
	const struct hf_audit_event_in in = { .event = HF_EV_LINK_CLOSED, .actor = "hub:hub-1" };
	struct hf_buf out = buf_new();
	struct hf_key_status s;
	struct hf_sm2_sig sig;
	struct hf_buf content;
	struct hf_buf channel;
	struct hf_buf grant;
	struct node user;
	uint8_t cek[HF_CEK_LEN];

	(void)state;
	hub.c.exchange = cutting_exchange;
	join_cutting();
	channel = world_channel_of(&one);
	grant = world_grant(&one, &cert);
	assert_ok(hf_key_sign_link(client(&dev), &cv, &sig, NULL));
	assert_ok(hf_key_audit(client(&dev), &in, NULL));
	assert_ok(hf_key_status(client(&dev), &s, NULL));
	assert_ok(hf_key_check_channel(client(&dev), bytes_of(&channel), NULL));
	assert_ok(hf_key_check_release(
		client(&dev), "digits", bytes_of(&channel), bytes_of(&one.manifest), NULL));
	assert_ok(hf_key_check_grant(client(&dev), "digits", bytes_of(&channel),
		bytes_of(&one.manifest), bytes_of(&grant), NULL));
	assert_ok(activate(&dev, &channel, &one, &grant, &out));
	assert_ok(hf_key_sign_inventory(client(&dev), nonce, &out, NULL));
	user = as_user(&dev, dev.uid);
	assert_ok(hf_key_open(client(&user), "digits", &out, cek, NULL));
	content = upload_content("dev-1", HF_L1);
	assert_ok(hf_key_sign_upload(client(&user), bytes_of(&content), &out, NULL));
	assert_ok(hf_key_report(client(&user), "digits", HF_ERR_AUTH, NULL));
	assert_ok(hf_key_check_active(client(&dev), "digits", NULL));
	assert_int_equal(seen, (1u << (HF_KEYREQ_CHECK_ACTIVE + 1)) - 2); /* all of them */
	hub.c.exchange = world_exchange;
	dev.c.exchange = world_exchange;
	hf_buf_clear(&content);
	hf_buf_clear(&channel);
	hf_buf_clear(&grant);
	hf_buf_clear(&out);
}

static void uploads_of_others_are_not_signed(void **state)
{
	struct node user = as_user(&dev, dev.uid);
	struct node stranger = as_user(&dev, 4242);
	struct hf_buf good = upload_content("dev-1", HF_L1);
	struct hf_buf other = upload_content("dev-2", HF_L1);
	struct hf_buf high = upload_content("dev-1", HF_L2);
	struct hf_buf out = buf_new();
	struct hf_key_set key;
	struct hf_bytes content;
	struct hf_party party;
	struct hf_upload u;

	(void)state;
	assert_err(
		hf_key_sign_upload(client(&user), bytes_of(&other), &out, fresh()), HF_ERR_DENIED);
	assert_err(hf_key_sign_upload(client(&user), bytes_of(&high), &out, NULL), HF_ERR_DENIED);
	assert_err(
		hf_key_sign_upload(client(&stranger), bytes_of(&good), &out, NULL), HF_ERR_DENIED);
	/* a receipt, say, is not an upload */
	assert_err(hf_key_sign_upload(client(&user), bytes_of(&cert), &out, NULL), HF_ERR_FORMAT);
	assert_int_equal(out.len, 0);
	assert_ok(hf_key_sign_upload(client(&user), bytes_of(&good), &out, NULL));
	assert_ok(hf_party_open(&party, &world_env, dev.dir, NULL));
	key = hf_key_set_one(&party.sign.key);
	assert_ok(hf_object_open(&content, NULL, HF_OBJECT_UPLOAD, bytes_of(&out), &key, NULL));
	assert_ok(hf_upload_parse(&u, content, NULL));
	assert_string_equal(u.device, "dev-1");
	hf_party_clear(&party);
	hf_buf_clear(&good);
	hf_buf_clear(&other);
	hf_buf_clear(&high);
	hf_buf_clear(&out);
}

/* Answers on a socket until it is closed. */
static int serve(struct node *n, int fd)
{
	struct hf_buf in = buf_new();
	struct hf_buf out = buf_new();
	size_t n_fds = 0;

	if (node_start(n) != HF_OK)
		return 1;
	while (hf_msg_receive(fd, &in, NULL, 0, &n_fds, NULL) == HF_OK) {
		if (hf_keyd_handle(n->k, &out, HF_ASKER_FRONT, 0, in.p, in.len) != HF_OK ||
			hf_msg_send(fd, out.p, out.len, NULL, 0, NULL) != HF_OK)
			return 2;
		hf_buf_reset(&in);
		hf_buf_reset(&out);
	}
	node_stop(n);
	return 0;
}

static void the_client_works_over_a_socket(void **state)
{
	struct hf_key_client c = { .mem = world_env.mem };
	struct hf_key_status s;
	struct hf_errinfo ei = { .code = HF_OK };
	struct hf_buf out = buf_new();
	uint8_t nonce[16] = { 0 };
	struct node n;
	int status = 0;
	int fds[2];
	pid_t pid;

	(void)state;
	node_init(&n, "sock-1", "sock-1", HF_ROLE_EDGE);
	assert_ok(hf_unixsock_pair(fds, NULL));
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)close(fds[0]);
		_exit(serve(&n, fds[1]));
	}
	(void)close(fds[1]);
	c.fd = fds[0];
	assert_ok(hf_key_status(&c, &s, NULL));
	assert_string_equal(s.identity.id, "sock-1");
	assert_err(hf_key_sign_inventory(&c, nonce, &out, &ei), HF_ERR_STATE);
	assert_non_null(strstr(ei.text, "not enrolled")); /* the key process's own words */
	(void)close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static hf_err canned(void *ctx, struct hf_buf *reply, const uint8_t *in, size_t in_len)
{
	const struct hf_bytes *answer = ctx;

	(void)in;
	(void)in_len;
	return hf_buf_put(reply, answer->p, answer->len);
}

static void malformed_replies_are_refused(void **state)
{
	static const uint8_t good[] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 7, 8 };
	uint8_t reply[sizeof(good) + 1];
	struct hf_bytes answer = { reply, 0 };
	struct hf_key_client c = {
		.mem = world_env.mem, .fd = -1, .exchange = canned, .ctx = &answer
	};
	struct hf_buf out = buf_new();
	uint8_t nonce[16] = { 0 };

	(void)state;
	memcpy(reply, good, sizeof(good));
	reply[sizeof(good)] = 0;
	for (size_t len = 0; len <= sizeof(reply); len++) {
		answer.len = len;
		if (len == sizeof(good))
			continue;
		assert_err(hf_key_sign_inventory(&c, nonce, &out, NULL), HF_ERR_FORMAT);
		assert_int_equal(out.len, 0);
	}
	answer.len = sizeof(good);
	assert_ok(hf_key_sign_inventory(&c, nonce, &out, NULL));
	assert_int_equal(out.len, 2);
	reply[2] = 0x77; /* a code that is none */
	assert_err(hf_key_sign_inventory(&c, nonce, &out, NULL), HF_ERR_FORMAT);
	memset(reply, 0, sizeof(reply));
	reply[4] = 0xff; /* a text that is not there */
	assert_err(hf_key_sign_inventory(&c, nonce, &out, NULL), HF_ERR_FORMAT);
	hf_buf_clear(&out);
}

static void a_request_that_is_too_long_closes_its_asker(void **state)
{
	uint8_t *in = calloc(1, HF_KEY_MESSAGE_MAX + 1);
	struct hf_buf out = buf_new();

	(void)state;
	assert_non_null(in);
	assert_err(hf_keyd_handle(dev.k, &out, HF_ASKER_FRONT, 0, in, HF_KEY_MESSAGE_MAX + 1),
		HF_ERR_LIMIT);
	assert_int_equal(out.len, 0);
	out.max = 3; /* no room for a reply */
	in[0] = HF_KEYREQ_STATUS;
	assert_err(hf_keyd_handle(dev.k, &out, HF_ASKER_FRONT, 0, in, 1), HF_ERR_LIMIT);
	assert_int_equal(out.len, 0);
	free(in);
	hf_buf_clear(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_request_cut_at_every_byte_is_refused),
		cmocka_unit_test(uploads_of_others_are_not_signed),
		cmocka_unit_test(the_client_works_over_a_socket),
		cmocka_unit_test(malformed_replies_are_refused),
		cmocka_unit_test(a_request_that_is_too_long_closes_its_asker),
	};

	return cmocka_run_group_tests(tests, make, delete_all);
}
