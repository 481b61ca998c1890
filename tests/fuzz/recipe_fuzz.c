/* SPDX-License-Identifier: MIT */
/* Recipes: any bytes yield a recipe or at least one diagnostic. */

#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>

#include "builder/input/recipe/recipe.h"
#include "lib/io.h"

static const char *const fuzz_seeds[] = {
	"recipes/small.yaml", "tests/reject/recipe-*base.yaml",
	"tests/reject/recipe-*/input.yaml",
	"tests/integration/101-recipe-schema/whole.yaml", NULL};
static const char *const fuzz_words[] = {"include: ",
					 "hardware: ",
					 "images: {",
					 "hosts:\n  ",
					 "hypervisor:",
					 "docker:",
					 "- ",
					 ": ",
					 "{",
					 "}",
					 "[",
					 "]",
					 "\n",
					 "\n\n---\n",
					 "&a ",
					 "*a",
					 "!!str ",
					 "? ",
					 "|\n",
					 ">-\n",
					 "\"",
					 "'",
					 "#",
					 "<<: ",
					 "null",
					 "0x7fffffff",
					 "-1",
					 "1e999",
					 "99999999999999999999",
					 "16777215TiB",
					 "80us",
					 "/32",
					 "\xef\xbb\xbf",
					 "\xff\xfe",
					 "18446744073709551615B",
					 "0.0.0.0/0",
					 "..",
					 NULL};

#include "tests/fuzz/driver.h"

/* Inputs stand where the cases of tests/reject/ do, beside what they include.
 */
static char folder[] = "/tmp/mkv-fuzz-XXXXXX";
static char path[64];

static void clean_up(void)
{
	struct mkv_error err = {0};
	if (mkv_remove_tree(AT_FDCWD, folder, &err) < 0)
		(void)fprintf(stderr, "%s\n", err.message);
}

static void copy(const char *name)
{
	char from[64], to[64];
	struct mkv_error err = {0};
	auto_buf struct mkv_buf buf = {0};
	(void)snprintf(from, sizeof(from), "tests/reject/%s", name);
	(void)snprintf(to, sizeof(to), "%s/%s", folder, name);
	if (mkv_read_file(AT_FDCWD, from, 65536, &buf, &err) < 0 ||
	    mkv_write_file(to, 0644, buf.data, buf.size, &err) < 0)
		(void)fprintf(stderr, "%s\n", err.message);
}

static bool begin(void)
{
	if (*path)
		return true;
	if (!mkdtemp(folder))
		return false;
	(void)atexit(clean_up);
	copy("recipe-base.yaml");
	copy("recipe-docker-base.yaml");
	copy("recipe-experiment-base.yaml");
	(void)snprintf(path, sizeof(path), "%s/case", folder);
	if (mkdir(path, 0755) < 0)
		return false;
	(void)snprintf(path, sizeof(path), "%s/case/input.yaml", folder);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!begin())
		return 0;
	auto_fd int fd =
		open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		return 0;
	auto_recipe struct mkv_recipe *recipe = NULL;
	auto_diagnostics struct mkv_diagnostics diagnostics = {0};
	struct mkv_error err = {0};
	int rc = mkv_recipe_load(path, &recipe, &diagnostics, &err);
	bool right = rc == 0 && recipe && diagnostics.count == 0;
	bool wrong = rc < 0 && !recipe && diagnostics.count > 0 &&
		     err.kind == MKV_BAD_RECIPE;
	if (!right && !wrong)
		abort();
	return 0;
}
