/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Life of the key process, and the table of what it answers. Order of a start: what kind of node
 * this is (certificates), keys, memory, audit log; each believes only what the one before has
 * shown. Order of an answer: asker and state against the table; the request read to its end; its
 * own checks; what must be durable first; the record; the reply.
 */
#include "svc/keyd_inner.h"

#include <stdio.h>
#include <string.h>

#include "base/wipe.h"
#include "keys/token.h"
#include "os/clock.h"
#include "os/dir.h"
#include "os/file.h"
#include "os/process.h"

/* The words of the table in key_proto.h. */
enum {
	FRONT = HF_ASKER_FRONT,
	LOCAL = HF_ASKER_LOCAL,
	NEWCOMER = HF_KEY_STATE_NEWCOMER,
	HUB = HF_KEY_STATE_HUB,
	MEMBER = HF_KEY_STATE_MEMBER | HUB,
	ANY = NEWCOMER | MEMBER,
};

enum { REPLY_HEAD_LEN = 4 + 2 };

/* Who may ask what when. */
static const struct {
	uint8_t who;
	uint8_t when;
} rules[] = {
#define RULE(name, number, who_, when_) [HF_KEYREQ_##name] = { who_, when_ },
	HF_KEY_REQUESTS(RULE)
#undef RULE
};

static const struct {
	hf_keyd_answer *answer;
	enum hf_audit_event refused; /* what is recorded when it fails */
} answers[] = {
	/* clang-format off */
	[HF_KEYREQ_SIGN_LINK]      = { hf_keyd_sign_link,      HF_EV_REQUEST_REFUSED },
	[HF_KEYREQ_AUDIT]          = { hf_keyd_audit,          HF_EV_REQUEST_REFUSED },
	[HF_KEYREQ_STATUS]         = { hf_keyd_status,         HF_EV_REQUEST_REFUSED },
	[HF_KEYREQ_NEWCOMER]       = { hf_keyd_newcomer,       HF_EV_REQUEST_REFUSED },
	[HF_KEYREQ_ENROLLED]       = { hf_keyd_enrolled,       HF_EV_ENROL_REFUSED },
	[HF_KEYREQ_CHECK_CHANNEL]  = { hf_keyd_check_channel,  HF_EV_MODEL_REFUSED },
	[HF_KEYREQ_CHECK_RELEASE]  = { hf_keyd_check_release,  HF_EV_MODEL_REFUSED },
	[HF_KEYREQ_CHECK_GRANT]    = { hf_keyd_check_grant,    HF_EV_MODEL_REFUSED },
	[HF_KEYREQ_ACTIVATE]       = { hf_keyd_activate,       HF_EV_MODEL_REFUSED },
	[HF_KEYREQ_OPEN]           = { hf_keyd_open,           HF_EV_MODEL_REFUSED },
	[HF_KEYREQ_SIGN_INVENTORY] = { hf_keyd_sign_inventory, HF_EV_REQUEST_REFUSED },
	[HF_KEYREQ_SIGN_UPLOAD]    = { hf_keyd_sign_upload,    HF_EV_REQUEST_REFUSED },
	[HF_KEYREQ_ENROL]          = { hf_keyd_enrol,          HF_EV_ENROL_REFUSED },
	[HF_KEYREQ_MAKE_CHANNEL]   = { hf_keyd_make_channel,   HF_EV_REQUEST_REFUSED },
	[HF_KEYREQ_MAKE_GRANT]     = { hf_keyd_make_grant,     HF_EV_MODEL_REFUSED },
	[HF_KEYREQ_MAKE_TOKEN]     = { hf_keyd_make_token,     HF_EV_REQUEST_REFUSED },
	[HF_KEYREQ_REPORT]         = { hf_keyd_report,         HF_EV_MODEL_REFUSED },
	[HF_KEYREQ_CHECK_ACTIVE]   = { hf_keyd_check_active,   HF_EV_MODEL_REFUSED },
	[HF_KEYREQ_REVOKE]         = { hf_keyd_revoke,         HF_EV_REQUEST_REFUSED },
	[HF_KEYREQ_REVOCATIONS]    = { hf_keyd_revocations,    HF_EV_REQUEST_REFUSED },
	/* clang-format on */
};

_Static_assert(HF_COUNT(rules) == HF_COUNT(answers), "every request has an answer");

hf_err hf_key_ask_done(const struct hf_key_ask *a)
{
	hf_err e = hf_rd_done(&a->in);

	if (e != HF_OK)
		return hf_fail(a->ei, e, "key process: malformed request");
	return HF_OK;
}

