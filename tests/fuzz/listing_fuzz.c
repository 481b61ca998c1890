/* SPDX-License-Identifier: MIT */
/* The parser of lists of files. An accepted list is canonical: the writer,
 * given the parsed entries, writes the same bytes. */
#include "builder/core/tree/listing.h"
#include "lib/listing.h"

static const char *const fuzz_seeds[] = {"tests/fuzz/listing/*.list", NULL};
static const char *const fuzz_words[] = {
	"\n",	     " ",	   "/",
	"%",	     "%20",	   "%25",
	"-",	     "=",	   "d 0755 0 0 - 1 - ",
	"h ",	     "l ",	   "c 0600 0 0 1:2 3 - ",
	"user.x=00", "4294967296", "18446744073709551616",
	"..",	     "/a",	   NULL};

#include "tests/fuzz/driver.h"

struct mirror {
	struct mkv_tree *tree;
	struct mkv_source *source; /* contents are known by digest alone */
	bool is_odd; /* a hard link contradicts its first name, or no tree */
};

static mode_t mode_of(char type)
{
	switch (type) {
	case 'd':
		return S_IFDIR;
	case 'f':
		return S_IFREG;
	case 'l':
		return S_IFLNK;
	case 'c':
		return S_IFCHR;
	case 'b':
		return S_IFBLK;
	default:
		return S_IFIFO;
	}
}

static void add_name(struct mirror *mirror,
		     const struct mkv_listing_entry *entry)
{
	struct mkv_error err;
	struct mkv_inode *inode = mkv_tree_lookup(mirror->tree, entry->target);
	struct mkv_sha256 sha;
	if (!inode || inode->children || (inode->mode & 07777) != entry->mode ||
	    inode->uid != entry->uid || inode->gid != entry->gid ||
	    inode->mtime_s != entry->mtime_s ||
	    entry->has_size != (inode->content != NULL) ||
	    entry->has_device !=
		    (S_ISCHR(inode->mode) || S_ISBLK(inode->mode)) ||
	    inode->major != entry->major || inode->minor != entry->minor ||
	    (inode->content &&
	     (mkv_content_size(inode->content) != entry->size_bytes ||
	      mkv_content_sha256(inode->content, &sha, &err) < 0 ||
	      !mkv_sha256_equal(&sha, &entry->sha256))) ||
	    mkv_tree_put(mirror->tree, entry->path, inode, &err) < 0)
		mirror->is_odd = true;
}

static int add_entry(const struct mkv_listing_entry *entry, void *context,
		     struct mkv_error *err)
{
	struct mirror *mirror = context;
	if (entry->type == 'h') {
		add_name(mirror, entry);
		/* The writer refers to the first of all names. */
		const struct mkv_inode *inode =
			mkv_tree_lookup(mirror->tree, entry->target);
		mirror->is_odd |=
			!inode || inode->mark != strlen(entry->target);
		return 0;
	}
	auto_inode struct mkv_inode *inode =
		mkv_inode_new(mode_of(entry->type) | entry->mode, entry->uid,
			      entry->gid, entry->mtime_s);
	inode->major = entry->major;
	inode->minor = entry->minor;
	inode->mark = strlen(entry->path);
	if (entry->type == 'l')
		inode->target = strdup(entry->target);
	if (entry->type == 'f')
		inode->content = mkv_content_range(
			mirror->source, 0, entry->size_bytes, &entry->sha256);
	for (size_t i = 0; i < entry->n_xattrs; i++)
		if (mkv_inode_set_xattr(inode, entry->xattrs[i].name,
					entry->xattrs[i].value,
					entry->xattrs[i].size, err) < 0)
			abort();
	if (entry->path[1])
		return mkv_tree_put(mirror->tree, entry->path, inode, err);
	struct mkv_inode *root = mkv_tree_root(mirror->tree);
	root->mode = inode->mode;
	root->uid = inode->uid;
	root->gid = inode->gid;
	root->mtime_s = inode->mtime_s;
	for (size_t i = 0; i < inode->n_xattrs; i++)
		if (mkv_inode_set_xattr(root, inode->xattrs[i].name,
					inode->xattrs[i].value,
					inode->xattrs[i].size, err) < 0)
			abort();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mkv_error err;
	struct mirror mirror = {0};
	if (mkv_tree_new(0, &mirror.tree, &err) < 0 ||
	    mkv_source_new(open("/dev/null", O_RDONLY | O_CLOEXEC),
			   &mirror.source, &err) < 0)
		abort();
	int rc = mkv_listing_parse((const char *)data, size, add_entry, &mirror,
				   &err);
	if (rc == 0 && !mirror.is_odd) {
		auto_buf struct mkv_buf again = {0};
		if (mkv_listing_write(mirror.tree, NULL, &again, &err) < 0 ||
		    again.size != size || memcmp(again.data, data, size) != 0)
			abort();
	}
	mkv_tree_free(mirror.tree);
	mkv_source_unref(mirror.source);
	return 0;
}
