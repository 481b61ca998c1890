/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "builder/rootfs/install/normalise.h"

static const struct {
	const char *path;
	enum mkv_normalise_action action;
} rows[] = {
	{"/etc/machine-id", MKV_EMPTY},
	{"/var/lib/dbus/machine-id", MKV_REMOVE},
	{"/var/lib/systemd/random-seed", MKV_REMOVE},
	{"/var/lib/systemd/credential.secret", MKV_REMOVE},
	{"/var/lib/urandom/random-seed", MKV_REMOVE},
	{"/etc/ssh/ssh_host_ed25519_key", MKV_REMOVE},
	{"/etc/ssh/ssh_host_rsa_key.pub", MKV_REMOVE},
	{"/etc/ssh/ssh_config", MKV_KEEP},
	{"/etc/ssl/private/ssl-cert-snakeoil.key", MKV_REMOVE},
	{"/etc/ssl/certs/ssl-cert-snakeoil.pem", MKV_REMOVE},
	{"/etc/ssl/certs/ca-certificates.crt", MKV_KEEP},
	{"/var/lib/postgresql/17", MKV_REMOVE},
	{"/var/lib/postgresql/17/main/PG_VERSION", MKV_REMOVE},
	{"/var/lib/postgresql", MKV_KEEP},
	{"/etc/postgresql/17", MKV_REMOVE},
	{"/etc/postgresql-common/createcluster.conf", MKV_KEEP},
	{"/var/log/apt/term.log", MKV_REMOVE_FILES},
	{"/var/log/dpkg.log", MKV_REMOVE},
	{"/var/log/alternatives.log", MKV_REMOVE},
	{"/var/log/bootstrap.log", MKV_REMOVE},
	{"/var/log/fontconfig.log", MKV_REMOVE},
	{"/var/log/wtmp", MKV_EMPTY},
	{"/var/log", MKV_KEEP},
	{"/var/logs/x", MKV_KEEP},
	{"/etc/passwd-", MKV_REMOVE},
	{"/etc/passwd", MKV_KEEP},
	{"/etc/group-", MKV_REMOVE},
	{"/etc/shadow-", MKV_REMOVE},
	{"/etc/gshadow-", MKV_REMOVE},
	{"/etc/subuid-", MKV_REMOVE},
	{"/etc/subgid-", MKV_REMOVE},
	{"/etc/shells.tmp", MKV_REMOVE},
	{"/var/lib/dpkg/status-old", MKV_REMOVE},
	{"/var/lib/dpkg/status", MKV_KEEP},
	{"/var/lib/dpkg/info/x-old", MKV_KEEP},
	{"/var/cache/debconf/config.dat-old", MKV_REMOVE},
	{"/var/cache/debconf/config.dat", MKV_KEEP},
	{"/var/lib/ucf/hashfile.0", MKV_REMOVE},
	{"/var/lib/ucf/hashfile", MKV_KEEP},
	{"/var/backups/dpkg.status.0", MKV_REMOVE_FILES},
	{"/etc/shadow", MKV_REWRITE},
	{"/var/cache/ldconfig/aux-cache", MKV_REMOVE},
	{"/etc/ld.so.cache", MKV_KEEP},
	{"/var/cache/man/index.db", MKV_REMOVE_FILES},
	{"/var/cache/man/de/index.db", MKV_REMOVE_FILES},
	{"/var/cache/apt/pkgcache.bin", MKV_REMOVE_FILES},
	{"/var/lib/apt/lists/x_Packages", MKV_REMOVE_FILES},
	{"/var/lib/apt/extended_states", MKV_KEEP},
	{"/var/cache/fontconfig/x", MKV_REMOVE_FILES},
	{"/var/cache/private/x", MKV_REMOVE_FILES},
	{"/var/lib/systemd/catalog/database", MKV_REMOVE},
	{"/var/lib/systemd/timers/stamp-x", MKV_REMOVE_FILES},
	{"/etc/.updated", MKV_REMOVE},
	{"/var/.updated", MKV_REMOVE},
	{"/etc/udev/hwdb.bin", MKV_REMOVE},
	{"/usr/lib/udev/hwdb.bin", MKV_KEEP},
	{"/usr/lib/python3/dist-packages/__pycache__", MKV_REMOVE},
	{"/usr/__pycache__", MKV_REMOVE},
	{"/usr/lib/python3/__pycache__.py", MKV_KEEP},
	{"/opt/__pycache__", MKV_KEEP},
	{"/var/lib/dpkg/lock", MKV_REMOVE},
	{"/var/lib/dpkg/lock-frontend", MKV_REMOVE},
	{"/var/lib/dpkg/triggers/Lock", MKV_REMOVE},
	{"/etc/.pwd.lock", MKV_REMOVE},
	{"/run/lock/x", MKV_REMOVE},
	{"/run", MKV_KEEP},
	{"/tmp/x", MKV_REMOVE},
	{"/var/tmp/x", MKV_REMOVE},
	{"/dev/null", MKV_REMOVE},
	{"/proc/x", MKV_REMOVE},
	{"/sys/x", MKV_REMOVE},
	{"/usr/bin/env", MKV_KEEP},
};

