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
/* MAX_RING_SIZE of libxenvchan is 1 MiB; nobody here needs more than this. */
enum { ORDER_LIMIT = 16, PAGES_LIMIT = 16 };
enum { NOTIFY_WRITE = 1, NOTIFY_READ = 2 };
enum { CLIENT_GONE = 0, CLIENT_CONNECTED = 1, CLIENT_AWAITED = 2, CLIENT_ACCEPTED = 3 };

struct vchan_page {
	struct {
		uint32_t consumed, produced;
	} from_client, to_client;
	uint16_t from_client_order, to_client_order;
	uint8_t client_live, server_live, client_notify, server_notify;
	/* References of the rings' pages, the client's ring first; it ends where a ring inside the page begins. */
	uint32_t grants[250];
	char order_10[1024], order_11[2048];
};
_Static_assert(sizeof(struct vchan_page) == PAGE_BYTES, "the control page");
_Static_assert(offsetof(struct vchan_page, client_live) == 20, "cli_live");
_Static_assert(offsetof(struct vchan_page, order_10) == 1024, "ring of order 10");
_Static_assert(offsetof(struct vchan_page, order_11) == 2048, "ring of order 11");

static void notify(const struct vchan_server *server) {
	struct ioctl_evtchn_notify request = {.port = server->port};
	ioctl(server->events, IOCTL_EVTCHN_NOTIFY, &request);
}

/* Allocates pages for the client's eyes, next to each other. Their references go to grants. Returns NULL with errno. */
static void *share_pages(const struct vchan_server *server, unsigned client_domid, unsigned count, uint32_t *grants,
                         uint64_t *index) {
	union {
		struct ioctl_gntalloc_alloc_gref request;
		char room[sizeof(struct ioctl_gntalloc_alloc_gref) + PAGES_LIMIT * sizeof(uint32_t)];
	} space = {.request = {.domid = (uint16_t)client_domid, .flags = GNTALLOC_FLAG_WRITABLE, .count = count}};
	if (ioctl(server->grants, IOCTL_GNTALLOC_ALLOC_GREF, &space) != 0) return NULL;
	memcpy(grants, space.room + offsetof(struct ioctl_gntalloc_alloc_gref, gref_ids), count * sizeof *grants);
	*index = space.request.index;
	void *pages = mmap(NULL, (size_t)count * PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, server->grants, (off_t)*index);
	return pages == MAP_FAILED ? NULL : pages;
}

static int share_page(struct vchan_server *server, unsigned client_domid) {
	uint64_t index;
	server->page = share_pages(server, client_domid, 1, &server->grant, &index);
	if (!server->page) return -1;
	struct ioctl_gntalloc_unmap_notify farewell = {
		.index = index + offsetof(struct vchan_page, server_live),
		.action = UNMAP_NOTIFY_CLEAR_BYTE | UNMAP_NOTIFY_SEND_EVENT,
		.event_channel_port = server->port,
	};
	return ioctl(server->grants, IOCTL_GNTALLOC_SET_UNMAP_NOTIFY, &farewell);
}

/* Finds a ring its place; the references of its pages follow those that are there. Returns 0, or -1 with errno. */
static int place_ring(struct vchan_server *server, unsigned client_domid, struct vchan_ring *ring, unsigned order,
                      size_t *listed) {
	struct vchan_page *page = server->page;
	ring->size = 1u << order;
	if (order == 10) ring->bytes = page->order_10;
	if (order == 11) ring->bytes = page->order_11;
	if (order <= 11) return 0;
	unsigned pages = ring->size / PAGE_BYTES;
	uint32_t grants[PAGES_LIMIT];
	uint64_t index;
	ring->bytes = share_pages(server, client_domid, pages, grants, &index);
	if (!ring->bytes) return -1;
	memcpy((char *)page + offsetof(struct vchan_page, grants) + *listed * sizeof *grants, grants, pages * sizeof *grants);
	*listed += pages;
	return 0;
}

static int share_rings(struct vchan_server *server, unsigned client_domid, unsigned client_order, unsigned server_order) {
	size_t listed = 0;
	if (share_page(server, client_domid) != 0) return -1;
	memset(server->page, 0, PAGE_BYTES);
	if (place_ring(server, client_domid, &server->from_client, client_order, &listed) != 0) return -1;
	return place_ring(server, client_domid, &server->to_client, server_order, &listed);
}

