/* Plays the kernel's news of devices and QEMU's side of the monitor against init's handing over of media. Prints one line
 * per fact; the test compares them. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/netlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "media.h"

static int kernel[2], monitor[2];
static unsigned sender_pid;
static bool disk_missing;

int __wrap_socket(int domain, int type, int protocol);
int __wrap_socket(int domain, int type, int protocol) {
	(void)type;
	return domain == AF_NETLINK && protocol == NETLINK_KOBJECT_UEVENT ? kernel[0] : -1;
}

int __wrap_bind(int fd, const struct sockaddr *address, socklen_t length);
int __wrap_bind(int fd, const struct sockaddr *address, socklen_t length) {
	(void)length;
	return fd == kernel[0] && ((const struct sockaddr_nl *)address)->nl_groups == 1 ? 0 : -1;
}

ssize_t __real_recvmsg(int fd, struct msghdr *message, int flags);
ssize_t __wrap_recvmsg(int fd, struct msghdr *message, int flags);
ssize_t __wrap_recvmsg(int fd, struct msghdr *message, int flags) {
	struct sockaddr_nl *sender = message->msg_name;
	message->msg_name = NULL;
	message->msg_namelen = 0;
	ssize_t got = __real_recvmsg(fd, message, flags);
	if (sender) sender->nl_pid = sender_pid;
	return got;
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...) {
	if (disk_missing || (flags & O_ACCMODE) != O_RDONLY) return -1;
	int ends[2];
	if (strncmp(path, "/dev/xvd", 8) != 0 || pipe(ends) != 0) return -1;
	if (write(ends[1], path, strlen(path)) < 0) return -1;
	close(ends[1]);
	return ends[0];
}

void log_line(const char *format, ...) {
	va_list arguments;
	va_start(arguments, format);
	printf("log: ");
	vprintf(format, arguments);
	printf("\n");
	va_end(arguments);
}

void copy_printable(char *target, size_t size, const char *text, size_t length) {
	snprintf(target, size, "%.*s", (int)length, text);
}

static void announce(const char *text) {
	char message[512];
	size_t length = strlen(text) + 1;
	memcpy(message, text, length);
	for (size_t i = 0; i < length; i++)
		if (message[i] == ' ') message[i] = '\0';
	if (send(kernel[1], message, length, 0) < 0) abort();
	media_take_events(monitor[0]);
}

static void announce_disk(const char *number, const char *name) {
	char text[256];
	snprintf(text, sizeof text,
	         "add@/devices/vbd-%s/block/%s ACTION=add DEVPATH=/devices/vbd-%s/block/%s SUBSYSTEM=block DEVNAME=%s DEVTYPE=disk",
	         number, name, number, name, name);
	announce(text);
}

/* What QEMU gets: the commands, and what is in the descriptor that came along. */
static void print_commands(void) {
	for (;;) {
		char text[512], control[CMSG_SPACE(sizeof(int))];
		struct iovec bytes = {.iov_base = text, .iov_len = sizeof text - 1};
		struct msghdr message = {
			.msg_iov = &bytes, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
		ssize_t got = __real_recvmsg(monitor[1], &message, MSG_DONTWAIT);
		if (got <= 0) return;
		text[got] = '\0';
		for (char *rest = text, *each = strsep(&rest, "\n"); each; each = strsep(&rest, "\n"))
			if (*each) printf("qemu: %s\n", each);
		struct cmsghdr *header = CMSG_FIRSTHDR(&message);
		if (!header) continue;
		int fd;
		memcpy(&fd, CMSG_DATA(header), sizeof fd);
		char path[32] = {0};
		if (read(fd, path, sizeof path - 1) < 0) abort();
		printf("qemu has %s\n", path);
		close(fd);
	}
}

static void answer(const char *text) {
	media_take_answer(monitor[0], text, strlen(text));
}

int main(void) {
	static struct dm_argv argv = {
		.items = {"-device", "ide-cd,id=ide-5632,drive=ide-5632,bus=ide.1,unit=0", "-device",
	              "ide-cd,id=ide-832,drive=ide-832,bus=ide.0,unit=1"},
		.count = 4};
	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, kernel) || socketpair(AF_UNIX, SOCK_STREAM, 0, monitor)) return 1;
	printf("watch %d\n", media_watch(&argv));
	announce_disk("5632", "xvdc");
	print_commands();
	announce_disk("832", "xvdb");
	print_commands();
	printf("second waits\n");
	answer("{\"return\": {}}\r\n{\"timestamp\": {}, \"event\": \"STOP\"}\r\n");
	print_commands();
	answer("{\"return\": {\"fd\": 20, \"fdset-id\": 2}, \"id\": \"med");
	answer("ium-5632\"}\r\n");
	print_commands();
	answer("{\"id\": \"medium-832\", \"error\": {\"class\": \"GenericError\", \"desc\": \"no\"}}\r\n");
	printf("not for us\n");
	announce_disk("51712", "xvda");
	announce_disk("5632", "sdc");
	announce_disk("5632", "xvdc/../../etc");
	announce_disk("99999999999999999999", "xvdc");
	announce("add@/x ACTION=remove DEVPATH=/devices/vbd-5632/block/xvdc SUBSYSTEM=block DEVNAME=xvdc DEVTYPE=disk");
	announce("add@/x ACTION=add DEVPATH=/devices/vbd-5632/block/xvdc/xvdc1 SUBSYSTEM=block DEVNAME=xvdc1 DEVTYPE=partition");
	announce("add@/x ACTION=add DEVPATH=/devices/vif-0/net/eth0 SUBSYSTEM=net");
	announce("");
	sender_pid = 77;
	announce_disk("5632", "xvdc");
	sender_pid = 0;
	disk_missing = true;
	announce_disk("5632", "xvdc");
	disk_missing = false;
	print_commands();
	for (int i = 0; i < 10; i++) announce_disk("5632", "xvdc");
	print_commands();
	media_take_answer(-1, "\"medium-5632\"\n", strlen("\"medium-5632\"\n"));
	return 0;
}
