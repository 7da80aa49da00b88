#include "vchan-server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
/* The header leaves this type to its includer. */
typedef uint16_t domid_t;
#include <xen/evtchn.h>
#include <xen/gntalloc.h>

#include "xenstore.h"

enum { PAGE_BYTES = 4096, ANSWER_TIMEOUT_MS = 10000 };
enum { NOTIFY_WRITE = 1, NOTIFY_READ = 2 };
enum { CLIENT_CONNECTED = 1, CLIENT_AWAITED = 2, CLIENT_ACCEPTED = 3 };

struct vchan_page {
	struct {
		uint32_t consumed, produced;
	} from_client, to_client;
	uint16_t from_client_order, to_client_order;
	uint8_t client_live, server_live, client_notify, server_notify;
	uint32_t grants[250];
	char from_client_bytes[1024], to_client_bytes[2048];
};
_Static_assert(sizeof(struct vchan_page) == PAGE_BYTES, "the control page");
_Static_assert(offsetof(struct vchan_page, client_live) == 20, "cli_live");
_Static_assert(offsetof(struct vchan_page, from_client_bytes) == 1024, "ring of order 10");
_Static_assert(offsetof(struct vchan_page, to_client_bytes) == 2048, "ring of order 11");

static void notify(const struct vchan_server *server) {
	struct ioctl_evtchn_notify request = {.port = server->port};
	ioctl(server->events, IOCTL_EVTCHN_NOTIFY, &request);
}

static int share_page(struct vchan_server *server, unsigned client_domid) {
	struct ioctl_gntalloc_alloc_gref request = {
		.domid = (uint16_t)client_domid, .flags = GNTALLOC_FLAG_WRITABLE, .count = 1};
	if (ioctl(server->grants, IOCTL_GNTALLOC_ALLOC_GREF, &request) != 0) return -1;
	server->grant = request.gref_ids[0];
	void *page = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, server->grants, (off_t)request.index);
	if (page == MAP_FAILED) return -1;
	server->page = page;
	struct ioctl_gntalloc_unmap_notify farewell = {
		.index = request.index + offsetof(struct vchan_page, server_live),
		.action = UNMAP_NOTIFY_CLEAR_BYTE | UNMAP_NOTIFY_SEND_EVENT,
		.event_channel_port = server->port,
	};
	return ioctl(server->grants, IOCTL_GNTALLOC_SET_UNMAP_NOTIFY, &farewell);
}

