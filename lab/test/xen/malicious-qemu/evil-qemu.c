/* Stands in a stub domain where QEMU should be: says that it runs, greets like QEMU, and then answers each command in a
 * way of its own. With the argument evil=mute it never greets. */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ESCAPES "\\u001b[2J\\u001b]0;owned\\u0007\\u009b31m"

#define GREETING \
	"{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 0, \"minor\": 2, \"major\": 7}, \"package\": \"" ESCAPES \
	"\"}, \"capabilities\": [\"oob\"]}}\r\n"

enum { EVENTS = 20000, XS_WRITE = 11, LINE_BYTES = 65536 };

/* One request on the bus to xenstored (xen/include/public/io/xs_wire.h). */
static void say_running(int guest) {
	char message[128];
	uint32_t *header = (uint32_t *)message;
	int path = snprintf(message + 16, sizeof message - 16, "device-model/%d/state", guest) + 1;
	memcpy(message + 16 + path, "running", 7);
	header[0] = XS_WRITE;
	header[1] = header[2] = 0;
	header[3] = (uint32_t)path + 7;
	int bus = open("/dev/xen/xenbus", O_RDWR);
	if (write(bus, message, 16 + header[3]) < 0) perror("evil: xenbus");
}

static int say(int fd, const char *text) {
	for (size_t length = strlen(text); length > 0;) {
		ssize_t sent = write(fd, text, length);
		if (sent <= 0) return -1;
		text += sent;
		length -= (size_t)sent;
	}
	return 0;
}

static void answer(int fd, const char *id, const char *value) {
	char line[512];
	snprintf(line, sizeof line, "{%s, \"id\": %s}\r\n", value, id);
	say(fd, line);
}

static void obey(int fd, char *line) {
	char *id = strstr(line, "\"id\":");
	if (!id) return;
	id += 5;
	id[strspn(id, "0123456789")] = 0;
	if (strstr(line, "\"query-status\"")) answer(fd, id, "\"return\": {\"running\": true, \"status\": \"prelaunch\"}");
	else if (strstr(line, "\"query-name\"")) answer(fd, id, "\"return\": {\"name\": {\"" ESCAPES "\": 1}}");
	else if (strstr(line, "\"query-uuid\""))
		answer(fd, id, "\"error\": {\"class\": \"" ESCAPES "\", \"desc\": \"" ESCAPES "\"}");
	else if (strstr(line, "\"query-kvm\"")) return;
	else if (strstr(line, "\"query-mice\"")) {
		for (int count = 0; count < EVENTS; count++)
			if (say(fd, "{\"event\": \"STOP\", \"data\": {\"x\": \"" ESCAPES "\"}}\r\n") != 0) return;
		answer(fd, id, "\"return\": []");
	} else if (strstr(line, "\"query-pci\"")) {
		while (say(fd, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx") == 0);
	} else answer(fd, id, "\"return\": {}");
}

static void serve(int fd) {
	static char bytes[LINE_BYTES];
	size_t length = 0;
	say(fd, GREETING);
	for (;;) {
		ssize_t got = read(fd, bytes + length, LINE_BYTES - 1 - length);
		if (got <= 0) return;
		length += (size_t)got;
		bytes[length] = 0;
		for (char *end; (end = strchr(bytes, '\n'));) {
			*end = 0;
			obey(fd, bytes);
			length -= (size_t)(end + 1 - bytes);
			memmove(bytes, end + 1, length + 1);
		}
	}
}

int main(int argc, char **argv) {
	int listener = -1, hold = -1, guest = 0, mute = 0;
	for (int i = 1; i < argc; i++) {
		if (strstr(argv[i], "id=bulkhead-qmp,fd=")) listener = atoi(strstr(argv[i], "fd=") + 3);
		if (strstr(argv[i], "id=bulkhead-hold,fd=")) hold = atoi(strstr(argv[i], "fd=") + 3);
		if (strcmp(argv[i], "-xen-domid") == 0 && i + 1 < argc) guest = atoi(argv[i + 1]);
		if (strcmp(argv[i], "evil=mute") == 0) mute = 1;
	}
	signal(SIGPIPE, SIG_IGN);
	say_running(guest);
	/* The stub domain's init lets clients come once its own monitor greets. */
	say(hold, GREETING);
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		if (fd < 0) return 1;
		if (mute) continue;
		serve(fd);
		close(fd);
	}
}
