/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "builder/input/fetch/sources.h"
#include "lib/io.h"

/* "URI flags" per mirror: m main, u updates, s security. */
static void describe_mirrors(const struct mkv_mirrors *mirrors, char ret[1024])
{
	size_t used = 0;
	ret[0] = '\0';
	for (size_t i = 0; i < mirrors->count; i++) {
		const struct mkv_mirror *m = &mirrors->items[i];
		used += (size_t)snprintf(
			ret + used, 1024 - used, "%s%s %s%s%s", i ? ", " : "",
			m->uri, m->main ? "m" : "", m->updates ? "u" : "",
			m->security ? "s" : "");
	}
}

static const struct {
	const char *text, *expected;
} lists[] = {
	{"deb http://m.example/debian trixie main",
	 "http://m.example/debian m"},
	{"deb\thttp://m.example/debian/  trixie\tmain contrib\n",
	 "http://m.example/debian m"},
	{"deb http://m.example/debian trixie main\n"
	 "deb http://m.example/debian trixie-updates main\n"
	 "deb http://s.example/debian-security trixie-security main\n",
	 "http://m.example/debian mu, http://s.example/debian-security s"},
	{"deb [arch=amd64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] https://m.example/d stable main",
	 "https://m.example/d m"},
	{"deb [ arch=arm64 ] http://m.example/d trixie main", ""},
	{"deb [signed-by=/etc/apt/keyrings/other.gpg] http://m.example/d trixie main",
	 ""},
	{"deb [arch=amd64 http://m.example/d trixie main", ""},
	{"deb file:/srv/debian bookworm main", "file:///srv/debian m"},
	{"deb file:///srv/debian bookworm main", "file:///srv/debian m"},
	{"deb cdrom:[Debian]/ bookworm main\ndeb tor+http://m.example/d sid main",
	 ""},
	{"deb http://m.example/apt cloud-sdk-bookworm main", ""},
	{"deb http://m.example/apt bookworm-pgdg main", ""},
	{"deb http://m.example/apt bookworm stable", ""},
	{"deb http://m.example/apt noble main", ""},
	{"deb http://m.example/apt bookworm-backports main", ""},
	{"deb-src http://m.example/debian trixie main", ""},
	{"# deb http://m.example/debian trixie main\n#\n\n  \n", ""},
	{"deb http://m.example/debian trixie contrib # main", ""},
	{"deb\ndeb \ndeb http://m.example/d\ndeb http://m.example/d trixie\ndeb [",
	 ""},
};

static const struct {
	const char *text, *expected;
} stanzas[] = {
	{"Types: deb\nURIs: http://m.example/debian\nSuites: bookworm bookworm-updates\nComponents: main\n",
	 "http://m.example/debian mu"},
	{"Types: deb deb-src\nURIs: http://a.example/d\n http://b.example/d/\nSuites: trixie\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
	 "\n"
	 "types: deb\nuris: http://s.example/s\nsuites: trixie-security\ncomponents: main\n",
	 "http://a.example/d m, http://b.example/d m, http://s.example/s s"},
	{"Types: deb\n# a comment\nURIs: http://m.example/d\nSuites:\n trixie\n# another\n trixie-updates\nComponents: contrib main\n",
	 "http://m.example/d mu"},
	{"Enabled: no\nTypes: deb\nURIs: http://m.example/d\nSuites: trixie\nComponents: main\n",
	 ""},
	{"Types: deb-src\nURIs: http://m.example/d\nSuites: trixie\nComponents: main\n",
	 ""},
	{"Types: deb\nURIs: http://m.example/d\nSuites: trixie\nComponents: main\nArchitectures: arm64\n",
	 ""},
	{"Types: deb\nURIs: http://m.example/d\nSuites: trixie\nComponents: main\nSigned-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n",
	 ""},
	{"Types: deb\nURIs: http://m.example/d\nSuites: nodistro\nComponents: main\n",
	 ""},
	{" continued\nTypes\n:\nURIs: \n\n\n\nTypes: deb", ""},
};

static void apts_own_sources_are_understood(void **state mkv_unused)
{
	char text[1024];
	struct mkv_error err;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		auto_mirrors struct mkv_mirrors mirrors = {0};
		assert_int_equal(
			mkv_sources_parse_list(lists[i].text, &mirrors, &err),
			0);
		describe_mirrors(&mirrors, text);
		assert_string_equal(text, lists[i].expected);
	}
	for (size_t i = 0; i < sizeof(stanzas) / sizeof(stanzas[0]); i++) {
		auto_mirrors struct mkv_mirrors mirrors = {0};
		assert_int_equal(mkv_sources_parse_deb822(stanzas[i].text,
							  &mirrors, &err),
				 0);
		describe_mirrors(&mirrors, text);
		assert_string_equal(text, stanzas[i].expected);
	}
}

