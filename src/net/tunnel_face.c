/* SPDX-License-Identifier: Apache-2.0 */
/* A socket of a connection in the loop: what is waited for, and who hears of it. */
#include "net/tunnel_inner.h"
#include "os/file.h"

static void free_poll(uv_handle_t *handle)
{
	const struct hf_mem *mem = handle->data;

	hf_mem_free(mem, handle);
}

void hf_tunnel_face_close(struct tunnel_face *f, bool is_reset)
{
	if (f->poll != NULL) {
		f->poll->data = (void *)(uintptr_t)f->link->t->config.mem;
		uv_close((uv_handle_t *)f->poll, free_poll);
		f->poll = NULL;
	}
	if (is_reset)
		hf_sock_reset(&f->fd);
	else
		hf_file_close(&f->fd);
}

hf_err hf_tunnel_face_open(struct tunnel_face *f, int fd)
{
	struct hf_tunnel *t = f->link->t;
	uv_poll_t *poll = hf_mem_new(t->config.mem, sizeof(*poll));

	*f = (struct tunnel_face){ .link = f->link, .fd = fd, .can_write = true };
	if (poll == NULL || uv_poll_init(hf_loop_uv(t->config.loop), poll, fd) != 0) {
		hf_mem_free(t->config.mem, poll);
		return HF_ERR_NO_MEMORY;
	}
	poll->data = f;
	f->poll = poll;
	return HF_OK;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct tunnel_face *f = poll->data;
	struct hf_tunnel_link *l = f->link;

	if (status < 0) { /* libuv has stopped it */
		f->is_broken = true;
		f->events = 0;
		f->can_read = f->can_write = true;
	}
	f->can_read |= (events & UV_READABLE) != 0;
	f->can_write |= (events & UV_WRITABLE) != 0;
	switch (l->state) {
	case TUNNEL_HEADER: hf_tunnel_header_ready(l); break;
	case TUNNEL_DIAL: hf_tunnel_dial_ready(l); break;
	case TUNNEL_SHAKE:
	case TUNNEL_OPEN: hf_tunnel_pump(l); break;
	case TUNNEL_FLUSH: hf_tunnel_link_flush(l); break;
	default: break;
	}
}

void hf_tunnel_face_wait(struct tunnel_face *f, int events)
{
	if (f->poll == NULL || f->is_broken || f->events == events)
		return;
	f->events = events;
	if (events == 0)
		(void)uv_poll_stop(f->poll);
	else
		(void)uv_poll_start(f->poll, events, on_poll);
}
