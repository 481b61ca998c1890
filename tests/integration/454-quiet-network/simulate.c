/* SPDX-License-Identifier: MIT */
/* Simulates a network that is quieter than any test machine: loaded into
 * chronyd and mkvbench-verify (LD_PRELOAD), it gives two machines separate
 * clocks, and the path between them a delay and a jitter that the test sets.
 * Packets and daemons are real; CLOCK_REALTIME, adjtimex(2) and the kernel's
 * timestamps of NTP packets are simulated.
 *
 * SIMULATED_STATE is a file of one page or more that the processes of a pair
 * share, zeros at first; SIMULATED_MACHINE is 0 for the server, 1 for the
 * client. The file begins with two numbers of 64 bits that the test sets:
 *
 *     JITTER    mean of the exponential part of each way's delay, in ns
 *     OFFSET    added to the server's clock, in ns
 *
 * A receiver really waits for a packet's delay, so that no answer precedes its
 * request. True time is CLOCK_MONOTONIC_RAW, which no daemon steers. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <math.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

enum { NTP_SIZE = 48, SENT = 64, BASE_DELAY_NS = 10000, TICK = 10000 };
static const int64_t second_ns = 1000000000;
/* Initial errors of the client's crystal and clock. */
static const double crystal_ppm = 12.5;
static const int64_t wrong_at_first_ns = 3000000;

struct machine {
	bool ready;
	int64_t true_ns, clock_ns; /* the clock's reading at a true time */
	struct timex kernel;	   /* as the daemon set it */
};

/* When a packet was sent, identified by its unique transmit timestamp. */
struct sent {
	uint64_t id;
	int64_t true_ns;
};

struct state {
	_Atomic int64_t jitter_ns, offset_ns;
	atomic_flag busy;
	struct machine machines[2];
	struct sent sent[SENT];
	unsigned n_sent;
	uint64_t seed;
};

static struct state *state;
static int self;
static int64_t last_sent_ns;

static void *next(const char *name)
{
	void *found = dlsym(RTLD_NEXT, name);
	if (!found)
		abort();
	return found;
}

static int64_t to_ns(const struct timespec *at)
{
	return (int64_t)at->tv_sec * second_ns + at->tv_nsec;
}

static struct timespec from_ns(int64_t ns)
{
	return (struct timespec){ns / second_ns, ns % second_ns};
}

static int64_t real_ns(clockid_t id)
{
	static int (*real)(clockid_t, struct timespec *);
	struct timespec now;
	if (!real)
		real = next("clock_gettime");
	real(id, &now);
	return to_ns(&now);
}

static int64_t true_ns(void)
{
	return real_ns(CLOCK_MONOTONIC_RAW);
}

static void lock(void)
{
	while (atomic_flag_test_and_set(&state->busy))
		sched_yield();
}

static void unlock(void)
{
	atomic_flag_clear(&state->busy);
}

static void start_machine(struct machine *m)
{
	m->ready = true;
	m->true_ns = true_ns();
	m->clock_ns = real_ns(CLOCK_REALTIME) + (self ? wrong_at_first_ns : 0);
	m->kernel = (struct timex){.status = STA_UNSYNC,
				   .tick = TICK,
				   .esterror = 16000000,
				   .maxerror = 16000000};
}

__attribute__((constructor)) static void start(void)
{
	const char *path = getenv("SIMULATED_STATE");
	const char *machine = getenv("SIMULATED_MACHINE");
	int fd = path && machine ? open(path, O_RDWR | O_CLOEXEC) : -1;
	if (fd < 0)
		abort();
	self = *machine == '1';
	state = mmap(NULL, sizeof(*state), PROT_READ | PROT_WRITE, MAP_SHARED,
		     fd, 0);
	close(fd);
	if (state == MAP_FAILED)
		abort();
	lock();
	if (!state->machines[self].ready)
		start_machine(&state->machines[self]);
	unlock();
}

/* This machine's clock at a true time; the state is locked. */
static int64_t clock_at(int64_t at)
{
	const struct machine *m = &state->machines[self];
	double rate = (1 + (double)m->kernel.freq / 65536e6) *
		      (double)m->kernel.tick / TICK *
		      (1 + (self ? crystal_ppm : 0) * 1e-6);
	double gone = (double)(at - m->true_ns) * rate;
	return m->clock_ns + (int64_t)llround(gone) +
	       (self ? 0 : state->offset_ns);
}

static int64_t clock_now(void)
{
	lock();
	int64_t now = clock_at(true_ns());
	unlock();
	return now;
}

int clock_gettime(clockid_t id, struct timespec *ret)
{
	*ret = from_ns(id == CLOCK_REALTIME ? clock_now() : real_ns(id));
	return 0;
}

/* The clock reads `clock_ns` from now on; the state is locked. */
static void set_clock(int64_t at, int64_t clock_ns)
{
	struct machine *m = &state->machines[self];
	m->true_ns = at;
	m->clock_ns = clock_ns - (self ? 0 : state->offset_ns);
}

