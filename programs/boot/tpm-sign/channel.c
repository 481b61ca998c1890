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

static TSS2_RC transmit(TSS2_TCTI_CONTEXT *context, size_t size,
			const uint8_t *command)
{
	struct channel *channel = (struct channel *)context;
	channel->size = 0;
	/* A device takes a command in one piece or not at all. */
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

static size_t size_said(const struct channel *channel)
{
	const uint8_t *r = channel->response;
	return (size_t)r[2] << 24 | (size_t)r[3] << 16 | (size_t)r[4] << 8 |
	       r[5];
}

/* A whole response: a device gives it in one piece, a socket may not. */
static bool read_response(struct channel *channel)
{
	size_t used = 0, wanted = HEADER_SIZE;
	while (used < wanted) {
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
			wanted = size_said(channel);
		if (wanted < HEADER_SIZE || wanted > sizeof(channel->response))
			return false;
	}
	channel->size = used;
	return used == wanted;
}

static TSS2_RC receive(TSS2_TCTI_CONTEXT *context, size_t *size,
		       uint8_t *response, int32_t timeout)
{
	struct channel *channel = (struct channel *)context;
	(void)timeout; /* the deadline is ours */
	if (channel->size == 0 && !read_response(channel))
		return TSS2_TCTI_RC_IO_ERROR;
	size_t room = *size;
	*size = channel->size;
	if (!response)
		return TSS2_RC_SUCCESS;
	if (room < channel->size)
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
	/* Not blocking: Linux then works on the command by itself and tells by
	 * poll() when there is an answer. */
	int fd = S_ISSOCK(status.st_mode)
			 ? open_socket(path)
			 : open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return mkv_fail(err, MKV_HOST_CANNOT, errno,
				"the TPM can't be opened (%s: %m)", path);
	*ret = (struct channel){
		.tcti = {.magic = 0x6d6b76627470736bULL,
			 .version = 1,
			 .transmit = transmit,
			 .receive = receive},
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
