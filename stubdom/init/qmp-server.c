#include "qmp-server.h"

#include <stdio.h>

#include "device-model.h"
#include "session.h"

_Static_assert((int)QMP_SERVER_POLLFDS == (int)SESSION_POLLFDS, "one session");

/* Both rings lie in the control page: 1 KiB to QEMU, 2 KiB back, as libxenvchan has them. */
enum { TO_QEMU_ORDER = 10, FROM_QEMU_ORDER = 11 };

static struct session session = {.name = "QMP", .connect = connect_monitor, .service = -1};

int qmp_server_open(void) { return session_open(&session, TO_QEMU_ORDER, FROM_QEMU_ORDER); }

int qmp_server_publish(unsigned own_domid, unsigned guest) {
	char path[sizeof session.path];
	snprintf(path, sizeof path, "device-model/%u/qmp-vchan", guest);
	return session_publish(&session, path, own_domid);
}

void qmp_server_prepare(struct pollfd *fds) { session_prepare(&session, fds); }
void qmp_server_run(const struct pollfd *fds) { session_run(&session, fds); }
void qmp_server_close(void) { session_close(&session); }
