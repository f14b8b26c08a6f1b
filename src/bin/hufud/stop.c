/* SPDX-License-Identifier: Apache-2.0 */
#include "stop.h"

#include <signal.h>
#include <uv.h>

#include "base/attr.h"
#include "os/signals.h"

static void on_signal(uv_poll_t *poll, int status, int events)
{
	struct hufud_stop *s = poll->data;
	int sig = 0;

	(void)events;
	if (status == 0 && hf_signals_next(s->fd, &sig) == HF_OK)
		s->on_stop(s->ctx);
}

hf_err hufud_stop_init(struct hufud_stop *s, struct hf_loop *loop, void (*on_stop)(void *ctx),
	void *ctx, struct hf_errinfo *ei)
{
	static const int sigs[] = { SIGTERM, SIGINT };
	int rc;

	s->on_stop = on_stop;
	s->ctx = ctx;
	HF_TRY(hf_signals_open(&s->fd, sigs, HF_COUNT(sigs), ei));
	rc = uv_poll_init(hf_loop_uv(loop), &s->poll, s->fd);
	if (rc == 0) {
		s->poll.data = s;
		rc = uv_poll_start(&s->poll, UV_READABLE, on_signal);
		uv_unref((uv_handle_t *)&s->poll); /* waiting for a signal keeps nothing alive */
	}
	if (rc != 0)
		return hf_fail_sys(ei, HF_ERR_IO, -rc, "signals: %s", uv_strerror(rc));
	return HF_OK;
}
