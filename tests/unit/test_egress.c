/* SPDX-License-Identifier: MIT */
/* test_egress.c - which addresses and which URLs pass */
#include "unit.h"

#include "net/egress.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>

static bool passes(const struct egress *e, const char *address, char *why, size_t cap)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

	why[0] = '\0';
	if (inet_pton(AF_INET, address, &v4.sin_addr) == 1)
		return egress_allows(e, (struct sockaddr *)(void *)&v4, why, cap);
	assert_int_equal(inet_pton(AF_INET6, address, &v6.sin6_addr), 1);
	return egress_allows(e, (struct sockaddr *)(void *)&v6, why, cap);
}

/* First and last address of every network, and their neighbours outside. */
static const struct {
	const char *address, *why; /* NULL: passes */
} corpus[] = {
	{ "0.0.0.0", "this network 0.0.0.0/8" },
	{ "0.255.255.255", "this network 0.0.0.0/8" },
	{ "1.0.0.0", NULL },
	{ "9.255.255.255", NULL },
	{ "10.0.0.0", "private 10.0.0.0/8" },
	{ "10.255.255.255", "private 10.0.0.0/8" },
	{ "11.0.0.0", NULL },
	{ "100.63.255.255", NULL },
	{ "100.64.0.0", "carrier-grade NAT 100.64.0.0/10" },
	{ "100.100.100.200", "cloud metadata 100.100.100.200/32" },
	{ "100.127.255.255", "carrier-grade NAT 100.64.0.0/10" },
	{ "100.128.0.0", NULL },
	{ "126.255.255.255", NULL },
	{ "127.0.0.1", "loopback 127.0.0.0/8" },
	{ "127.255.255.255", "loopback 127.0.0.0/8" },
	{ "128.0.0.0", NULL },
	{ "168.63.129.15", NULL },
	{ "168.63.129.16", "cloud metadata 168.63.129.16/32" },
	{ "169.253.255.255", NULL },
	{ "169.254.0.0", "link-local 169.254.0.0/16" },
	{ "169.254.169.254", "cloud metadata 169.254.169.254/32" },
	{ "169.254.170.2", "cloud metadata 169.254.170.2/32" },
	{ "169.255.0.0", NULL },
	{ "172.15.255.255", NULL },
	{ "172.16.0.0", "private 172.16.0.0/12" },
	{ "172.31.255.255", "private 172.16.0.0/12" },
	{ "172.32.0.0", NULL },
	{ "192.0.0.192", "cloud metadata 192.0.0.192/32" },
	{ "192.0.0.255", "protocol assignments 192.0.0.0/24" },
	{ "192.0.1.0", NULL },
	{ "192.0.2.1", "documentation 192.0.2.0/24" },
	{ "192.0.3.0", NULL },
	{ "192.88.99.1", "6to4 relay 192.88.99.0/24" },
	{ "192.168.0.0", "private 192.168.0.0/16" },
	{ "192.168.255.255", "private 192.168.0.0/16" },
	{ "192.169.0.0", NULL },
	{ "198.17.255.255", NULL },
	{ "198.18.0.0", "benchmarking 198.18.0.0/15" },
	{ "198.19.255.255", "benchmarking 198.18.0.0/15" },
	{ "198.20.0.0", NULL },
	{ "198.51.100.7", "documentation 198.51.100.0/24" },
	{ "203.0.113.7", "documentation 203.0.113.0/24" },
	{ "223.255.255.255", NULL },
	{ "224.0.0.1", "multicast 224.0.0.0/4" },
	{ "239.255.255.255", "multicast 224.0.0.0/4" },
	{ "240.0.0.0", "reserved 240.0.0.0/4" },
	{ "255.255.255.255", "reserved 240.0.0.0/4" },
	{ "157.240.1.35", NULL },
	{ "::", "unspecified ::/128" },
	{ "::1", "loopback ::1/128" },
	{ "::2", "IPv4-compatible ::/96" },
	{ "::127.0.0.1", "IPv4-compatible ::/96" },
	{ "::ffff:127.0.0.1", "IPv4-mapped ::ffff:0:0/96" },
	{ "::ffff:8.8.8.8", "IPv4-mapped ::ffff:0:0/96" },
	{ "::ffff:169.254.169.254", "IPv4-mapped ::ffff:0:0/96" },
	{ "64:ff9b::a9fe:a9fe", "NAT64 64:ff9b::/96" },
	{ "64:ff9b:1::1", "local NAT64 64:ff9b:1::/48" },
	{ "64:ff9b:2::1", NULL },
	{ "100::1", "discard 100::/64" },
	{ "100:0:0:1::1", NULL },
	{ "2001::1", "Teredo 2001::/32" },
	{ "2001:1ff::1", "protocol assignments 2001::/23" },
	{ "2001:200::1", NULL },
	{ "2001:db8::1", "documentation 2001:db8::/32" },
	{ "2001:db9::1", NULL },
	{ "2002:7f00:1::1", "6to4 2002::/16" },
	{ "2003::1", NULL },
	{ "2a03:2880:f12d:83:face:b00c:0:25de", NULL },
	{ "3fff:fff::1", "documentation 3fff::/20" },
	{ "3fff:1000::1", NULL },
	{ "5f00::1", "segment routing 5f00::/16" },
	{ "fbff::1", NULL },
	{ "fc00::1", "unique local fc00::/7" },
	{ "fd00:ec2::254", "cloud metadata fd00:ec2::254/128" },
	{ "fd20:ce::254", "cloud metadata fd20:ce::254/128" },
	{ "fdff::1", "unique local fc00::/7" },
	{ "fe00::1", NULL },
	{ "fe80::1", "link-local fe80::/10" },
	{ "febf::1", "link-local fe80::/10" },
	{ "fec0::1", "site-local fec0::/10" },
	{ "ff02::1", "multicast ff00::/8" },
};

