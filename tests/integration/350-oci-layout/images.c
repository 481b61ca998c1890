/* SPDX-License-Identifier: MIT */
/* images OUT PROBE LEVEL: writes two images that share a layer, "base" (PROBE
 * as /bin/probe and some files) and "app" (the layer that mkv_tree_diff() makes
 * of changes to it), as an OCI layout OUT/layout; as root also Docker's data
 * root in OUT/root. Prints NAME CONFIG MANIFEST of each. */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "builder/core/tree/diff.h"
#include "builder/format/oci/docker_root.h"
#include "builder/format/oci/layout.h"
#include "lib/io.h"

enum { EPOCH = 1700000000 };

static struct mkv_error error;

static void ok(int rc)
{
	if (rc >= 0)
		return;
	fprintf(stderr, "images: %s\n", error.message);
	exit(1);
}

static void put_file(struct mkv_tree *tree, const char *path, const char *text)
{
	ok(mkv_tree_put_file(tree, path, 0644, text, strlen(text), &error));
}

static struct mkv_tree *base_tree(const char *probe)
{
	struct mkv_tree *tree;
	auto_buf struct mkv_buf program = {0};
	ok(mkv_tree_new(EPOCH, &tree, &error));
	ok(mkv_read_file(AT_FDCWD, probe, 1 << 24, &program, &error));
	ok(mkv_tree_put_file(tree, "/bin/probe", 0755, program.data,
			     program.size, &error));
	put_file(tree, "/etc/motd", "old\n");
	put_file(tree, "/etc/gone", "was here\n");
	put_file(tree, "/usr/share/gone/file", "was here too\n");
	put_file(tree, "/usr/share/kept", "");
	put_file(tree, "/name with \"quotes\" and \xc3\xa9", "odd\n");
	put_file(tree, "/latin\xe9", "not UTF-8\n");
	char path[400] = "/long";
	for (int i = 0; i < 5; i++)
		strcat(path, "/a-folder-with-a-name-that-adds-up-to-more-than"
			     "-one-ustar-header-holds");
	put_file(tree, path, "deep\n");
	ok(mkv_tree_put(tree, "/etc/motd-link",
			mkv_tree_lookup(tree, "/etc/motd"), &error));
	ok(mkv_tree_put_symlink(tree, "/sbin", "bin", &error));
	ok(mkv_tree_make_dirs(tree, "/data", &error));
	mkv_tree_lookup(tree, "/data")->uid = 1234;
	mkv_tree_lookup(tree, "/data")->mode = S_IFDIR | 0750;
	return tree;
}

static struct mkv_tree *app_layer(const struct mkv_tree *base)
{
	struct mkv_tree *top, *layer;
	ok(mkv_tree_clone(base, &top, &error));
	(void)mkv_tree_remove(top, "/etc/gone");
	(void)mkv_tree_remove(top, "/usr/share/gone");
	put_file(top, "/etc/motd", "new\n");
	put_file(top, "/opt/app/new", "added\n");
	ok(mkv_tree_diff(base, top, &layer, &error));
	mkv_tree_free(top);
	return layer;
}

/* An independent, simple writer of a tree into a real directory. */
static int write_inode(const char *path, struct mkv_inode *inode, void *context,
		       struct mkv_error *err)
{
	char target[4096];
	(void)snprintf(target, sizeof(target), "%s%s", (const char *)context,
		       path);
	int rc = 0;
	if (S_ISDIR(inode->mode)) {
		rc = mkdir(target, 0700) < 0 && errno != EEXIST ? -1 : 0;
	} else if (S_ISLNK(inode->mode)) {
		rc = symlink(inode->target, target);
	} else if (S_ISREG(inode->mode)) {
		auto_fd int fd =
			open(target, O_CREAT | O_WRONLY | O_EXCL, 0600);
		ok(mkv_content_copy_to(inode->content, fd, 0, err));
	} else {
		rc = mknod(target, inode->mode,
			   makedev(inode->major, inode->minor));
	}
	for (size_t i = 0; rc == 0 && i < inode->n_xattrs; i++)
		rc = lsetxattr(target, inode->xattrs[i].name,
			       inode->xattrs[i].value, inode->xattrs[i].size,
			       0);
	if (rc == 0)
		rc = lchown(target, inode->uid, inode->gid);
	if (rc == 0 && !S_ISLNK(inode->mode))
		rc = chmod(target, inode->mode & 07777);
	return rc < 0 ? mkv_fail(err, MKV_FAILED, errno, "%s: %m", target) : 0;
}

