#define _GNU_SOURCE
#include "network.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"
#include "modules.h"
#include "small-file.h"

enum { APPEAR_TIMEOUT_MS = 10000 };

/* eth0 is given the same address as the emulated nic: left so, the bridge would keep the guest's frames to itself. */
static const unsigned char bridge_side_address[6] = {0xfe, 0xff, 0xff, 0xff, 0xff, 0xfe};
static const char bridge[] = "guest";

static bool find_tap_name(const struct dm_argv *argv, char *name) {
	for (size_t i = 0; i + 1 < argv->count; i++) {
		if (strcmp(argv->items[i], "-netdev") != 0 || !strstr(argv->items[i + 1], "type=tap")) continue;
		const char *found = strstr(argv->items[i + 1], "ifname=");
		if (!found) continue;
		found += strlen("ifname=");
		size_t length = strcspn(found, ",");
		if (length == 0 || length >= IFNAMSIZ) continue;
		memcpy(name, found, length);
		name[length] = '\0';
		return true;
	}
	return false;
}

static int make_tap(const char *name) {
	int tun = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (tun < 0) return -1;
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
	strcpy(request.ifr_name, name);
	/* Persistent: QEMU attaches to it by name, and it is in the bridge before the first frame. */
	int outcome = ioctl(tun, TUNSETIFF, &request) == 0 && ioctl(tun, TUNSETPERSIST, 1) == 0 ? 0 : -1;
	close(tun);
	return outcome;
}

static int change(int control, unsigned long operation, struct ifreq *request, const char *name) {
	strcpy(request->ifr_name, name);
	return ioctl(control, operation, request);
}

static int bring_up(int control, const char *name) {
	struct ifreq request = {0};
	if (change(control, SIOCGIFFLAGS, &request, name) != 0) return -1;
	request.ifr_flags |= IFF_UP;
	return change(control, SIOCSIFFLAGS, &request, name);
}

static int add_to_bridge(int control, const char *name) {
	struct ifreq request = {.ifr_ifindex = (int)if_nametoindex(name)};
	return change(control, SIOCBRADDIF, &request, bridge);
}

static int join(int control, const char *tap) {
	struct ifreq address = {.ifr_hwaddr = {.sa_family = ARPHRD_ETHER}};
	memcpy(address.ifr_hwaddr.sa_data, bridge_side_address, sizeof bridge_side_address);
	return make_tap(tap) == 0 && change(control, SIOCSIFHWADDR, &address, "eth0") == 0 &&
	               ioctl(control, SIOCBRADDBR, bridge) == 0 && add_to_bridge(control, "eth0") == 0 &&
	               add_to_bridge(control, tap) == 0 && bring_up(control, "eth0") == 0 && bring_up(control, tap) == 0 &&
	               bring_up(control, bridge) == 0
	           ? 0
	           : -1;
}

const char *join_network(const struct dm_argv *argv) {
	static char problem[96];
	char tap[IFNAMSIZ];
	if (!find_tap_name(argv, tap)) return NULL;
	load_modules(NETWORK_MODULES);
	if (wait_for_path("/sys/class/net/eth0", monotonic_ms() + APPEAR_TIMEOUT_MS) != 0)
		return "the emulated nic has no PV nic (eth0) behind it";
	int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (control >= 0 && join(control, tap) == 0) {
		log_line("joined eth0 and %s", tap);
		close(control);
		return NULL;
	}
	snprintf(problem, sizeof problem, "cannot join eth0 with %s: %s", tap, strerror(errno));
	if (control >= 0) close(control);
	return problem;
}
