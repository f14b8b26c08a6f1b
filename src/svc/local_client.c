/* SPDX-License-Identifier: Apache-2.0 */
#include "svc/local_client.h"

#include <stdlib.h>
#include <string.h>

#include "codec/json.h"
#include "codec/json_wr.h"
#include "http/api.h"
#include "os/file.h"
#include "os/unixsock.h"
#include "svc/local.h"
#include "svc/party.h"

enum {
	DEPTH_MAX = 16,
	QUESTION_MAX = 1024,
	FAILED = 500, /* status of an error that names no code of ours */
};

const char *hf_local_dir(const char *dir)
{
	const char *from_env;

	if (dir != NULL)
		return dir;
	from_env = secure_getenv("HUFU_NODE");
	return from_env != NULL && from_env[0] != '\0' ? from_env : HF_LOCAL_DIR;
}

hf_err hf_local_connect(int *fd, const char *dir, const char *socket, struct hf_errinfo *ei)
{
	struct hf_errinfo why = { .code = HF_OK };
	char path[HF_PATH_MAX];
	struct hf_file_stat st;
	hf_err e;

	HF_TRY(hf_path_join(path, dir, socket, ei));
	e = hf_unixsock_connect(fd, path, &why);
	if (e == HF_OK)
		return HF_OK;
	if (e == HF_ERR_NOT_FOUND && hf_file_stat(&st, dir, NULL) == HF_ERR_NOT_FOUND)
		return hf_fail(ei, e,
			"%s: no such folder; name the node's data folder (--node, $HUFU_NODE)",
			dir);
	if (e == HF_ERR_NOT_FOUND || e == HF_ERR_NET)
		return hf_fail(ei, HF_ERR_NET,
			"%s: nobody listens there: start hufud for this data folder", path);
	if (e == HF_ERR_PERMISSION)
		return hf_fail(ei, e, "%s: this user may not ask the node", path);
	return hf_fail(ei, e, "%s", why.text);
}

static hf_err send_question(
	int fd, const struct hf_mem *mem, const struct hf_local_question *q, struct hf_errinfo *ei)
{
	struct hf_json_wr j;
	struct hf_buf out;
	hf_err e;

	hf_buf_init(&out, mem, QUESTION_MAX);
	j = hf_json_wr(&out);
	hf_json_wr_object(&j);
	hf_json_wr_key(&j, "do");
	hf_json_wr_str(&j, q->what);
	if (q->lineage != NULL) {
		hf_json_wr_key(&j, "lineage");
		hf_json_wr_str(&j, q->lineage);
		hf_json_wr_key(&j, "wait");
		hf_json_wr_bool(&j, q->wait);
	}
	hf_json_wr_end(&j);
	e = hf_json_wr_done(&j);
	if (e == HF_OK)
		e = hf_msg_send(fd, out.p, out.len, NULL, 0, ei);
	hf_buf_clear(&out);
	return e;
}

static hf_err read_number(uint64_t *out, const struct hf_json_token *value)
{
	if (value->kind == HF_JSON_NULL)
		return HF_OK; /* not known */
	return value->kind == HF_JSON_NUMBER ? hf_json_u64(out, value) : HF_ERR_FORMAT;
}

/* One member of a progress object; *value is consumed. */
static hf_err take_progress(struct hf_local_progress *p, struct hf_json *j,
	const struct hf_json_token *key, const struct hf_json_token *value)
{
	const struct {
		const char *name;
		uint64_t *number;
	} numbers[] = {
		{ "release", &p->release },
		{ "chunks", &p->chunks },
		{ "chunks_done", &p->chunks_done },
		{ "bytes", &p->bytes },
		{ "bytes_done", &p->bytes_done },
		{ "bytes_twice", &p->bytes_twice },
		{ "rate", &p->rate },
		{ "eta_ms", &p->eta_ms },
	};

	for (size_t i = 0; i < HF_COUNT(numbers); i++)
		if (hf_json_is(key, numbers[i].name))
			return read_number(numbers[i].number, value);
	if (hf_json_is(key, "step") && value->kind == HF_JSON_STRING)
		return hf_json_text(p->step, sizeof(p->step), NULL, value);
	if (hf_json_is(key, "text") && value->kind == HF_JSON_STRING)
		return hf_json_text(p->why, sizeof(p->why), NULL, value);
	return hf_json_skip(j, value);
}

/* The progress object behind an OBJECT token that has just been read. */
static hf_err read_progress(struct hf_local_progress *p, struct hf_json *j)
{
	struct hf_json_token key;
	struct hf_json_token value;

	for (;;) {
		HF_TRY(hf_json_next(j, &key));
		if (key.kind == HF_JSON_OBJECT_END)
			return HF_OK;
		HF_TRY(hf_json_next(j, &value));
		HF_TRY(take_progress(p, j, &key, &value));
	}
}