static void print_image(const struct mkv_oci_built *image)
{
	char config[MKV_SHA256_HEX_SIZE], manifest[MKV_SHA256_HEX_SIZE];
	mkv_sha256_hex(&image->config_digest, config);
	mkv_sha256_hex(&image->manifest_digest, manifest);
	printf("%s sha256:%s sha256:%s\n", image->name, config, manifest);
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return 2;
	enum mkv_gzip_level level =
		atoi(argv[3]) ? MKV_GZIP_DEFLATE : MKV_GZIP_STORED;
	struct mkv_tree *trees[2] = {base_tree(argv[2])};
	struct mkv_oci_layer *layers[2];
	const struct mkv_oci_layer *lowest_first[2];
	trees[1] = app_layer(trees[0]);
	for (int i = 0; i < 2; i++) {
		ok(mkv_oci_layer_new(trees[i], level, "/tmp", &layers[i],
				     &error));
		lowest_first[i] = layers[i];
	}
	char *entrypoint[] = {"/bin/probe"}, *volumes[] = {"/data"};
	char *ports[] = {"5432", "53/udp"};
	struct mkv_setting environment[] = {{"PROBE", "yes"}};
	struct mkv_setting labels[] = {{"org.example.label", "value"}};
	const struct mkv_oci_config config = {
		.user = "1234:0",
		.entrypoint = {entrypoint, 1},
		.volumes = {volumes, 1},
		.ports = {ports, 2},
		.environment = {environment, 1},
		.labels = {labels, 1},
		.working_dir = "/opt",
		.stop_signal = "SIGINT",
		.epoch_s = EPOCH,
	};
	struct mkv_oci_built *images[2];
	ok(mkv_oci_image_new("base", "1.0", &config, lowest_first, 1,
			     &images[0], &error));
	ok(mkv_oci_image_new("app", "1.0", &config, lowest_first, 2, &images[1],
			     &error));
	char path[4096];
	struct mkv_oci_layout *layout;
	(void)snprintf(path, sizeof(path), "%s/layout", argv[1]);
	ok(mkv_oci_layout_new(path, &layout, &error));
	ok(mkv_oci_layout_add(layout, images[0], &error));
	ok(mkv_oci_layout_add(layout, images[1], &error));
	ok(mkv_oci_layout_finish(layout, &error));
	print_image(images[0]);
	print_image(images[1]);
	if (geteuid() == 0) {
		struct mkv_tree *root;
		const struct mkv_oci_built *const both[] = {images[0],
							    images[1]};
		(void)snprintf(path, sizeof(path), "%s/root", argv[1]);
		ok(mkv_tree_new(EPOCH, &root, &error));
		ok(mkv_docker_root_put(root, both, 2, &error));
		ok(mkv_tree_walk(root, write_inode, path, &error));
		mkv_tree_free(root);
	}
	for (int i = 0; i < 2; i++)
		mkv_oci_built_free(images[i]);
	for (int i = 0; i < 2; i++)
		mkv_oci_layer_free(layers[i]);
	for (int i = 0; i < 2; i++)
		mkv_tree_free(trees[i]);
	mkv_oci_layout_free(layout);
	return fflush(stdout) == 0 ? 0 : 1;
}
