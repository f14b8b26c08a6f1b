/* SPDX-License-Identifier: Apache-2.0 */
/* The one form of URL that is followed, and everything else. */
#include "test.h"

#include "http/url.h"

static hf_err parse(struct hf_url *u, const char *text)
{
	size_t len = strlen(text);
	char *exact = malloc(len + 1); /* of a length of its own: no byte behind it is looked at */
	hf_err e;

	assert_non_null(exact);
	memcpy(exact, text, len);
	e = hf_url_parse(u, exact, len);
	free(exact);
	return e;
}

static void takes_hosts_ports_and_paths(void **state)
{
	static const struct {
		const char *text;
		const char *host;
		unsigned port;
		const char *path;
	} good[] = {
		{ "http://ca.example/a/b.crl", "ca.example", 80, "/a/b.crl" },
		{ "HTTP://CA.example", "CA.example", 80, "/" },
		{ "http://10.0.0.1:8080/", "10.0.0.1", 8080, "/" },
		{ "http://[fe80::1]:1/x?y=%20&z", "fe80::1", 1, "/x?y=%20&z" },
		{ "http://h:65535?q", "h", 65535, "/?q" },
	};
	struct hf_url u;

	(void)state;
	for (size_t i = 0; i < HF_COUNT(good); i++) {
		assert_ok(parse(&u, good[i].text));
		assert_string_equal(u.host, good[i].host);
		assert_int_equal(u.port, good[i].port);
		assert_string_equal(u.path, good[i].path);
	}
}

static void refuses_everything_else(void **state)
{
	static const char *const bad[] = { "http://", "http:///x", "http://u@h/", "http://h:/",
		"http://h:0/", "http://h:65536/", "http://h:123456/", "http://h/a b",
		"http://h/a\r\nX:", "http://h/\x7f", "http://h/#f", "http://[::1", "http://[]/",
		"http://[::1]x/", "http://h x/", "http://h\r\n/", "http://h/\xc3\xa4",
		"http://h:80x/" };
	static const char *const other[] = { "", "http:/h", "https://h/", "ftp://h/",
		"file:///etc/x", "ldap://h/", "//h/", "h/x" };
	struct hf_url u = { .host = "kept" };
	char text[HF_URL_MAX + 2];

	(void)state;
	for (size_t i = 0; i < HF_COUNT(bad); i++)
		assert_err(parse(&u, bad[i]), HF_ERR_FORMAT);
	for (size_t i = 0; i < HF_COUNT(other); i++)
		assert_err(parse(&u, other[i]), HF_ERR_UNSUPPORTED);
	memset(text, 'x', sizeof(text));
	memcpy(text, "http://h/", 9);
	text[HF_URL_MAX + 1] = '\0';
	assert_err(parse(&u, text), HF_ERR_LIMIT);
	assert_string_equal(u.host, "kept");
	text[HF_URL_MAX] = '\0';
	assert_ok(parse(&u, text));
	memset(text + 7, 'h', HF_URL_HOST_MAX + 1);
	text[7 + HF_URL_HOST_MAX + 1] = '\0';
	assert_err(parse(&u, text), HF_ERR_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_hosts_ports_and_paths),
		cmocka_unit_test(refuses_everything_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
