#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The server's side of a libvchan (xen/include/public/io/libxenvchan.h). Own code, because a server needs to tell a
 * client that left and came back between two looks from one that stayed: it answers the client's cli_live = 1 with 3,
 * which counts as live for everybody, and sees a 1 again only from a new client. When it has noticed that a client is
 * gone, and nothing of it is left in the rings, it makes the 0 a 2 again: "not yet connected". */
struct vchan_ring {
	char *bytes;
	/* A power of two. */
	uint32_t size;
};

struct vchan_server {
	struct vchan_page *page;
	struct vchan_ring from_client, to_client;
	int events, grants;
	uint32_t port, grant;
	/* Our own indexes; those in the page are only ever written. */
	uint32_t consumed, produced;
};

/* Shares the memory with the domain and allocates the event channel. Orders are log2 of the rings' bytes: 10 and 11 lie
 * in the control page (at most one ring each), 12 to 20 in pages of their own. Returns 0, or -1 with errno. */
int vchan_open(struct vchan_server *server, unsigned client_domid, unsigned client_order, unsigned server_order);
/* Writes ring-ref and event-channel below the path, readable by the client's domain. Returns 0, or -1 with errno. */
int vchan_publish(const struct vchan_server *server, const char *path, unsigned own_domid, unsigned client_domid);
/* Removes the path. */
void vchan_withdraw(const char *path);
/* True once per client that has connected. */
bool vchan_accept(struct vchan_server *server);
/* True while the accepted client is there. */
bool vchan_has_client(const struct vchan_server *server);
/* Once the client is gone and what it left was dropped: a next one may find the rings clean. True when one had gone. */
bool vchan_offer_again(struct vchan_server *server);
/* Tells the client that the server's side is open or closed. */
void vchan_set_live(struct vchan_server *server, bool live);
/* Takes what has arrived, at most size bytes. After less than size, news of more data raises an event. */
size_t vchan_receive(struct vchan_server *server, char *bytes, size_t size);
/* Sends what has room. After less than size, news of more room raises an event. */
size_t vchan_send(struct vchan_server *server, const char *bytes, size_t size);
/* Forgets what the client has not read; only while none is connected, as it moves under the reader's feet. */
void vchan_drop_unread(struct vchan_server *server);
/* Takes a pending event so that the next one is seen. To be called before looking at the rings. */
void vchan_take_event(struct vchan_server *server);
