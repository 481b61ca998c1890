/* SPDX-License-Identifier: MIT */
#include "builder/rootfs/install/excluded.h"

#include <fnmatch.h>
#include <string.h>

const char mkv_excluded_configuration[] =
	"# A container image: without documentation and translations.\n"
	"path-exclude=/usr/share/doc/*\n"
	"path-include=/usr/share/doc/*/copyright\n"
	"path-exclude=/usr/share/info/*\n"
	"path-exclude=/usr/share/lintian/*\n"
	"path-exclude=/usr/share/linda/*\n"
	"path-exclude=/usr/share/locale/*\n"
	"path-include=/usr/share/locale/locale.alias\n"
	"path-exclude=/usr/share/man/*\n";

bool mkv_is_excluded(const char *path)
{
	static const struct {
		const char *pattern;
		bool excludes;
	} rules[] = {
		{"/usr/share/doc/*", true},
		{"/usr/share/doc/*/copyright", false},
		{"/usr/share/info/*", true},
		{"/usr/share/lintian/*", true},
		{"/usr/share/linda/*", true},
		{"/usr/share/locale/*", true},
		{"/usr/share/locale/locale.alias", false},
		{"/usr/share/man/*", true},
	};
	static const char share[] = "/usr/share/";
	bool excluded = false;
	if (strncmp(path, share, sizeof(share) - 1) != 0)
		return false;
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++)
		if (fnmatch(rules[i].pattern, path, 0) == 0)
			excluded =
				rules[i].excludes; /* the last match decides */
	return excluded;
}