hf_err hf_keyd_allow_uid(const struct hf_keyd *k, const struct hf_key_ask *a, bool is_open)
{
	if (a->uid == 0 || a->uid == hf_process_uid())
		return HF_OK;
	for (size_t i = 0; is_open && i < k->n_uids; i++)
		if (k->uids[i] == a->uid)
			return HF_OK;
	return hf_fail(a->ei, HF_ERR_DENIED, "user %u may not do this on this node; %s",
		(unsigned)a->uid, is_open ? "open-users of hufud.yaml says who may" : "root may");
}

static uint64_t now_s(const struct hf_keyd *k)
{
	return k->now_s != NULL ? k->now_s(k->now_ctx) : hf_clock_wall_s();
}

static void ask_begin(struct hf_key_ask *a, const struct hf_keyd *k, enum hf_key_asker asker,
	uint32_t uid, const uint8_t *in, size_t in_len)
{
	const char *role = hf_role_name(k->identity.role);

	*a = (struct hf_key_ask){
		.asker = asker, .uid = uid, .now_s = now_s(k), .in = { .p = in, .left = in_len }
	};
	if (asker == HF_ASKER_LOCAL)
		(void)snprintf(a->actor, sizeof(a->actor), "uid:%u", (unsigned)uid);
	else
		(void)snprintf(a->actor, sizeof(a->actor), "%s:%s", role == NULL ? "node" : role,
			k->identity.id);
}

/* Looks the request up and answers it. *event: what a refusal is recorded as. */
static hf_err answer(struct hf_keyd *k, struct hf_key_ask *a, enum hf_audit_event *event)
{
	uint8_t request = hf_rd_u8(&a->in);

	if (a->in.is_short || request == 0 || request >= HF_COUNT(answers))
		return hf_fail(
			a->ei, HF_ERR_UNSUPPORTED, "key process: there is no request %u", request);
	if ((rules[request].who & (unsigned)a->asker) == 0)
		return hf_fail(a->ei, HF_ERR_DENIED,
			"key process: request %u is not for this asker", request);
	if ((rules[request].when & (unsigned)k->state) == 0)
		return hf_fail(a->ei, HF_ERR_STATE,
			"key process: request %u is not answered by a %s", request,
			k->state == HF_KEY_STATE_NEWCOMER ? "node that is not enrolled"
							  : "node of this kind");
	*event = answers[request].refused;
	return answers[request].answer(k, a);
}

/* Takes back what was put behind before; it may have been secret. */
static void take_back(struct hf_buf *out, size_t before)
{
	if (out->len > before)
		hf_wipe(out->p + before, out->len - before);
	out->len = before;
}

static hf_err put_refusal(struct hf_buf *out, hf_err e, const struct hf_errinfo *ei)
{
	struct hf_key_out o = { .buf = out };

	hf_key_put_u32(&o, (uint32_t)e);
	hf_key_put_text(&o, ei->code != HF_OK ? ei->text : hf_err_text(e));
	return o.e;
}

hf_err hf_keyd_handle(struct hf_keyd *k, struct hf_buf *out, enum hf_key_asker asker, uint32_t uid,
	const uint8_t *in, size_t in_len)
{
	enum hf_audit_event event = HF_EV_REQUEST_REFUSED;
	struct hf_errinfo ei = { 0 };
	size_t before = out->len;
	struct hf_key_ask a;
	hf_err e;

	if (in_len > HF_KEY_MESSAGE_MAX)
		return HF_ERR_LIMIT;
	ask_begin(&a, k, asker, uid, in, in_len);
	a.ei = &ei;
	a.out.buf = out;
	hf_keyd_keys_open(k);
	hf_key_put_u32(&a.out, HF_OK);
	hf_key_put_u16(&a.out, 0);
	e = a.out.e;
	if (e == HF_OK)
		e = answer(k, &a, &event);
	if (e == HF_OK)
		e = a.out.e;
	if (e == HF_OK && out->len - before > HF_KEY_MESSAGE_MAX)
		e = hf_fail(&ei, HF_ERR_LIMIT, "key process: the reply is too long");
	if (e != HF_OK) {
		hf_keyd_note_refusal(k, &a, event, e);
		take_back(out, before);
		e = put_refusal(out, e, &ei);
	}
	hf_keyd_keys_close(k);
	if (e != HF_OK)
		take_back(out, before);
	return e;
}