static void addresses(void **state)
{
	struct egress *e = NULL;
	char why[96];

	(void)state;
	assert_int_equal(egress_new(STR_EMPTY, &e, NULL), GW_OK);
	for (size_t i = 0; i < ARRAY_LEN(corpus); i++) {
		bool ok = passes(e, corpus[i].address, why, sizeof(why));

		CHECK_INT(corpus[i].address, corpus[i].why == NULL, ok);
		CHECK_STR(corpus[i].address, corpus[i].why == NULL ? "" : corpus[i].why,
			  str_from(why));
	}
	egress_free(e);
	egress_free(NULL);
}

static const struct {
	const char *allow, *address;
	bool want;
} allowed[] = {
	{ "127.0.0.0/8", "127.0.0.1", true },
	{ "127.0.0.0/8", "10.0.0.1", false },
	{ "127.0.0.0/8", "::1", false },
	{ "127.0.0.0/8", "::ffff:127.0.0.1", false },
	{ "::ffff:127.0.0.0/104", "::ffff:127.0.0.1", true },
	{ "10.1.0.0/16, ::1", "::1", true },
	{ "10.1.0.0/16, ::1", "10.1.255.255", true },
	{ "10.1.0.0/16, ::1", "10.2.0.0", false },
	{ "  ,, 10.0.0.7 \t\n", "10.0.0.7", true },
	{ "10.0.0.7", "10.0.0.6", false },
	{ "10.0.0.6/31", "10.0.0.7", true },
	{ "10.0.0.6/31", "10.0.0.8", false },
	{ "0.0.0.0/0 ::/0", "127.0.0.1", true },
	{ "0.0.0.0/0 ::/0", "fe80::1", true },
	{ "0.0.0.0/0 ::/0", "169.254.169.254", false },
	{ "169.254.0.0/16", "169.254.169.254", false },
	{ "169.254.169.254/31", "169.254.169.254", false },
	{ "169.254.169.254", "169.254.169.254", true },
	{ "169.254.169.254/32", "169.254.169.254", true },
	{ "0.0.0.0/0 ::/0", "fd00:ec2::254", false },
	{ "fd00:ec2::254/128", "fd00:ec2::254", true },
};

static void allow_lists(void **state)
{
	char why[96];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(allowed); i++) {
		struct egress *e = NULL;

		assert_int_equal(egress_new(str_from(allowed[i].allow), &e, NULL), GW_OK);
		CHECK_INT(allowed[i].allow, allowed[i].want,
			  passes(e, allowed[i].address, why, sizeof(why)));
		egress_free(e);
	}
}

static const struct {
	const char *allow;
	gw_status want;
} malformed[] = {
	{ "10.0.0.0/33", GW_EPARSE },  { "::/129", GW_EPARSE },    { "10.0.0/8", GW_EPARSE },
	{ "localhost", GW_EPARSE },    { "10.0.0.0/", GW_EPARSE }, { "10.0.0.0/-1", GW_EPARSE },
	{ "10.0.0.0/8/8", GW_EPARSE }, { "/8", GW_EPARSE },        { "10.0.0.0/8", GW_OK },
};

