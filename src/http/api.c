/* SPDX-License-Identifier: Apache-2.0 */
/* Failures as HTTP statuses. Several failures share a status; the JSON body has the exact code. */
#include "http/api.h"

#include <stddef.h>

static const struct {
	hf_err e;
	unsigned status;
} statuses[] = {
	/* The first row of a status is what the status means on the way back. */
	{ HF_OK, 200 },
	{ HF_ERR_FORMAT, 400 },
	{ HF_ERR_ARG, 400 },
	{ HF_ERR_TRUNCATED, 400 },
	{ HF_ERR_AUTH, 401 },
	{ HF_ERR_DENIED, 403 },
	{ HF_ERR_REVOKED, 403 },
	{ HF_ERR_EXPIRED, 403 },
	{ HF_ERR_NOT_FOUND, 404 },
	{ HF_ERR_UNSUPPORTED, 405 },
	{ HF_ERR_TIMEOUT, 408 },
	{ HF_ERR_STATE, 409 },
	{ HF_ERR_EXISTS, 409 },
	{ HF_ERR_ROLLBACK, 409 },
	{ HF_ERR_STALE, 409 },
	{ HF_ERR_LIMIT, 413 },
	{ HF_ERR_UNSUPPORTED, 415 },
	{ HF_ERR_FORMAT, 416 },
	{ HF_ERR_AGAIN, 429 },
	{ HF_ERR_LIMIT, 431 },
	{ HF_ERR_NET, 502 },
	{ HF_ERR_AGAIN, 503 },
	{ HF_ERR_TIMEOUT, 504 },
	{ HF_ERR_FULL, 507 },
};

unsigned hf_api_status(hf_err e)
{
	for (size_t i = 0; i < HF_COUNT(statuses); i++)
		if (statuses[i].e == e)
			return statuses[i].status;
	return 500;
}

hf_err hf_api_err(unsigned status)
{
	for (size_t i = 0; i < HF_COUNT(statuses); i++)
		if (statuses[i].status == status)
			return statuses[i].e;
	return status >= 200 && status < 300 ? HF_OK : HF_ERR_NET;
}
