/* SPDX-License-Identifier: MIT */
#include "builder/format/disk/qcow2.h"

#include <endian.h>
#include <fcntl.h>
#include <string.h>

#include "lib/io.h"

/* QEMU documentation, interop/qcow2, "Header", "Cluster mapping", "Host cluster
 * management". The file's order: header, refcount table, refcount blocks, L1
 * table, L2 tables, data. */
enum {
	CLUSTER_BITS = 16,
	CLUSTER = 1 << CLUSTER_BITS,
	PER_L2 = CLUSTER / 8,	      /* entries of an L2 table */
	PER_BLOCK = CLUSTER * 8 / 16, /* refcounts of 16 bits in a block */
};
static const uint64_t COPIED = (uint64_t)1 << 63; /* its refcount is 1 */

struct header {
	uint32_t magic, version;
	uint64_t backing_file_offset;
	uint32_t backing_file_size, cluster_bits;
	uint64_t size;
	uint32_t crypt_method, l1_size;
	uint64_t l1_table_offset, refcount_table_offset;
	uint32_t refcount_table_clusters, nb_snapshots;
	uint64_t snapshots_offset;
	uint64_t incompatible_features, compatible_features, autoclear_features;
	uint32_t refcount_order, header_length;
};
_Static_assert(sizeof(struct header) == 104, "size of a version 3 header");

/* Positions and sizes in clusters, except l1_entries. */
struct layout {
	uint64_t n_guest;
	uint8_t *used; /* a byte for each of the guest's clusters */
	uint64_t n_used, n_l2;
	uint64_t refcount_table, n_refcount_table, blocks, n_blocks;
	uint64_t l1, n_l1, l1_entries, l2, data, end;
};

static void layout_done(struct layout *layout)
{
	free(layout->used);
}

static bool is_zero(const char *data, size_t size)
{
	return size == 0 ||
	       (data[0] == 0 && memcmp(data, data + 1, size - 1) == 0);
}

/* Marks the clusters of one data range that are not all zeros. */
static int scan_range(int fd, uint64_t from, uint64_t to, uint64_t size,
		      char *cluster, struct layout *layout,
		      struct mkv_error *err)
{
	for (uint64_t i = from / CLUSTER; i * CLUSTER < to; i++) {
		uint64_t left = size - i * CLUSTER;
		size_t part = left < CLUSTER ? (size_t)left : CLUSTER;
		if (layout->used[i])
			continue;
		int rc = mkv_pread_all(fd, cluster, part, i * CLUSTER, err);
		if (rc < 0)
			return rc;
		layout->used[i] = !is_zero(cluster, part);
	}
	return 0;
}

/* The next data range at or behind `at`, up to `end`; everything where the file
 * system does not support holes. False: only a hole is left. */
static bool next_data(int fd, uint64_t at, uint64_t end, uint64_t *from,
		      uint64_t *to)
{
	off_t data = at < end ? lseek(fd, (off_t)at, SEEK_DATA) : -1;
	if (at >= end || (data < 0 && errno == ENXIO))
		return false;
	off_t hole = data < 0 ? -1 : lseek(fd, data, SEEK_HOLE);
	*from = data < 0 ? at : (uint64_t)data;
	*to = hole < 0 || (uint64_t)hole > end ? end : (uint64_t)hole;
	return *from < end;
}

