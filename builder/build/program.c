/* SPDX-License-Identifier: MIT */
#include "builder/build/program.h"

#include <fcntl.h>
#include <string.h>

#include "builder/core/paths/paths.h"

int mkv_program_content(const char *program, struct mkv_content **ret,
			struct mkv_error *err)
{
	auto_free char *place = NULL;
	int rc = mkv_paths_program(program, &place, err);
	if (rc < 0)
		return rc;
	auto_fd int fd = open(place, O_RDONLY | O_CLOEXEC);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "open '%s': %m", place);
	if (!S_ISREG(st.st_mode))
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"'%s' is not a regular file", place);
	auto_source struct mkv_source *source = NULL;
	rc = mkv_source_new(mkv_take_fd(&fd), &source, err);
	if (rc < 0)
		return rc;
	*ret = mkv_content_range(source, 0, (uint64_t)st.st_size, NULL);
	return *ret ? 0 : mkv_oom(err);
}

int mkv_program_put(struct mkv_tree *tree, struct mkv_content *content,
		    const char *path, int64_t epoch_s, struct mkv_error *err)
{
	auto_content struct mkv_content *mine = mkv_content_ref(content);
	auto_inode struct mkv_inode *inode =
		mkv_inode_file(0755, 0, 0, epoch_s, mine);
	if (!inode)
		return mkv_oom(err);
	mine = NULL; /* owned by the inode now */
	const char *slash = strrchr(path, '/');
	auto_free char *parent =
		slash ? strndup(path, (size_t)(slash - path)) : NULL;
	if (!parent)
		return mkv_oom(err);
	int rc = mkv_tree_make_dirs(tree, parent, err);
	return rc < 0 ? rc : mkv_tree_put(tree, path, inode, err);
}