static void files_are_read_in_order(void **state mkv_unused)
{
	static const struct {
		const char *name, *text;
	} files[] = {
		{"sources.list", "deb http://a.example/d trixie main\n"},
		{"sources.list.d/20.list", "deb http://c.example/d sid main\n"},
		{"sources.list.d/10.sources",
		 "Types: deb\nURIs: http://b.example/d\nSuites: trixie\n"
		 "Components: main\n"},
		{"sources.list.d/30.list.save",
		 "deb http://d.example/d sid main\n"},
		{"sources.list.d/.40.list",
		 "deb http://e.example/d sid main\n"},
	};
	char directory[] = "/tmp/mkv-mirrors-test-XXXXXX", path[128],
	     text[1024];
	struct mkv_error err;
	assert_non_null(mkdtemp(directory));
	auto_mirrors struct mkv_mirrors mirrors = {0};
	assert_int_equal(mkv_mirrors_of_host(directory, &mirrors, &err),
			 -ENOENT);
	assert_int_equal(err.kind, MKV_HOST_CANNOT);
	assert_non_null(strstr(err.message, "--mirror"));
	(void)snprintf(path, sizeof(path), "%s/sources.list.d", directory);
	assert_int_equal(mkv_make_dirs(path, &err), 0);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", directory,
			       files[i].name);
		assert_int_equal(mkv_write_file(path, 0644, files[i].text,
						strlen(files[i].text), &err),
				 0);
	}
	assert_int_equal(mkv_mirrors_of_host(directory, &mirrors, &err), 0);
	describe_mirrors(&mirrors, text);
	assert_string_equal(text, "http://a.example/d m, http://b.example/d m, "
				  "http://c.example/d m");
	assert_int_equal(mkv_remove_tree(AT_FDCWD, directory, &err), 0);
}

static void given_mirrors_may_hold_anything(void **state mkv_unused)
{
	struct mkv_error err;
	auto_mirrors struct mkv_mirrors mirrors = {0};
	assert_int_equal(mkv_mirrors_parse("http://a.example/d/, file:/srv/d,,",
					   &mirrors, &err),
			 0);
	assert_int_equal(mirrors.count, 2);
	assert_string_equal(mirrors.items[0].uri, "http://a.example/d");
	assert_string_equal(mirrors.items[1].uri, "file:///srv/d");
	assert_true(mkv_mirrors_may_hold(&mirrors, 1, "debian-security"));
	static const char *const bad[] = {"",
					  ",",
					  "ftp://a.example/d",
					  "a.example/d",
					  "file://host/d",
					  "http://a.example/d,--x"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		auto_mirrors struct mkv_mirrors none = {0};
		assert_int_equal(mkv_mirrors_parse(bad[i], &none, &err),
				 -EINVAL);
		assert_int_equal(err.kind, MKV_BAD_USAGE);
		assert_int_equal(none.count, 0);
	}
}

static void only_what_fits_is_asked(void **state mkv_unused)
{
	struct mkv_error err;
	auto_mirrors struct mkv_mirrors mirrors = {0};
	assert_int_equal(
		mkv_sources_parse_list(
			"deb http://a.example/d trixie main\n"
			"deb http://s.example/s trixie-security main\n",
			&mirrors, &err),
		0);
	assert_true(mkv_mirrors_may_hold(&mirrors, 0, "debian"));
	assert_false(mkv_mirrors_may_hold(&mirrors, 0, "debian-security"));
	assert_false(mkv_mirrors_may_hold(&mirrors, 1, "debian"));
	assert_true(mkv_mirrors_may_hold(&mirrors, 1, "debian-security"));
	mirrors.items[0].refused = true;
	assert_false(mkv_mirrors_may_hold(&mirrors, 0, "debian"));
}

static void apts_proxies_are_used(void **state mkv_unused)
{
	static const char dump[] =
		"APT \"\";\n"
		"Acquire::http \"\";\n"
		"Acquire::http::Proxy \"http://proxy.example:3128/\";\n"
		"Acquire::http::Proxy::direct.example \"DIRECT\";\n"
		"Acquire::http::Proxy-Auto-Detect \"/usr/bin/x\";\n"
		"Acquire::http::Pipeline-Depth \"0\";\n"
		"Acquire::https::Proxy::tls.example \"http://other:1\";\n"
		"Acquire::http::Proxy \"\n";
	static const struct {
		const char *uri, *proxy;
	} cases[] = {
		{"http://m.example/d", "http://proxy.example:3128/"},
		{"https://m.example/d", "http://proxy.example:3128/"},
		{"http://direct.example/d", ""},
		{"http://direct.example:80/d", ""},
		{"https://tls.example/d", "http://other:1"},
		{"file:///srv", NULL},
	};
	struct mkv_error err;
	auto_mirrors struct mkv_mirrors mirrors = {0};
	assert_null(mkv_mirrors_proxy(&mirrors, "http://m.example/d"));
	assert_int_equal(mkv_mirrors_parse_proxies(dump, &mirrors, &err), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *proxy = mkv_mirrors_proxy(&mirrors, cases[i].uri);
		if (!cases[i].proxy)
			assert_null(proxy);
		else
			assert_string_equal(proxy, cases[i].proxy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(apts_own_sources_are_understood),
		cmocka_unit_test(files_are_read_in_order),
		cmocka_unit_test(given_mirrors_may_hold_anything),
		cmocka_unit_test(only_what_fits_is_asked),
		cmocka_unit_test(apts_proxies_are_used),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