static void every_rule_matches_its_rows(void **state)
{
	(void)state;
	size_t n_rules = 0;
	while (mkv_normalise_rules[n_rules].pattern)
		n_rules++;
	bool *met = calloc(n_rules, sizeof(*met));
	assert_non_null(met);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct mkv_normalise_rule *rule =
			mkv_normalise_find(rows[i].path);
		if ((rule ? rule->action : MKV_KEEP) != rows[i].action)
			fail_msg("%s", rows[i].path);
		if (rule)
			met[rule - mkv_normalise_rules] = true;
	}
	for (size_t i = 0; i < n_rules; i++) {
		if (!met[i])
			fail_msg("missing row for %s",
				 mkv_normalise_rules[i].pattern);
		assert_true(strlen(mkv_normalise_rules[i].reason) > 0);
	}
	free(met);
}

static void shadow_gets_the_day_of_the_epoch(void **state)
{
	(void)state;
	static const char from_text[] = "root:*:20700:0:99999:7:::\n"
					"chrony:!::::::\n"
					"odd\n"
					"last:!:1:";
	struct mkv_buf from = {.data = (char *)from_text,
			       .size = sizeof(from_text) - 1};
	auto_buf struct mkv_buf to = {0};
	struct mkv_error err = {0};
	const struct mkv_normalise_rule *rule =
		mkv_normalise_find("/etc/shadow");
	assert_int_equal(rule->rewrite(&from, 86400 * 12345 + 5, &to, &err), 0);
	assert_string_equal(to.data, "root:*:12345:0:99999:7:::\n"
				     "chrony:!::::::\n"
				     "odd\n"
				     "last:!:12345:\n");
}

static void only_times_of_packages_are_kept(void **state)
{
	(void)state;
	struct mkv_known_times known = {0};
	struct mkv_error err = {0};
	for (int64_t i = 1000; i > 0; i--)
		assert_int_equal(mkv_known_times_add(&known, i * 10, &err), 0);
	mkv_known_times_finish(&known);
	assert_int_equal(mkv_known_times_clamp(&known, 500, 5000), 500);
	assert_int_equal(mkv_known_times_clamp(&known, 501, 5000), 5000);
	assert_int_equal(mkv_known_times_clamp(&known, 6000, 5000), 5000);
	assert_int_equal(mkv_known_times_clamp(&known, 1, 5000), 5000);
	mkv_known_times_done(&known);
	assert_int_equal(mkv_known_times_clamp(&known, 500, 5000), 5000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_rule_matches_its_rows),
		cmocka_unit_test(shadow_gets_the_day_of_the_epoch),
		cmocka_unit_test(only_times_of_packages_are_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
