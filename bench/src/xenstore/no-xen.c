/*
 * What a xenstored asks of Xen when it starts and serves nothing but sockets, for a machine without Xen: interfaces that
 * open, an event channel device on which nothing ever happens, and a port for each that is bound. Preloaded.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <unistd.h>

static int handle, pipe_ends[2] = { -1, -1 };

void *xc_interface_open(void *logger, void *dombuild_logger, unsigned flags) { return &handle; }
int xc_interface_close(void *xc) { return 0; }
void *xengnttab_open(void *logger, unsigned flags) { return &handle; }
int xengnttab_set_max_grants(void *xgt, uint32_t count) { return 0; }

void *xenevtchn_open(void *logger, unsigned flags)
{
	return pipe_ends[0] >= 0 || pipe(pipe_ends) == 0 ? &handle : NULL;
}
int xenevtchn_fd(void *xce) { return pipe_ends[0]; }
int xenevtchn_pending(void *xce) { return -1; }
int xenevtchn_bind_virq(void *xce, unsigned virq) { return 1; }
int xenevtchn_bind_interdomain(void *xce, uint32_t domid, uint32_t port) { return 2; }
int xenevtchn_notify(void *xce, uint32_t port) { return 0; }
int xenevtchn_unmask(void *xce, uint32_t port) { return 0; }

/* oxenstored raises its own limits, which a container may forbid. */
int setrlimit(__rlimit_resource_t resource, const struct rlimit *limit) { return 0; }
