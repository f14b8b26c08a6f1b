/* SPDX-License-Identifier: Apache-2.0 */
/* The event loop. */
#include "net/loop_inner.h"
#include "os/clock.h"

hf_err hf_loop_new(struct hf_loop **out, const struct hf_mem *mem, struct hf_errinfo *ei)
{
	struct hf_loop *l = hf_mem_new(mem, sizeof(*l));
	int rc;

	if (l == NULL)
		return hf_fail(ei, HF_ERR_NO_MEMORY, "event loop: out of memory");
	l->mem = mem;
	rc = uv_loop_init(&l->uv);
	if (rc != 0) {
		hf_mem_free(mem, l);
		return hf_fail_sys(ei, HF_ERR_IO, -rc, "event loop: %s", uv_strerror(rc));
	}
	hf_loop_jobs_init(l);
	*out = l;
	return HF_OK;
}

static void close_one(uv_handle_t *handle, void *ctx)
{
	(void)ctx;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

void hf_loop_free(struct hf_loop *l)
{
	if (l == NULL)
		return;
	uv_walk(&l->uv, close_one, NULL);
	(void)uv_run(&l->uv, UV_RUN_DEFAULT);
	(void)uv_loop_close(&l->uv);
	hf_mem_free(l->mem, l);
}

void hf_loop_run(struct hf_loop *l)
{
	(void)uv_run(&l->uv, UV_RUN_DEFAULT);
}

bool hf_loop_step(struct hf_loop *l)
{
	return uv_run(&l->uv, UV_RUN_ONCE) != 0;
}

void hf_loop_stop(struct hf_loop *l)
{
	uv_stop(&l->uv);
}

uint64_t hf_loop_now_ms(const struct hf_loop *l)
{
	(void)l;
	return hf_clock_mono_ms();
}

uv_loop_t *hf_loop_uv(struct hf_loop *l)
{
	return &l->uv;
}