int vchan_open(struct vchan_server *server, unsigned client_domid) {
	*server = (struct vchan_server){0};
	server->events = open("/dev/xen/evtchn", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	server->grants = open("/dev/xen/gntalloc", O_RDWR | O_CLOEXEC);
	struct ioctl_evtchn_bind_unbound_port bind = {.remote_domain = client_domid};
	if (server->events >= 0 && server->grants >= 0) {
		int port = ioctl(server->events, IOCTL_EVTCHN_BIND_UNBOUND_PORT, &bind);
		server->port = (uint32_t)port;
		if (port > 0 && share_page(server, client_domid) == 0) {
			memset(server->page, 0, PAGE_BYTES);
			server->page->from_client_order = 10;
			server->page->to_client_order = 11;
			server->page->client_live = CLIENT_AWAITED;
			server->page->server_live = 1;
			server->page->client_notify = NOTIFY_WRITE;
			return 0;
		}
	}
	int failure = errno;
	if (server->page) munmap(server->page, PAGE_BYTES);
	if (server->events >= 0) close(server->events);
	if (server->grants >= 0) close(server->grants);
	server->page = NULL;
	errno = failure;
	return -1;
}

int vchan_publish(const struct vchan_server *server, const char *path, unsigned own_domid, unsigned client_domid) {
	char ring_path[128], event_path[128], ring[16], event[16], permissions[32];
	snprintf(ring_path, sizeof ring_path, "%s/ring-ref", path);
	snprintf(event_path, sizeof event_path, "%s/event-channel", path);
	snprintf(ring, sizeof ring, "%u", server->grant);
	snprintf(event, sizeof event, "%u", server->port);
	size_t length = (size_t)snprintf(permissions, sizeof permissions, "n%u", own_domid) + 1;
	length += (size_t)snprintf(permissions + length, sizeof permissions - length, "r%u", client_domid) + 1;
	/* ring-ref last: a client takes its presence for the sign that the channel is there. */
	struct xenstore_request requests[] = {
		{.operation = XENSTORE_WRITE, .path = event_path, .value = event, .value_length = strlen(event)},
		{.operation = XENSTORE_SET_PERMS, .path = event_path, .value = permissions, .value_length = length},
		{.operation = XENSTORE_WRITE, .path = ring_path, .value = ring, .value_length = strlen(ring)},
		{.operation = XENSTORE_SET_PERMS, .path = ring_path, .value = permissions, .value_length = length},
	};
	enum { COUNT = sizeof requests / sizeof requests[0] };
	int failure = xenstore_run(requests, COUNT, ANSWER_TIMEOUT_MS) < 0 ? errno : 0;
	for (int i = 0; i < COUNT; i++) {
		if (failure == 0) failure = requests[i].error;
		free(requests[i].reply);
	}
	errno = failure;
	return failure == 0 ? 0 : -1;
}

void vchan_withdraw(const char *path) {
	struct xenstore_request remove = {.operation = XENSTORE_RM, .path = path};
	xenstore_run(&remove, 1, ANSWER_TIMEOUT_MS);
	free(remove.reply);
}

bool vchan_accept(struct vchan_server *server) {
	uint8_t connected = CLIENT_CONNECTED;
	return __atomic_compare_exchange_n(&server->page->client_live, &connected, CLIENT_ACCEPTED, false, __ATOMIC_SEQ_CST,
	                                   __ATOMIC_SEQ_CST);
}

bool vchan_has_client(const struct vchan_server *server) {
	return __atomic_load_n(&server->page->client_live, __ATOMIC_SEQ_CST) == CLIENT_ACCEPTED;
}

void vchan_set_live(struct vchan_server *server, bool live) {
	__atomic_store_n(&server->page->server_live, live, __ATOMIC_SEQ_CST);
	notify(server);
}

/* Sends an event if the client asked to hear of this. */
static void notify_if_wanted(struct vchan_server *server, uint8_t bit) {
	uint8_t before = __atomic_fetch_and(&server->page->server_notify, (uint8_t)~bit, __ATOMIC_SEQ_CST);
	if (before & bit) notify(server);
}

static void ask_for(struct vchan_server *server, uint8_t bit) {
	__atomic_fetch_or(&server->page->client_notify, bit, __ATOMIC_SEQ_CST);
}

/* Reads the client's index once; an amount that cannot be stands for nothing. */
static uint32_t distance(const uint32_t *newer, uint32_t older, uint32_t limit) {
	uint32_t amount = __atomic_load_n(newer, __ATOMIC_SEQ_CST) - older;
	return amount > limit ? 0 : amount;
}

static uint32_t room(const struct vchan_server *server) {
	uint32_t size = sizeof server->page->to_client_bytes;
	uint32_t unread = server->produced - __atomic_load_n(&server->page->to_client.consumed, __ATOMIC_SEQ_CST);
	return unread > size ? 0 : size - unread;
}

size_t vchan_receive(struct vchan_server *server, char *bytes, size_t size) {
	const uint32_t ring = sizeof server->page->from_client_bytes;
	size_t taken = 0;
	for (bool asked = false; taken < size;) {
		uint32_t ready = distance(&server->page->from_client.produced, server->consumed, ring);
		if (ready == 0 && asked) break;
		if (ready == 0) {
			ask_for(server, NOTIFY_WRITE);
			asked = true;
			continue;
		}
		for (; ready > 0 && taken < size; ready--)
			bytes[taken++] = server->page->from_client_bytes[server->consumed++ & (ring - 1)];
		__atomic_store_n(&server->page->from_client.consumed, server->consumed, __ATOMIC_SEQ_CST);
		notify_if_wanted(server, NOTIFY_READ);
	}
	return taken;
}

size_t vchan_send(struct vchan_server *server, const char *bytes, size_t size) {
	const uint32_t ring = sizeof server->page->to_client_bytes;
	size_t sent = 0;
	for (bool asked = false; sent < size;) {
		uint32_t space = room(server);
		if (space == 0 && asked) break;
		if (space == 0) {
			ask_for(server, NOTIFY_READ);
			asked = true;
			continue;
		}
		for (; space > 0 && sent < size; space--)
			server->page->to_client_bytes[server->produced++ & (ring - 1)] = bytes[sent++];
		__atomic_store_n(&server->page->to_client.produced, server->produced, __ATOMIC_SEQ_CST);
		notify_if_wanted(server, NOTIFY_WRITE);
	}
	return sent;
}

void vchan_drop_unread(struct vchan_server *server) {
	server->produced = __atomic_load_n(&server->page->to_client.consumed, __ATOMIC_SEQ_CST);
	__atomic_store_n(&server->page->to_client.produced, server->produced, __ATOMIC_SEQ_CST);
	server->consumed = __atomic_load_n(&server->page->from_client.produced, __ATOMIC_SEQ_CST);
	__atomic_store_n(&server->page->from_client.consumed, server->consumed, __ATOMIC_SEQ_CST);
}

void vchan_take_event(struct vchan_server *server) {
	uint32_t port;
	while (read(server->events, &port, sizeof port) == (ssize_t)sizeof port)
		if (write(server->events, &port, sizeof port) != (ssize_t)sizeof port) return;
	/* A client sets its notify bits after its live byte: if we spoke in between, it has not been told yet. */
	if (room(server) < sizeof server->page->to_client_bytes) notify_if_wanted(server, NOTIFY_WRITE);
}
