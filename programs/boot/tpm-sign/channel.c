/* SPDX-License-Identifier: MIT */
#include "programs/boot/tpm-sign/channel.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

#include "lib/clock.h"

enum { HEADER_SIZE = 10 }; /* tag, size, code: Part 1, 18.2 */

static bool wait_for(struct channel *channel, short what)
{
	for (;;) {
		int64_t left = channel->deadline_ms - mkv_monotonic_ms();
		struct pollfd polled = {.fd = channel->fd, .events = what};
		int got = left > 0 ? poll(&polled, 1, (int)left) : 0;
		if (got > 0)
			return true;
		if (got == 0)
			channel->timed_out = true;
		if (got == 0 || errno != EINTR)
			return false;
	}
}

static TSS2_RC transmit_command(TSS2_TCTI_CONTEXT *context, size_t size,
				const uint8_t *command)
{
	struct channel *channel = (struct channel *)context;
	channel->size = 0;
	/* A device accepts a command completely or not at all. */
	while (size) {
		if (!wait_for(channel, POLLOUT))
			return TSS2_TCTI_RC_IO_ERROR;
		ssize_t put = write(channel->fd, command, size);
		if (put < 0 && errno != EINTR && errno != EAGAIN)
			return TSS2_TCTI_RC_IO_ERROR;
		command += put > 0 ? put : 0;
		size -= put > 0 ? (size_t)put : 0;
	}
	return TSS2_RC_SUCCESS;
}

static size_t announced_size(const struct channel *channel)
{
	const uint8_t *r = channel->response;
	return (size_t)r[2] << 24 | (size_t)r[3] << 16 | (size_t)r[4] << 8 |
	       r[5];
}

/* Reads one response: a device returns it completely, a socket may not. */
static bool read_response(struct channel *channel)
{
	size_t used = 0, expected = HEADER_SIZE;
	while (used < expected) {
		if (!wait_for(channel, POLLIN))
			return false;
		ssize_t got = read(channel->fd, channel->response + used,
				   sizeof(channel->response) - used);
		if (got < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (got <= 0)
			return false;
		used += (size_t)got;
		if (used >= HEADER_SIZE)
			expected = announced_size(channel);
		if (expected < HEADER_SIZE ||
		    expected > sizeof(channel->response))
			return false;
	}
	channel->size = used;
	return used == expected;
}

static TSS2_RC receive_response(TSS2_TCTI_CONTEXT *context, size_t *size,
				uint8_t *response, int32_t timeout)
{
	struct channel *channel = (struct channel *)context;
	(void)timeout; /* the channel has its own deadline */
	if (channel->size == 0 && !read_response(channel))
		return TSS2_TCTI_RC_IO_ERROR;
	size_t capacity = *size;
	*size = channel->size;
	if (!response)
		return TSS2_RC_SUCCESS;
	if (capacity < channel->size)
		return TSS2_TCTI_RC_INSUFFICIENT_BUFFER;
	memcpy(response, channel->response, channel->size);
	channel->size = 0;
	return TSS2_RC_SUCCESS;
}

static int open_socket(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	auto_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(address.sun_path, path);
	if (fd < 0 ||
	    connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		return -1;
	return mkv_take_fd(&fd);
}

int channel_open(const char *path, unsigned seconds, struct channel *ret,
		 struct mkv_error *err)
{
	struct stat status;
	if (stat(path, &status) < 0)
		return mkv_fail(err, MKV_HOST_CANNOT, errno,
				"there is no TPM 2.0 (%s: %m)", path);
	/* With O_NONBLOCK, Linux executes the command asynchronously and poll()
	 * reports when the response is available. */
	int fd = S_ISSOCK(status.st_mode)
			 ? open_socket(path)
			 : open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return mkv_fail(err, MKV_HOST_CANNOT, errno,
				"open the TPM '%s': %m", path);
	*ret = (struct channel){
		.tcti = {.magic = 0x6d6b76627470736bULL,
			 .version = 1,
			 .transmit = transmit_command,
			 .receive = receive_response},
		.fd = fd,
		.deadline_ms = mkv_monotonic_ms() + (int64_t)seconds * 1000,
	};
	return 0;
}

void channel_close(struct channel *channel)
{
	mkv_auto_close_(&channel->fd);
	channel->fd = -1;
}
