#define _GNU_SOURCE
#include "media.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"

enum { KERNEL_GROUP = 1, MESSAGE_LIMIT = 4096, LINE_LIMIT = 400, QUEUE_LIMIT = 8, NAME_LIMIT = 16 };

struct medium {
	unsigned devid;
	char name[NAME_LIMIT];
};

static int events = -1;
static const struct dm_argv *drives;
static struct medium queue[QUEUE_LIMIT];
static size_t queued;
/* The first of the queue has been given to QEMU, whose answer has not come. */
static bool asked;
static bool negotiated;
static char line[LINE_LIMIT + 1];
static size_t line_length;

int media_watch(const struct dm_argv *argv) {
	struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = KERNEL_GROUP};
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
	if (fd < 0) return -1;
	if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0) {
		int failure = errno;
		close(fd);
		errno = failure;
		return -1;
	}
	events = fd;
	drives = argv;
	return 0;
}

int media_fd(void) {
	return events;
}

/* The message is a row of strings, each with its NUL: "add@…", then KEY=value (lib/kobject_uevent.c). */
static const char *value_of(const char *message, size_t length, const char *key) {
	for (const char *item = message; item < message + length; item += strlen(item) + 1) {
		const char *value = after_prefix(item, key);
		if (value) return value;
	}
	return "";
}

bool parse_new_disk(const char *message, size_t length, unsigned *devid, char *name, size_t name_size) {
	if (length == 0 || message[length - 1] != '\0') return false;
	if (strcmp(value_of(message, length, "ACTION="), "add") != 0) return false;
	if (strcmp(value_of(message, length, "SUBSYSTEM="), "block") != 0) return false;
	if (strcmp(value_of(message, length, "DEVTYPE="), "disk") != 0) return false;
	const char *number = after_prefix(value_of(message, length, "DEVPATH="), "/devices/vbd-");
	const char *device = value_of(message, length, "DEVNAME=");
	if (!number || strspn(number, "0123456789") - 1 > 9 || strlen(device) >= name_size) return false;
	if (strncmp(device, "xvd", 3) != 0 || strspn(device, "abcdefghijklmnopqrstuvwxyz") != strlen(device)) return false;
	char *rest;
	*devid = (unsigned)strtoul(number, &rest, 10);
	strcpy(name, device);
	return *rest == '/';
}

/* Only drives that QEMU has from its start can take a medium. */
static bool is_drive(unsigned devid) {
	char device[48];
	snprintf(device, sizeof device, "ide-cd,id=ide-%u,", devid);
	for (size_t i = 0; i < drives->count; i++)
		if (strncmp(drives->items[i], device, strlen(device)) == 0) return true;
	return false;
}

static bool send_text(int monitor, const char *text, const int *descriptor) {
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec bytes = {.iov_base = (void *)text, .iov_len = strlen(text)};
	struct msghdr message = {.msg_iov = &bytes, .msg_iovlen = 1};
	if (descriptor) {
		message.msg_control = &control;
		message.msg_controllen = sizeof control;
		struct cmsghdr *header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(header), descriptor, sizeof(int));
	}
	ssize_t sent = sendmsg(monitor, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (sent == (ssize_t)strlen(text)) return true;
	if (sent >= 0) errno = EMSGSIZE;
	return false;
}

/* Returns 0 when the descriptor is on its way to QEMU, or -1 with errno. */
static int give(int monitor, const struct medium *medium) {
	char path[NAME_LIMIT + 8], command[160];
	if (!negotiated && !send_text(monitor, "{\"execute\":\"qmp_capabilities\"}\n", NULL)) return -1;
	negotiated = true;
	snprintf(path, sizeof path, "/dev/%s", medium->name);
	/* QEMU takes a descriptor of a set only for the mode that it was opened with. */
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) return -1;
	snprintf(command, sizeof command,
	         "{\"execute\":\"add-fd\",\"arguments\":{\"opaque\":\"stub-devid:%u\"},\"id\":\"medium-%u\"}\n", medium->devid,
	         medium->devid);
	bool sent = send_text(monitor, command, &fd);
	int failure = errno;
	close(fd);
	errno = failure;
	return sent ? 0 : -1;
}

static void drop_first(void) {
	queued--;
	memmove(queue, queue + 1, queued * sizeof queue[0]);
}

/* One at a time: QEMU keeps only the descriptor that came last. */
static void give_next(int monitor) {
	while (queued > 0 && !asked) {
		if (monitor >= 0 && give(monitor, &queue[0]) == 0) {
			asked = true;
			return;
		}
		log_line("medium %s: cannot be given to the device model: %s", queue[0].name,
		         monitor < 0 ? "it has no monitor" : strerror(errno));
		drop_first();
	}
}

static void take_message(const char *message, size_t length) {
	struct medium medium;
	if (!parse_new_disk(message, length, &medium.devid, medium.name, sizeof medium.name)) return;
	if (!is_drive(medium.devid)) log_line("disk %s: device %u is no drive of the guest", medium.name, medium.devid);
	else if (queued == QUEUE_LIMIT) log_line("medium %s: too many at once", medium.name);
	else queue[queued++] = medium;
}

void media_take_events(int monitor) {
	for (;;) {
		char message[MESSAGE_LIMIT];
		struct sockaddr_nl sender = {0};
		struct iovec bytes = {.iov_base = message, .iov_len = sizeof message};
		struct msghdr header = {.msg_name = &sender, .msg_namelen = sizeof sender, .msg_iov = &bytes, .msg_iovlen = 1};
		ssize_t got = recvmsg(events, &header, MSG_DONTWAIT);
		if (got < 0 && errno == EINTR) continue;
		if (got < 0) {
			if (errno != EAGAIN) log_line("news of devices were lost: %s", strerror(errno));
			if (errno != ENOBUFS) break;
			continue;
		}
		/* Programs may send here too; the kernel's number is 0. */
		if (got > 0 && sender.nl_pid == 0 && !(header.msg_flags & MSG_TRUNC)) take_message(message, (size_t)got);
	}
	give_next(monitor);
}

static void take_line(int monitor) {
	char wanted[32], text[LINE_LIMIT + 1];
	line[line_length] = '\0';
	if (!asked) return;
	snprintf(wanted, sizeof wanted, "\"medium-%u\"", queue[0].devid);
	if (!strstr(line, wanted)) return;
	copy_printable(text, sizeof text, line, line_length);
	if (strstr(line, "\"fdset-id\"")) log_line("medium %s: given to the device model", queue[0].name);
	else log_line("medium %s: refused by the device model: %s", queue[0].name, text);
	asked = false;
	drop_first();
	give_next(monitor);
}

void media_take_answer(int monitor, const char *bytes, size_t length) {
	for (size_t i = 0; i < length; i++) {
		if (bytes[i] == '\n') {
			take_line(monitor);
			line_length = 0;
		} else if (line_length < LINE_LIMIT) line[line_length++] = bytes[i];
	}
}
