/* SPDX-License-Identifier: MIT */
#include "builder/format/ext4/ext4_internal.h"

#include <inttypes.h>
#include <string.h>

#include "lib/io.h"

/* libext2fs writes inodes one by one, sixteen in a block: the last block is
 * buffered until another block is accessed. */
struct channel {
	int fd;
	uint64_t offset;
	bool pending;
	unsigned long long block;
	char data[EXT4_BLOCK];
};

static struct channel *channel_of(io_channel io)
{
	return io->private_data;
}

static errcode_t write_pending(io_channel io)
{
	struct channel *channel = channel_of(io);
	struct mkv_error err;
	if (!channel->pending)
		return 0;
	channel->pending = false;
	int rc = mkv_pwrite_all(channel->fd, channel->data, EXT4_BLOCK,
				channel->offset + channel->block * EXT4_BLOCK,
				&err);
	return rc < 0 ? err.code : 0;
}

static errcode_t channel_open(const char *name, int flags, io_channel *ret)
{
	(void)flags;
	auto_free struct channel *channel = calloc(1, sizeof(*channel));
	io_channel io = calloc(1, sizeof(*io));
	auto_free char *own_name = strdup(name);
	if (!channel || !io || !own_name ||
	    sscanf(name, "%d:%" SCNu64, &channel->fd, &channel->offset) != 2) {
		free(io);
		return EXT2_ET_NO_MEMORY;
	}
	io->magic = EXT2_ET_MAGIC_IO_CHANNEL;
	io->manager = &ext4_io_manager;
	io->name = mkv_take(own_name);
	io->block_size = 1024;
	io->refcount = 1;
	io->private_data = mkv_take(channel);
	*ret = io;
	return 0;
}

static errcode_t channel_close(io_channel io)
{
	if (--io->refcount > 0)
		return 0;
	errcode_t code = write_pending(io);
	free(io->private_data);
	free(io->name);
	free(io);
	return code;
}

static errcode_t channel_set_blksize(io_channel io, int size)
{
	errcode_t code = write_pending(io);
	io->block_size = size;
	return code;
}

/* libext2fs passes a number of bytes as a negative count. */
static size_t bytes_of(io_channel io, int count)
{
	return count < 0 ? (size_t)-count
			 : (size_t)count * (size_t)io->block_size;
}

static uint64_t place_of(io_channel io, unsigned long long block)
{
	return channel_of(io)->offset + block * (unsigned)io->block_size;
}

static bool is_pending(io_channel io, unsigned long long block, int count)
{
	const struct channel *channel = channel_of(io);
	return channel->pending && count == 1 && block == channel->block &&
	       io->block_size == EXT4_BLOCK;
}

static errcode_t channel_read(io_channel io, unsigned long long block,
			      int count, void *data)
{
	struct mkv_error err;
	if (is_pending(io, block, count)) {
		memcpy(data, channel_of(io)->data, EXT4_BLOCK);
		return 0;
	}
	errcode_t code = write_pending(io);
	if (code)
		return code;
	int rc = mkv_pread_all(channel_of(io)->fd, data, bytes_of(io, count),
			       place_of(io, block), &err);
	return rc < 0 ? err.code : 0;
}

static errcode_t channel_write(io_channel io, unsigned long long block,
			       int count, const void *data)
{
	struct channel *channel = channel_of(io);
	struct mkv_error err;
	if (!is_pending(io, block, count)) {
		errcode_t code = write_pending(io);
		if (code)
			return code;
	}
	if (count == 1 && io->block_size == EXT4_BLOCK) {
		memcpy(channel->data, data, EXT4_BLOCK);
		channel->block = block;
		channel->pending = true;
		return 0;
	}
	int rc = mkv_pwrite_all(channel->fd, data, bytes_of(io, count),
				place_of(io, block), &err);
	return rc < 0 ? err.code : 0;
}

static errcode_t channel_read32(io_channel io, unsigned long block, int count,
				void *data)
{
	return channel_read(io, block, count, data);
}

static errcode_t channel_write32(io_channel io, unsigned long block, int count,
				 const void *data)
{
	return channel_write(io, block, count, data);
}

static errcode_t channel_write_byte(io_channel io, unsigned long at, int count,
				    const void *data)
{
	struct mkv_error err;
	errcode_t code = write_pending(io);
	if (code)
		return code;
	int rc = mkv_pwrite_all(channel_of(io)->fd, data, (size_t)count,
				channel_of(io)->offset + at, &err);
	return rc < 0 ? err.code : 0;
}

/* Unwritten parts of the file are zeros already. */
static errcode_t channel_zeroout(io_channel io, unsigned long long block,
				 unsigned long long count)
{
	(void)block, (void)count;
	return write_pending(io);
}

struct struct_io_manager ext4_io_manager = {
	.magic = EXT2_ET_MAGIC_IO_MANAGER,
	.name = "mkvbench",
	.open = channel_open,
	.close = channel_close,
	.set_blksize = channel_set_blksize,
	.read_blk = channel_read32,
	.write_blk = channel_write32,
	.flush = write_pending,
	.write_byte = channel_write_byte,
	.read_blk64 = channel_read,
	.write_blk64 = channel_write,
	.zeroout = channel_zeroout,
};