static void malformed_lists(void **state)
{
	char many[EGRESS_ALLOW_MAX * 8 + 16] = "";

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(malformed); i++) {
		struct egress *e = NULL;
		struct gw_error err = GW_ERROR_INIT;

		CHECK_INT(malformed[i].allow, malformed[i].want,
			  egress_new(str_from(malformed[i].allow), &e, &err));
		CHECK_INT(malformed[i].allow, malformed[i].want == GW_OK, e != NULL);
		egress_free(e);
	}
	for (int n = EGRESS_ALLOW_MAX; n <= EGRESS_ALLOW_MAX + 1; n++) {
		struct egress *e = NULL;

		for (int i = 0; i < n; i++)
			memcpy(many + i * 8, "1.1.1.1 ", 9);
		CHECK_INT("count", n > EGRESS_ALLOW_MAX ? GW_ELIMIT : GW_OK,
			  egress_new(str_from(many), &e, NULL));
		egress_free(e);
	}
}

static void other_families(void **state)
{
	struct sockaddr local = { .sa_family = AF_UNIX };
	struct egress *e = NULL;
	char why[96];

	(void)state;
	assert_int_equal(egress_new(STR("0.0.0.0/0"), &e, NULL), GW_OK);
	assert_false(egress_allows(e, &local, why, sizeof(why)));
	CHECK_STR("why", "not an Internet address", str_from(why));
	egress_free(e);
}

static const struct {
	const char *url;
	bool https_only;
	gw_status want;
} urls[] = {
	{ "https://example.com", true, GW_OK },
	{ "https://example.com/", true, GW_OK },
	{ "HTTPS://Example.com:443/a/b?c=d&e=%20", true, GW_OK },
	{ "https://example.com?x", true, GW_OK },
	{ "http://example.com/", false, GW_OK },
	{ "http://example.com/", true, GW_EPARSE },
	{ "http://[::1]:8080/x", false, GW_OK },
	{ "http://[::1]", false, GW_OK },
	{ "http://[::1]x/", false, GW_EPARSE },
	{ "http://[::zz]/", false, GW_EPARSE },
	{ "http://[::1", false, GW_EPARSE },
	{ "http://a_b.example-host.org:1/", false, GW_OK },
	{ "http://h:65535/", false, GW_OK },
	{ "http://h:65536/", false, GW_EPARSE },
	{ "http://h:0/", false, GW_EPARSE },
	{ "http://h:/", false, GW_EPARSE },
	{ "http://h:1a/", false, GW_EPARSE },
	{ "http://user@h/", false, GW_EPARSE },
	{ "http://user:pw@h/", false, GW_EPARSE },
	{ "http://h@169.254.169.254/", false, GW_EPARSE },
	{ "http://h/@x", false, GW_OK },
	{ "http://h/#x", false, GW_EPARSE },
	{ "http://h#@evil/", false, GW_EPARSE },
	{ "http://", false, GW_EPARSE },
	{ "http:///x", false, GW_EPARSE },
	{ "http://:80/", false, GW_EPARSE },
	{ "http://h\\@evil/", false, GW_EPARSE },
	{ "http://h/a b", false, GW_EPARSE },
	{ "http://h/\r\nX: y", false, GW_EPARSE },
	{ "http://b\xc3\xbc"
	  "cher.example/",
	  false, GW_EPARSE },
	{ "http://%31%32%37.0.0.1/", false, GW_EPARSE },
	{ "ftp://h/", false, GW_EPARSE },
	{ "file:///etc/passwd", false, GW_EPARSE },
	{ "gopher://h/", false, GW_EPARSE },
	{ "//h/", false, GW_EPARSE },
	{ "h/x", false, GW_EPARSE },
	{ "", false, GW_EPARSE },
};

static void url_forms(void **state)
{
	static char text[2100] = "http://h/";

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
		struct gw_error err = GW_ERROR_INIT;

		CHECK_INT(urls[i].url, urls[i].want,
			  egress_check_url(str_from(urls[i].url), urls[i].https_only, &err));
		CHECK_INT(urls[i].url, urls[i].want == GW_OK, err.message[0] == '\0');
	}
	memset(text + 9, 'x', sizeof(text) - 9);
	CHECK_INT("2048", GW_OK, egress_check_url(str_make(text, 2048), false, NULL));
	CHECK_INT("2049", GW_ELIMIT, egress_check_url(str_make(text, 2049), false, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses),       cmocka_unit_test(allow_lists),
		cmocka_unit_test(malformed_lists), cmocka_unit_test(other_families),
		cmocka_unit_test(url_forms),
	};

	return cmocka_run_group_tests_name("egress", tests, NULL, NULL);
}