int settimeofday(const struct timeval *to, const struct timezone *zone)
{
	(void)zone;
	lock();
	set_clock(true_ns(), (int64_t)to->tv_sec * second_ns +
				     (int64_t)to->tv_usec * 1000);
	unlock();
	return 0;
}

/* Without ADJ_SETOFFSET: chronyd then steps by settimeofday(2). */
int adjtimex(struct timex *t)
{
	lock();
	struct timex *k = &state->machines[self].kernel;
	int64_t at = true_ns();
	set_clock(at, clock_at(at));
	if (t->modes & ADJ_FREQUENCY)
		k->freq = t->freq;
	if (t->modes & ADJ_TICK)
		k->tick = t->tick;
	if (t->modes & ADJ_STATUS)
		k->status = t->status;
	if (t->modes & ADJ_ESTERROR)
		k->esterror = t->esterror;
	if (t->modes & ADJ_MAXERROR)
		k->maxerror = t->maxerror;
	unsigned modes = t->modes;
	*t = *k;
	t->modes = modes;
	t->precision = 1;
	t->tolerance = 32768000;
	unlock();
	return t->status & STA_UNSYNC ? TIME_ERROR : TIME_OK;
}

static uint64_t packet_id(const uint8_t *end)
{
	uint64_t id;
	memcpy(&id, end - sizeof(id), sizeof(id));
	return id;
}

static void leaves(const struct iovec *part)
{
	if (part->iov_len != NTP_SIZE)
		return;
	const uint8_t *packet = part->iov_base;
	lock();
	last_sent_ns = true_ns();
	state->sent[state->n_sent++ % SENT] =
		(struct sent){packet_id(packet + NTP_SIZE), last_sent_ns};
	unlock();
}

ssize_t send(int fd, const void *bytes, size_t size, int flags)
{
	static ssize_t (*real)(int, const void *, size_t, int);
	if (!real)
		real = next("send");
	leaves(&(struct iovec){(void *)bytes, size});
	return real(fd, bytes, size, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	static ssize_t (*real)(int, const struct msghdr *, int);
	if (!real)
		real = next("sendmsg");
	if (message->msg_iovlen == 1)
		leaves(message->msg_iov);
	return real(fd, message, flags);
}

/* Exponentially distributed; the state is locked. */
static int64_t delay_ns(void)
{
	state->seed = state->seed * UINT64_C(6364136223846793005) +
		      UINT64_C(1442695040888963407);
	double u = ((double)(state->seed >> 11) + 0.5) / 9007199254740992.0;
	return BASE_DELAY_NS + (int64_t)(-log(u) * (double)state->jitter_ns);
}

/* Returns when a received packet was sent; 0: unknown. The state is locked. A
 * copy of a sent packet begins with its headers. */
static int64_t left_at(const uint8_t *bytes, size_t size)
{
	uint64_t id = size >= NTP_SIZE ? packet_id(bytes + size) : 0;
	for (unsigned i = 1; id && i <= SENT; i++) {
		const struct sent *s = &state->sent[(state->n_sent - i) % SENT];
		if (s->id == id)
			return s->true_ns;
	}
	return 0;
}

static void stamp(struct msghdr *message, int64_t clock_ns)
{
	struct scm_timestamping taken = {.ts = {from_ns(clock_ns)}};
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c;
	     c = CMSG_NXTHDR(message, c))
		if (c->cmsg_level == SOL_SOCKET &&
		    c->cmsg_type == SCM_TIMESTAMPING)
			memcpy(CMSG_DATA(c), &taken, sizeof(taken));
}

static void arrives(struct msghdr *message, size_t size, int flags)
{
	const struct iovec *part = message->msg_iov;
	if (message->msg_iovlen != 1 || size > part->iov_len)
		return;
	lock();
	int64_t at = left_at(part->iov_base, size);
	if (flags & MSG_ERRQUEUE)
		at = at ? at : last_sent_ns;
	else if (at && size == NTP_SIZE)
		at += delay_ns();
	else
		at = true_ns();
	unlock();
	while (true_ns() < at)
		;
	lock();
	int64_t clock_ns = clock_at(at);
	unlock();
	stamp(message, clock_ns);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	static ssize_t (*real)(int, struct msghdr *, int);
	if (!real)
		real = next("recvmsg");
	ssize_t got = real(fd, message, flags);
	if (got >= 0)
		arrives(message, (size_t)got, flags);
	return got;
}

int recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags,
	     struct timespec *timeout)
{
	static int (*real)(int, struct mmsghdr *, unsigned, int,
			   struct timespec *);
	if (!real)
		real = next("recvmmsg");
	int got = real(fd, messages, count, flags, timeout);
	for (int i = 0; i < got; i++)
		arrives(&messages[i].msg_hdr, messages[i].msg_len, flags);
	return got;
}
