/* SPDX-License-Identifier: MIT */
#include "builder/format/oci/docker_root.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "builder/core/tree/listing.h"
#include "lib/io.h"

#define OVERLAY "/var/lib/docker/overlay2"
#define LAYERDB "/var/lib/docker/image/overlay2/layerdb/sha256"

static struct mkv_error err;

static struct mkv_tree *tree_of(const char *const *paths)
{
	struct mkv_tree *tree;
	assert_int_equal(mkv_tree_new(7, &tree, &err), 0);
	for (; *paths; paths++)
		assert_int_equal(mkv_tree_put_file(tree, *paths, 0644, *paths,
						   strlen(*paths), &err),
				 0);
	return tree;
}

struct fixture {
	struct mkv_tree *trees[2], *root;
	struct mkv_oci_layer *layers[2];
	struct mkv_oci_built *image;
};

static int lay_out(struct fixture *f)
{
	static const char *const base[] = {"/a", "/d/x", "/gone", NULL};
	static const char *const top[] = {"/a", "/.wh.gone", "/d/.wh..wh..opq",
					  "/d/y", NULL};
	const struct mkv_oci_config config = {.epoch_s = 7};
	f->trees[0] = tree_of(base);
	f->trees[1] = tree_of(top);
	assert_int_equal(mkv_tree_put(f->trees[0], "/hard",
				      mkv_tree_lookup(f->trees[0], "/a"), &err),
			 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(mkv_oci_layer_new(f->trees[i],
						   MKV_GZIP_DEFLATE, "/tmp",
						   &f->layers[i], &err),
				 0);
	const struct mkv_oci_layer *const layers[] = {f->layers[0],
						      f->layers[1]};
	assert_int_equal(mkv_oci_image_new("app", "1", &config, layers, 2,
					   &f->image, &err),
			 0);
	const struct mkv_oci_built *const images[] = {f->image};
	assert_int_equal(mkv_tree_new(7, &f->root, &err), 0);
	return mkv_docker_root_put(f->root, images, 1, &err);
}

static void free_fixture(struct fixture *f)
{
	mkv_tree_free(f->root);
	mkv_oci_built_free(f->image);
	for (int i = 0; i < 2; i++) {
		mkv_oci_layer_free(f->layers[i]);
		mkv_tree_free(f->trees[i]);
	}
}

static char *text_at(const struct mkv_tree *root, const char *path)
{
	const struct mkv_inode *inode = mkv_tree_lookup(root, path);
	if (!inode || !inode->content)
		fail_msg("no file '%s'", path);
	size_t size = (size_t)mkv_content_size(inode->content);
	char *text = calloc(1, size + 1);
	assert_int_equal(mkv_content_read(inode->content, 0, text, size, &err),
			 0);
	return text;
}

/* Prints the format with the cache id of the chain of the first n layers. */
static void path_of(const struct fixture *f, size_t n, const char *below,
		    char ret[static 512])
{
	struct mkv_sha256 chain;
	char hex[MKV_SHA256_HEX_SIZE], path[512];
	const struct mkv_oci_layer *const layers[] = {f->layers[0],
						      f->layers[1]};
	assert_int_equal(mkv_oci_chain_id(layers, n, &chain, &err), 0);
	mkv_sha256_hex(&chain, hex);
	(void)snprintf(path, sizeof(path), LAYERDB "/%s/cache-id", hex);
	char *cache = text_at(f->root, path);
	(void)snprintf(ret, 512, OVERLAY "/%s/%s", cache, below);
	free(cache);
}

static void whiteouts_become_those_of_overlayfs(void **state)
{
	(void)state;
	struct fixture f = {0};
	char path[512];
	assert_int_equal(lay_out(&f), 0);
	path_of(&f, 2, "diff/gone", path);
	const struct mkv_inode *gone = mkv_tree_lookup(f.root, path);
	assert_non_null(gone);
	assert_true(S_ISCHR(gone->mode));
	assert_int_equal(gone->major | gone->minor, 0);
	path_of(&f, 2, "diff/d", path);
	const struct mkv_inode *dir = mkv_tree_lookup(f.root, path);
	assert_non_null(dir);
	assert_int_equal(dir->n_xattrs, 1);
	assert_string_equal(dir->xattrs[0].name, "trusted.overlay.opaque");
	assert_int_equal(dir->xattrs[0].size, 1);
	assert_int_equal(dir->xattrs[0].value[0], 'y');
	path_of(&f, 2, "diff/d/.wh..wh..opq", path);
	assert_null(mkv_tree_lookup(f.root, path));
	/* The layer itself is unchanged. */
	assert_non_null(mkv_tree_lookup(f.trees[1], "/.wh.gone"));
	free_fixture(&f);
}

static void hard_links_stay_one_file(void **state)
{
	(void)state;
	struct fixture f = {0};
	char a[512], hard[512];
	assert_int_equal(lay_out(&f), 0);
	path_of(&f, 1, "diff/a", a);
	path_of(&f, 1, "diff/hard", hard);
	assert_ptr_equal(mkv_tree_lookup(f.root, a),
			 mkv_tree_lookup(f.root, hard));
	assert_int_equal(mkv_tree_lookup(f.root, a)->entries, 2);
	free_fixture(&f);
}

static void a_layer_names_the_layer_below_it(void **state)
{
	(void)state;
	struct fixture f = {0};
	char path[512], expected[64];
	assert_int_equal(lay_out(&f), 0);
	path_of(&f, 1, "lower", path);
	assert_null(mkv_tree_lookup(f.root, path));
	path_of(&f, 1, "link", path);
	char *link = text_at(f.root, path);
	assert_int_equal(strlen(link), 26);
	path_of(&f, 2, "lower", path);
	char *lower = text_at(f.root, path);
	(void)snprintf(expected, sizeof(expected), "l/%s", link);
	assert_string_equal(lower, expected);
	(void)snprintf(path, sizeof(path), OVERLAY "/l/%s", link);
	assert_true(S_ISLNK(mkv_tree_lookup(f.root, path)->mode));
	free(link);
	free(lower);
	free_fixture(&f);
}

static void the_same_images_give_the_same_tree(void **state)
{
	(void)state;
	struct fixture f[2] = {0};
	struct mkv_buf lists[2] = {0};
	for (int i = 0; i < 2; i++) {
		assert_int_equal(lay_out(&f[i]), 0);
		assert_int_equal(
			mkv_listing_write(f[i].root, NULL, &lists[i], &err), 0);
		free_fixture(&f[i]);
	}
	assert_int_equal(lists[0].size, lists[1].size);
	assert_memory_equal(lists[0].data, lists[1].data, lists[0].size);
	mkv_buf_done(&lists[0]);
	mkv_buf_done(&lists[1]);
}

static void a_layer_comes_back_from_the_store(void **state)
{
	(void)state;
	struct fixture f = {0};
	char directory[] = "/tmp/docker_root_test-XXXXXX";
	auto_store struct mkv_store *store = NULL;
	auto_oci_layer struct mkv_oci_layer *back = NULL;
	struct mkv_sha256 key;
	assert_int_equal(lay_out(&f), 0);
	assert_non_null(mkdtemp(directory));
	assert_int_equal(mkv_store_open(directory, &store, &err), 0);
	assert_int_equal(mkv_sha256_bytes("key", 3, &key, &err), 0);
	assert_int_equal(
		mkv_oci_layer_load(store, &key, f.trees[0], &back, &err),
		-ENOENT);
	assert_int_equal(mkv_oci_layer_save(f.layers[0], store, &key, &err), 0);
	assert_int_equal(
		mkv_oci_layer_load(store, &key, f.trees[0], &back, &err), 0);
	assert_true(mkv_sha256_equal(&back->digest, &f.layers[0]->digest));
	assert_true(mkv_sha256_equal(&back->diff_id, &f.layers[0]->diff_id));
	assert_int_equal(back->tar_size_bytes, f.layers[0]->tar_size_bytes);
	assert_int_equal(back->files_size_bytes, f.layers[0]->files_size_bytes);
	assert_int_equal(mkv_content_size(back->tar_split),
			 mkv_content_size(f.layers[0]->tar_split));
	assert_int_equal(mkv_remove_tree(AT_FDCWD, directory, &err), 0);
	free_fixture(&f);
}

static void names_that_docker_refuses_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *name, *tag;
	} table[] = {{"App", "1"},   {"", "1"},	    {"app", ""},
		     {"-app", "1"},  {"app/", "1"}, {"a b", "1"},
		     {"app", "1:2"}, {"app", "-x"}};
	struct fixture f = {0};
	const struct mkv_oci_config config = {0};
	assert_int_equal(lay_out(&f), 0);
	const struct mkv_oci_layer *const layers[] = {f.layers[0]};
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct mkv_oci_built *image = NULL;
		assert_int_equal(mkv_oci_image_new(table[i].name, table[i].tag,
						   &config, layers, 1, &image,
						   &err),
				 -EINVAL);
		assert_null(image);
	}
	free_fixture(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whiteouts_become_those_of_overlayfs),
		cmocka_unit_test(hard_links_stay_one_file),
		cmocka_unit_test(a_layer_names_the_layer_below_it),
		cmocka_unit_test(the_same_images_give_the_same_tree),
		cmocka_unit_test(a_layer_comes_back_from_the_store),
		cmocka_unit_test(names_that_docker_refuses_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