hf_err hf_keyd_tick(struct hf_keyd *k, struct hf_errinfo *ei)
{
	hf_err e;

	hf_keyd_keys_open(k);
	e = hf_journal_tick(&k->journal, ei);
	if (e == HF_OK)
		e = hf_keyd_keep_head(k, ei);
	hf_keyd_keys_close(k);
	return e;
}

uint64_t hf_keyd_deadline(const struct hf_keyd *k)
{
	return hf_journal_deadline(&k->journal);
}

enum hf_key_state hf_keyd_state(const struct hf_keyd *k)
{
	return k->state;
}

static hf_err copy_config(
	struct hf_keyd *k, const struct hf_keyd_config *config, struct hf_errinfo *ei)
{
	size_t len = strlen(config->dir);

	if (len >= sizeof(k->dir))
		return hf_fail(ei, HF_ERR_LIMIT, "%s: the path is too long", config->dir);
	if (config->n_open_uids > HF_KEYD_UIDS_MAX || config->n_hardware > HF_KEYD_TAGS_MAX)
		return hf_fail(ei, HF_ERR_LIMIT, "%s: at most %d users and %d hardware tags",
			config->dir, HF_KEYD_UIDS_MAX, HF_KEYD_TAGS_MAX);
	memcpy(k->dir, config->dir, len + 1);
	for (size_t i = 0; i < config->n_open_uids; i++)
		k->uids[k->n_uids++] = config->open_uids[i];
	for (size_t i = 0; i < config->n_hardware; i++) {
		if (strlen(config->hardware[i]) > HF_HARDWARE_TAG_MAX)
			return hf_fail(ei, HF_ERR_LIMIT, "%s: hardware tag '%s' is too long",
				config->dir, config->hardware[i]);
		(void)snprintf(k->tag_text[i], sizeof(k->tag_text[i]), "%s", config->hardware[i]);
		k->tags[i] = k->tag_text[i];
		k->n_tags++;
	}
	k->now_s = config->now_s;
	k->now_ctx = config->now_ctx;
	return HF_OK;
}

/* A node without certificates is what its configuration says. */
static hf_err become_newcomer(
	struct hf_keyd *k, const struct hf_keyd_config *config, struct hf_errinfo *ei)
{
	if (config->role == HF_ROLE_HUB)
		return hf_fail(ei, HF_ERR_NOT_FOUND,
			"%s: holds no hub; `hufu domain init` makes one", k->dir);
	if (config->role != HF_ROLE_EDGE && config->role != HF_ROLE_DEVICE)
		return hf_fail(ei, HF_ERR_ARG, "%s: a node is a hub, an edge or a device", k->dir);
	if (config->id == NULL || strlen(config->id) > HF_ID_MAX ||
		!hf_device_name_is_valid(config->id))
		return hf_fail(ei, HF_ERR_ARG,
			"id of the node: 1 to %d of a-z, 0-9, '-' and '.', a letter or digit first",
			HF_ID_MAX);
	if (!hf_level_is((uint64_t)config->level))
		return hf_fail(ei, HF_ERR_ARG, "level of the node: 1, 2 or 3");
	k->state = HF_KEY_STATE_NEWCOMER;
	k->identity.role = config->role;
	k->identity.level = config->level;
	(void)snprintf(k->identity.id, sizeof(k->identity.id), "%s", config->id);
	return HF_OK;
}

static hf_err check_member(
	const struct hf_keyd *k, const struct hf_keyd_config *config, struct hf_errinfo *ei)
{
	const struct hf_identity *id = &k->identity;

	if (id->role != HF_ROLE_HUB && id->role != HF_ROLE_EDGE && id->role != HF_ROLE_DEVICE)
		return hf_fail(ei, HF_ERR_ARG, "%s: belongs to a %s, which is no node", k->dir,
			hf_role_name(id->role));
	if (id->role != config->role)
		return hf_fail(ei, HF_ERR_ARG,
			"%s: belongs to a %s, the configuration says otherwise", k->dir,
			hf_role_name(id->role));
	if (config->id != NULL && strcmp(config->id, id->id) != 0)
		return hf_fail(ei, HF_ERR_ARG, "%s: belongs to %s, the configuration says %s",
			k->dir, id->id, config->id);
	return HF_OK;
}

