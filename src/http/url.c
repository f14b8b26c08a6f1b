/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 3986, as far as a plain http URL needs it. Nothing is decoded: the path goes out as it is. */
#include "http/url.h"

#include <stdbool.h>
#include <string.h>

static const char scheme[] = "http://";

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_host_char(char c, bool is_v6)
{
	char l = lower(c);

	if (is_v6)
		return is_digit(c) || (l >= 'a' && l <= 'f') || c == ':' || c == '.';
	return is_digit(c) || (l >= 'a' && l <= 'z') || c == '-' || c == '.' || c == '_';
}

/* No blank or control character gets into a request line, and no fragment is meant for a server. */
static bool is_path_char(char c)
{
	return c > ' ' && c < 0x7f && strchr("#\"<>\\^`{|}", c) == NULL;
}

static bool take_scheme(const char **at, size_t *left)
{
	size_t len = sizeof(scheme) - 1;

	if (*left < len)
		return false;
	for (size_t i = 0; i < len; i++)
		if (lower((*at)[i]) != scheme[i])
			return false;
	*at += len;
	*left -= len;
	return true;
}

static hf_err take_host(struct hf_url *u, const char **at, size_t *left)
{
	bool is_v6 = *left > 0 && **at == '[';
	size_t n = 0;

	*at += is_v6;
	*left -= is_v6;
	while (n < *left && is_host_char((*at)[n], is_v6))
		n++;
	if (n == 0)
		return HF_ERR_FORMAT;
	if (n > HF_URL_HOST_MAX)
		return HF_ERR_LIMIT;
	memcpy(u->host, *at, n);
	*at += n;
	*left -= n;
	if (!is_v6)
		return HF_OK;
	if (*left == 0 || **at != ']')
		return HF_ERR_FORMAT;
	++*at;
	--*left;
	return HF_OK;
}

static hf_err take_port(struct hf_url *u, const char **at, size_t *left)
{
	uint32_t port = 0;
	size_t n = 1;

	u->port = 80;
	if (*left == 0 || **at != ':')
		return HF_OK;
	while (n < *left && n < 6 && is_digit((*at)[n]))
		port = 10 * port + (uint32_t)((*at)[n++] - '0');
	if (n == 1 || port == 0 || port > UINT16_MAX)
		return HF_ERR_FORMAT;
	u->port = (uint16_t)port;
	*at += n;
	*left -= n;
	return HF_OK;
}

hf_err hf_url_parse(struct hf_url *out, const char *text, size_t text_len)
{
	struct hf_url u = { .path = "/" };
	const char *at = text;
	size_t left = text_len;
	size_t slash;

	if (text_len > HF_URL_MAX)
		return HF_ERR_LIMIT;
	if (!take_scheme(&at, &left))
		return HF_ERR_UNSUPPORTED;
	HF_TRY(take_host(&u, &at, &left));
	HF_TRY(take_port(&u, &at, &left));
	if (left > 0 && *at != '/' && *at != '?')
		return HF_ERR_FORMAT;
	for (size_t i = 0; i < left; i++)
		if (!is_path_char(at[i]))
			return HF_ERR_FORMAT;
	slash = left > 0 && *at == '/' ? 0 : 1; /* "?q" has the path "/" before it */
	memcpy(u.path + slash, at, left);
	*out = u;
	return HF_OK;
}