/* Holes only save reading: clusters of zeros are found by their bytes. */
static int mark_used(int fd, uint64_t size, struct layout *layout,
		     struct mkv_error *err)
{
	auto_free char *cluster = malloc(CLUSTER);
	if (!cluster)
		return mkv_oom(err);
	for (uint64_t at = 0, from; next_data(fd, at, size, &from, &at);) {
		int rc = scan_range(fd, from, at, size, cluster, layout, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static uint64_t divide_up(uint64_t a, uint64_t b)
{
	return a / b + (a % b != 0);
}

static void count_used(struct layout *layout)
{
	for (uint64_t i = 0; i < layout->n_guest; i += PER_L2) {
		bool any = false;
		for (uint64_t j = i; j < i + PER_L2 && j < layout->n_guest;
		     j++) {
			any |= layout->used[j];
			layout->n_used += layout->used[j];
		}
		layout->n_l2 += any;
	}
}

/* Refcount blocks and table have refcounts themselves: repeats until their
 * number is stable. */
static void assign_positions(struct layout *layout)
{
	layout->l1_entries = divide_up(layout->n_guest, PER_L2);
	layout->n_l1 = divide_up(layout->l1_entries * 8, CLUSTER);
	uint64_t rest = 1 + layout->n_l1 + layout->n_l2 + layout->n_used;
	layout->n_blocks = layout->n_refcount_table = 1;
	for (;;) {
		uint64_t total =
			rest + layout->n_blocks + layout->n_refcount_table;
		uint64_t blocks = divide_up(total, PER_BLOCK);
		uint64_t table = divide_up(blocks * 8, CLUSTER);
		if (blocks == layout->n_blocks &&
		    table == layout->n_refcount_table)
			break;
		layout->n_blocks = blocks;
		layout->n_refcount_table = table;
	}
	layout->refcount_table = 1;
	layout->blocks = layout->refcount_table + layout->n_refcount_table;
	layout->l1 = layout->blocks + layout->n_blocks;
	layout->l2 = layout->l1 + layout->n_l1;
	layout->data = layout->l2 + layout->n_l2;
	layout->end = layout->data + layout->n_used;
}

static int write_header(int fd, uint64_t size, const struct layout *layout,
			struct mkv_error *err)
{
	struct header header = {
		.magic = htobe32(0x514649fb), /* "QFI\xfb" */
		.version = htobe32(3),
		.cluster_bits = htobe32(CLUSTER_BITS),
		.size = htobe64(size),
		.l1_size = htobe32((uint32_t)layout->l1_entries),
		.l1_table_offset = htobe64(layout->l1 * CLUSTER),
		.refcount_table_offset =
			htobe64(layout->refcount_table * CLUSTER),
		.refcount_table_clusters =
			htobe32((uint32_t)layout->n_refcount_table),
		.refcount_order = htobe32(4),
		.header_length = htobe32(sizeof(header)),
	};
	return mkv_pwrite_all(fd, &header, sizeof(header), 0, err);
}

static int write_refcounts(int fd, const struct layout *layout,
			   struct mkv_error *err)
{
	auto_free uint64_t *table = calloc(layout->n_blocks, sizeof(*table));
	auto_free uint16_t *block = calloc(PER_BLOCK, sizeof(*block));
	if (!table || !block)
		return mkv_oom(err);
	for (uint64_t i = 0; i < layout->n_blocks; i++) {
		table[i] = htobe64((layout->blocks + i) * CLUSTER);
		for (uint64_t j = 0; j < PER_BLOCK; j++)
			block[j] = i * PER_BLOCK + j < layout->end ? htobe16(1)
								   : 0;
		int rc = mkv_pwrite_all(fd, block, CLUSTER,
					(layout->blocks + i) * CLUSTER, err);
		if (rc < 0)
			return rc;
	}
	return mkv_pwrite_all(fd, table, layout->n_blocks * 8,
			      layout->refcount_table * CLUSTER, err);
}

static int write_maps(int fd, const struct layout *layout,
		      struct mkv_error *err)
{
	auto_free uint64_t *l1 = calloc(layout->l1_entries + 1, sizeof(*l1));
	auto_free uint64_t *l2 = calloc(PER_L2, sizeof(*l2));
	if (!l1 || !l2)
		return mkv_oom(err);
	uint64_t next_l2 = layout->l2, next_data = layout->data;
	for (uint64_t i = 0; i < layout->l1_entries; i++) {
		bool any = false;
		for (uint64_t j = 0; j < PER_L2; j++) {
			uint64_t k = i * PER_L2 + j;
			bool used = k < layout->n_guest && layout->used[k];
			l2[j] = used ? htobe64(next_data++ * CLUSTER | COPIED)
				     : 0;
			any |= used;
		}
		if (!any)
			continue;
		l1[i] = htobe64(next_l2 * CLUSTER | COPIED);
		int rc = mkv_pwrite_all(fd, l2, CLUSTER, next_l2++ * CLUSTER,
					err);
		if (rc < 0)
			return rc;
	}
	return mkv_pwrite_all(fd, l1, layout->l1_entries * 8,
			      layout->l1 * CLUSTER, err);
}

/* Copies each run of adjacent clusters at once. */
static int write_data(int raw_fd, uint64_t size, int fd,
		      const struct layout *layout, struct mkv_error *err)
{
	uint64_t next = layout->data;
	for (uint64_t i = 0; i < layout->n_guest;) {
		uint64_t end = i;
		while (end < layout->n_guest && layout->used[end])
			end++;
		if (end == i) {
			i++;
			continue;
		}
		uint64_t at = i * CLUSTER, from;
		uint64_t stop = end * CLUSTER < size ? end * CLUSTER : size;
		while (next_data(raw_fd, at, stop, &from, &at)) {
			int rc = mkv_copy_range(raw_fd, from, fd,
						next * CLUSTER + from -
							i * CLUSTER,
						at - from, err);
			if (rc < 0)
				return rc;
		}
		next += end - i;
		i = end;
	}
	return 0;
}

static int write_image(int raw_fd, uint64_t size, int fd,
		       const struct layout *layout, struct mkv_error *err)
{
	int rc = write_header(fd, size, layout, err);
	if (rc < 0)
		return rc;
	rc = write_refcounts(fd, layout, err);
	if (rc < 0)
		return rc;
	rc = write_maps(fd, layout, err);
	return rc < 0 ? rc : write_data(raw_fd, size, fd, layout, err);
}

int mkv_qcow2_write(int raw_fd, uint64_t size_bytes, int out_fd,
		    struct mkv_error *err)
{
	if (size_bytes % 512 || size_bytes > (uint64_t)1 << 44)
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"qcow2: unsupported disk size of %llu bytes",
				(unsigned long long)size_bytes);
	__attribute__((cleanup(layout_done))) struct layout layout = {
		.n_guest = divide_up(size_bytes, CLUSTER)};
	layout.used = calloc(layout.n_guest + 1, 1);
	if (!layout.used)
		return mkv_oom(err);
	int rc = mark_used(raw_fd, size_bytes, &layout, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "qcow2: raw image");
	count_used(&layout);
	assign_positions(&layout);
	/* The file ends with a whole cluster even if the disk ends inside of
	 * it. */
	if (ftruncate(out_fd, (off_t)(layout.end * CLUSTER)) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "qcow2: truncate: %m");
	rc = write_image(raw_fd, size_bytes, out_fd, &layout, err);
	return rc < 0 ? mkv_wrap(err, rc, "qcow2") : 0;
}
