/* SPDX-License-Identifier: Apache-2.0 */
/* The map from errno to hf_err. */
#include "os/sys.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

hf_err hf_sys_err(int sys)
{
	switch (sys) {
	case 0: return HF_ERR_INTERNAL;
	case ENOSPC:
	case EDQUOT:
	case EFBIG: return HF_ERR_FULL;
	case EACCES:
	case EPERM:
	case EROFS:
	case ELOOP: return HF_ERR_PERMISSION;
	case ENOENT:
	case ENOTDIR:
	case ESRCH: return HF_ERR_NOT_FOUND;
	case EEXIST:
	case ENOTEMPTY:
	case EADDRINUSE: return HF_ERR_EXISTS;
	case ENOMEM: return HF_ERR_NO_MEMORY;
	case EMFILE:
	case ENFILE:
	case ENAMETOOLONG: return HF_ERR_LIMIT;
	case EAGAIN: return HF_ERR_AGAIN;
	case EOPNOTSUPP:
	case ENOSYS: return HF_ERR_UNSUPPORTED;
	case ETIMEDOUT: return HF_ERR_TIMEOUT;
	case EPIPE:
	case ECONNRESET: return HF_ERR_CLOSED;
	case ECONNREFUSED: return HF_ERR_NET;
	default: return HF_ERR_IO;
	}
}

hf_err hf_sys_fail(struct hf_errinfo *ei, int sys, const char *fmt, ...)
{
	char what[HF_ERRINFO_TEXT];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return hf_fail_sys(ei, hf_sys_err(sys), sys, "%.180s: %s", what, strerrordesc_np(sys));
}