hf_err hf_local_progress_parse(
	struct hf_local_progress *p, struct hf_bytes json, struct hf_errinfo *ei)
{
	struct hf_local_progress out = { .release = 0 };
	struct hf_json_token t;
	struct hf_json j;
	hf_err e;

	hf_json_init(&j, json.p, json.len, DEPTH_MAX);
	e = hf_json_want(&j, &t, HF_JSON_OBJECT);
	if (e == HF_OK)
		e = read_progress(&out, &j);
	if (e == HF_OK)
		e = hf_json_want(&j, &t, HF_JSON_END);
	if (e != HF_OK)
		return hf_fail(ei, e, "what the node answered is not readable");
	*p = out;
	return HF_OK;
}

/* What a message is. */
struct message {
	bool is_progress;
	bool is_error;
	bool is_answer;
	struct hf_local_progress progress;
	struct hf_bytes answer; /* JSON object in the message */
};

static hf_err take_member(
	struct message *m, struct hf_json *j, const struct hf_json_token *key, const uint8_t *bytes)
{
	struct hf_json_token value;

	HF_TRY(hf_json_next(j, &value));
	if (hf_json_is(key, "progress") && value.kind == HF_JSON_OBJECT) {
		m->is_progress = true;
		return read_progress(&m->progress, j);
	}
	if ((hf_json_is(key, "done") || hf_json_is(key, "status")) &&
		value.kind == HF_JSON_OBJECT) {
		HF_TRY(hf_json_skip(j, &value));
		m->is_answer = true;
		m->answer = (struct hf_bytes){ bytes + value.at, j->at - value.at };
		return HF_OK;
	}
	if (hf_json_is(key, "error"))
		m->is_error = true;
	return hf_json_skip(j, &value);
}

static hf_err read_message(struct message *m, const struct hf_buf *in)
{
	struct hf_json_token t;
	struct hf_json j;

	memset(m, 0, sizeof(*m));
	hf_json_init(&j, in->p, in->len, DEPTH_MAX);
	HF_TRY(hf_json_want(&j, &t, HF_JSON_OBJECT));
	for (;;) {
		HF_TRY(hf_json_next(&j, &t));
		if (t.kind == HF_JSON_OBJECT_END)
			break;
		HF_TRY(take_member(m, &j, &t, in->p));
	}
	HF_TRY(hf_json_want(&j, &t, HF_JSON_END));
	return m->is_progress + m->is_answer + m->is_error == 1 ? HF_OK : HF_ERR_FORMAT;
}

/* Messages until the one that ends the conversation. */
static hf_err converse(struct hf_buf *answer, struct hf_buf *in, int fd,
	const struct hf_local_question *q, struct hf_errinfo *ei)
{
	struct message m;
	size_t n_fds = 0;
	hf_err e;

	for (;;) {
		hf_buf_reset(in);
		e = hf_msg_receive(fd, in, NULL, 0, &n_fds, NULL);
		if (e == HF_ERR_AGAIN)
			return hf_fail(ei, HF_ERR_TIMEOUT,
				"the node said nothing for too long; look at its own log");
		if (e == HF_ERR_CLOSED || e == HF_ERR_TRUNCATED)
			return hf_fail(ei, HF_ERR_CLOSED, "the node ended before it had answered");
		if (e == HF_OK)
			e = read_message(&m, in);
		if (e != HF_OK)
			return hf_fail(ei, e, "what answered is no node of this version: %s",
				hf_err_text(e));
		if (m.is_error)
			return hf_api_answer(FAILED, in->p, in->len, ei);
		if (m.is_answer)
			return hf_buf_put(answer, m.answer.p, m.answer.len);
		if (q->on_progress != NULL)
			q->on_progress(q->ctx, &m.progress);
	}
}

hf_err hf_local_ask(struct hf_buf *answer, const struct hf_mem *mem, const char *dir,
	const struct hf_local_question *q, struct hf_errinfo *ei)
{
	struct hf_errinfo why = { .code = HF_OK };
	struct hf_buf in;
	int fd = -1;
	hf_err e;

	hf_buf_init(&in, mem, HF_LOCAL_MESSAGE_MAX);
	e = hf_local_connect(&fd, dir, HF_LOCAL_FRONT, ei);
	if (e == HF_OK)
		e = hf_unixsock_timeout(fd, q->wait ? HF_LOCAL_QUIET_MS : HF_LOCAL_QUICK_MS);
	if (e == HF_OK)
		e = send_question(fd, mem, q, &why);
	if (e == HF_ERR_CLOSED)
		e = HF_OK; /* it may have said before why it does not listen */
	else if (e != HF_OK)
		(void)hf_fail(ei, e, "%s", why.text);
	if (e == HF_OK)
		e = converse(answer, &in, fd, q, ei);
	if (e != HF_OK)
		(void)hf_fail(ei, e, "%s/%s: %s", dir, HF_LOCAL_FRONT, hf_err_text(e));
	hf_file_close(&fd);
	hf_buf_clear(&in);
	return e;
}