static bool possible_orders(unsigned client_order, unsigned server_order) {
	if (client_order < 10 || client_order > ORDER_LIMIT || server_order < 10 || server_order > ORDER_LIMIT) return false;
	return client_order != server_order || client_order > 11;
}

int vchan_open(struct vchan_server *server, unsigned client_domid, unsigned client_order, unsigned server_order) {
	*server = (struct vchan_server){0};
	if (!possible_orders(client_order, server_order)) {
		errno = EINVAL;
		return -1;
	}
	server->events = open("/dev/xen/evtchn", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	server->grants = open("/dev/xen/gntalloc", O_RDWR | O_CLOEXEC);
	struct ioctl_evtchn_bind_unbound_port bind = {.remote_domain = client_domid};
	if (server->events >= 0 && server->grants >= 0) {
		int port = ioctl(server->events, IOCTL_EVTCHN_BIND_UNBOUND_PORT, &bind);
		server->port = (uint32_t)port;
		if (port > 0 && share_rings(server, client_domid, client_order, server_order) == 0) {
			server->page->from_client_order = (uint16_t)client_order;
			server->page->to_client_order = (uint16_t)server_order;
			server->page->client_live = CLIENT_AWAITED;
			server->page->server_live = 1;
			server->page->client_notify = NOTIFY_WRITE;
			return 0;
		}
	}
	int failure = errno;
	if (server->to_client.bytes && server_order > 11) munmap(server->to_client.bytes, server->to_client.size);
	if (server->from_client.bytes && client_order > 11) munmap(server->from_client.bytes, server->from_client.size);
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

bool vchan_offer_again(struct vchan_server *server) {
	uint8_t gone = CLIENT_GONE;
	return __atomic_compare_exchange_n(&server->page->client_live, &gone, CLIENT_AWAITED, false, __ATOMIC_SEQ_CST,
	                                   __ATOMIC_SEQ_CST);
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
	uint32_t size = server->to_client.size;
	uint32_t unread = server->produced - __atomic_load_n(&server->page->to_client.consumed, __ATOMIC_SEQ_CST);
	return unread > size ? 0 : size - unread;
}

static uint32_t least(size_t a, uint32_t b) { return a < b ? (uint32_t)a : b; }

/* How much from that place on is in one piece, of so much. */
static uint32_t before_wrap(const struct vchan_ring *ring, uint32_t at, uint32_t amount) {
	return least(ring->size - (at & (ring->size - 1)), amount);
}

size_t vchan_receive(struct vchan_server *server, char *bytes, size_t size) {
	const struct vchan_ring *ring = &server->from_client;
	size_t taken = 0;
	for (bool asked = false; taken < size;) {
		uint32_t ready = distance(&server->page->from_client.produced, server->consumed, ring->size);
		if (ready == 0 && asked) break;
		if (ready == 0) {
			ask_for(server, NOTIFY_WRITE);
			asked = true;
			continue;
		}
		uint32_t piece = before_wrap(ring, server->consumed, least(size - taken, ready));
		memcpy(bytes + taken, ring->bytes + (server->consumed & (ring->size - 1)), piece);
		taken += piece;
		server->consumed += piece;
		__atomic_store_n(&server->page->from_client.consumed, server->consumed, __ATOMIC_SEQ_CST);
		notify_if_wanted(server, NOTIFY_READ);
	}
	return taken;
}

size_t vchan_send(struct vchan_server *server, const char *bytes, size_t size) {
	const struct vchan_ring *ring = &server->to_client;
	size_t sent = 0;
	for (bool asked = false; sent < size;) {
		uint32_t space = room(server);
		if (space == 0 && asked) break;
		if (space == 0) {
			ask_for(server, NOTIFY_READ);
			asked = true;
			continue;
		}
		uint32_t piece = before_wrap(ring, server->produced, least(size - sent, space));
		memcpy(ring->bytes + (server->produced & (ring->size - 1)), bytes + sent, piece);
		sent += piece;
		server->produced += piece;
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
	if (room(server) < server->to_client.size) notify_if_wanted(server, NOTIFY_WRITE);
}