hf_err hf_keyd_become_member(struct hf_keyd *k, struct hf_errinfo *ei)
{
	HF_TRY(hf_party_open(&k->party, k->env, k->dir, ei));
	k->identity = k->party.identity;
	k->state = k->identity.role == HF_ROLE_HUB ? HF_KEY_STATE_HUB : HF_KEY_STATE_MEMBER;
	hf_cert_fingerprint(k->enc_cert, &k->party.enc);
	return HF_OK;
}

static hf_err find_state(
	struct hf_keyd *k, const struct hf_keyd_config *config, struct hf_errinfo *ei)
{
	char path[HF_PATH_MAX];
	struct hf_file_stat st;
	hf_err e;

	HF_TRY(hf_path_join(path, k->dir, "certs/sign.crt", ei));
	e = hf_file_stat(&st, path, NULL);
	if (e == HF_ERR_NOT_FOUND)
		return become_newcomer(k, config, ei);
	HF_TRY(hf_keyd_become_member(k, ei));
	return check_member(k, config, ei);
}

/* The first records of a start: the module, the pages, and keys that were made. */
static hf_err note_start(struct hf_keyd *k, struct hf_errinfo *ei)
{
	static const char *const keys[] = { "key:sign", "key:enc" };
	bool is_locked = k->locked.p != NULL;
	struct hf_keyd_note note = { .event = HF_EV_MODULE_START,
		.result = is_locked ? HF_RESULT_OK : HF_RESULT_PARTIAL,
		.code = is_locked ? NULL : "keys-not-locked" };
	bool is_first = k->state == HF_KEY_STATE_NEWCOMER && k->journal.found_size == 0;

	HF_TRY(hf_keyd_note(k, NULL, &note, ei));
	note = (struct hf_keyd_note){
		.event = HF_EV_AUDIT_RECOVERED, .result = HF_RESULT_PARTIAL, .subject = "state"
	};
	/* Torn by a crash, or one generation was taken from us: both look alike. */
	if (k->store.is_recovered)
		HF_TRY(hf_keyd_note(k, NULL, &note, ei));
	for (size_t i = 0; i < HF_COUNT(keys) && (is_first || k->is_key_new); i++) {
		note = (struct hf_keyd_note){
			.event = HF_EV_KEY_GENERATE, .tier = 2, .subject = keys[i]
		};
		HF_TRY(hf_keyd_note(k, NULL, &note, ei));
	}
	return HF_OK;
}

static hf_err start(struct hf_keyd *k, const struct hf_keyd_config *config, struct hf_errinfo *ei)
{
	char path[HF_PATH_MAX];
	hf_err e;

	HF_TRY(copy_config(k, config, ei));
	HF_TRY(hf_dir_make(k->dir, 0755, ei));
	HF_TRY(find_state(k, config, ei));
	e = hf_keyd_secrets_new(k);
	if (e != HF_OK)
		return hf_fail(ei, e, "%s: no memory for keys", k->dir);
	HF_TRY(hf_keyd_keys_load(k, config, ei));
	HF_TRY(hf_keyd_memory_load(k, ei));
	HF_TRY(hf_keyd_log_open(k, ei));
	HF_TRY(note_start(k, ei));
	hf_keyd_active_tidy(k);
	if (k->state != HF_KEY_STATE_HUB)
		return HF_OK;
	HF_TRY(hf_path_join(path, k->dir, "keys.db", ei));
	return hf_meta_new(&k->meta, k->env->mem, path, ei);
}

hf_err hf_keyd_new(struct hf_keyd **out, const struct hf_env *env,
	const struct hf_keyd_config *config, struct hf_errinfo *ei)
{
	struct hf_keyd *k = hf_mem_new(env->mem, sizeof(*k));
	hf_err e;

	if (k == NULL)
		return hf_fail(ei, HF_ERR_NO_MEMORY, "out of memory");
	k->env = env;
	e = start(k, config, ei);
	if (e != HF_OK) {
		hf_keyd_free(k);
		return e;
	}
	hf_keyd_keys_close(k);
	*out = k;
	return HF_OK;
}

void hf_keyd_free(struct hf_keyd *k)
{
	const struct hf_mem *mem;

	if (k == NULL)
		return;
	mem = k->env->mem;
	if (k->journal.log != NULL) {
		hf_keyd_keys_open(k);
		hf_keyd_log_close(k);
	}
	hf_keyd_keys_clear(k);
	hf_meta_free(k->meta);
	hf_party_clear(&k->party);
	hf_wipe(k, sizeof(*k));
	hf_mem_free(mem, k);
}
