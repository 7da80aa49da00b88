#define _GNU_SOURCE
#include "network.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "emulated-nics.h"
#include "log.h"
#include "modules.h"
#include "small-file.h"

enum { APPEAR_TIMEOUT_MS = 20000, ADDRESS_BYTES = 6 };

/* What a PV nic gets in place of the emulated card's address, which the toolstack gives it too: a bridge keeps the frames
 * for its ports' own addresses to itself, so that the guest's would never reach the tap. Nothing is sent from it. */
static const unsigned char bridge_side_address[ADDRESS_BYTES] = {0xfe, 0xff, 0xff, 0xff, 0xff, 0xfe};

static char problem[128];

static int change(int control, unsigned long operation, struct ifreq *request, const char *name) {
	snprintf(request->ifr_name, sizeof request->ifr_name, "%.15s", name);
	return ioctl(control, operation, request);
}

/* Finds the PV nic with the address: netback counts devices by domain, the kernel here by when they appear. */
static bool find_interface(int control, const char *mac, char *name) {
	struct if_nameindex *all = if_nameindex();
	bool found = false;
	for (struct if_nameindex *each = all; each && each->if_index != 0 && !found; each++) {
		struct ifreq request = {0};
		if (change(control, SIOCGIFHWADDR, &request, each->if_name) != 0) continue;
		if (request.ifr_hwaddr.sa_family != ARPHRD_ETHER) continue;
		const unsigned char *bytes = (const unsigned char *)request.ifr_hwaddr.sa_data;
		char text[MAC_TEXT_SIZE];
		snprintf(text, sizeof text, "%02x:%02x:%02x:%02x:%02x:%02x", bytes[0], bytes[1], bytes[2], bytes[3], bytes[4],
		         bytes[5]);
		found = strcmp(text, mac) == 0;
		if (found) snprintf(name, IFNAMSIZ, "%.15s", each->if_name);
	}
	if (all) if_freenameindex(all);
	return found;
}

static bool await_interface(int control, const char *mac, char *name, long long deadline_ms) {
	while (!find_interface(control, mac, name)) {
		if (monotonic_ms() >= deadline_ms) return false;
		struct timespec pause = {.tv_nsec = 5 * 1000 * 1000};
		nanosleep(&pause, NULL);
	}
	return true;
}

static int make_tap(const char *name) {
	int tun = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (tun < 0) return -1;
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
	snprintf(request.ifr_name, sizeof request.ifr_name, "%.15s", name);
	/* Persistent: QEMU attaches to it by name, and it is in the bridge before the first frame. */
	int outcome = ioctl(tun, TUNSETIFF, &request) == 0 && ioctl(tun, TUNSETPERSIST, 1) == 0 ? 0 : -1;
	close(tun);
	return outcome;
}

static int bring_up(int control, const char *name) {
	struct ifreq request = {0};
	if (change(control, SIOCGIFFLAGS, &request, name) != 0) return -1;
	request.ifr_flags |= IFF_UP;
	return change(control, SIOCSIFFLAGS, &request, name);
}

static int add_to_bridge(int control, const char *bridge, const char *name) {
	struct ifreq request = {.ifr_ifindex = (int)if_nametoindex(name)};
	return change(control, SIOCBRADDIF, &request, bridge);
}

static int join(int control, const char *bridge, const char *pv, const char *tap) {
	struct ifreq address = {.ifr_hwaddr = {.sa_family = ARPHRD_ETHER}};
	memcpy(address.ifr_hwaddr.sa_data, bridge_side_address, sizeof bridge_side_address);
	return make_tap(tap) == 0 && change(control, SIOCSIFHWADDR, &address, pv) == 0 &&
	               ioctl(control, SIOCBRADDBR, bridge) == 0 && add_to_bridge(control, bridge, pv) == 0 &&
	               add_to_bridge(control, bridge, tap) == 0 && bring_up(control, pv) == 0 &&
	               bring_up(control, tap) == 0 && bring_up(control, bridge) == 0
	           ? 0
	           : -1;
}

static const char *join_nic(int control, const struct emulated_nic *nic, unsigned number, long long deadline_ms) {
	char pv[IFNAMSIZ], bridge[IFNAMSIZ];
	if (!await_interface(control, nic->mac, pv, deadline_ms)) {
		snprintf(problem, sizeof problem, "the emulated nic %.17s (%.15s) has no PV nic behind it", nic->mac, nic->tap);
		return problem;
	}
	snprintf(bridge, sizeof bridge, "guest%u", number);
	if (join(control, bridge, pv, nic->tap) != 0) {
		snprintf(problem, sizeof problem, "cannot join %.15s with %.15s: %.64s", pv, nic->tap, strerror(errno));
		return problem;
	}
	log_line("joined %s (%s) with %s in %s", pv, nic->mac, nic->tap, bridge);
	return NULL;
}

/* Not a frame of our own: the guest's addresses are the only ones that the network is to see. A kernel without IPv6, as
 * ours, has no such files. */
static void keep_silent(void) {
	write_small_file("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
	write_small_file("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1");
}

const char *join_network(const struct dm_argv *argv) {
	static struct emulated_nic nics[NIC_LIMIT];
	size_t count;
	const char *bad = find_emulated_nics(argv, nics, &count);
	if (bad || count == 0) return bad;
	load_modules(NETWORK_MODULES);
	keep_silent();
	int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (control < 0) return "no sockets to set up the network with";
	long long deadline = monotonic_ms() + APPEAR_TIMEOUT_MS;
	for (unsigned i = 0; i < count && !bad; i++) bad = join_nic(control, &nics[i], i, deadline);
	close(control);
	return bad;
}
