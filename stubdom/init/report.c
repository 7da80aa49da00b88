#include "report.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "xenstore.h"

enum { ERROR_LIMIT = 512, ANSWER_TIMEOUT_MS = 5000 };

static unsigned guest;
static bool guest_known, told;

void report_for_guest(unsigned domid) {
	guest = domid;
	guest_known = true;
}

void report_failure(const char *format, ...) {
	char text[2 * ERROR_LIMIT], line[ERROR_LIMIT + 1];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	copy_printable(line, sizeof line, text, strlen(text));
	log_line("error: %s", line);
	if (told || !guest_known) return;
	told = true;
	char error_path[48], state_path[48];
	snprintf(error_path, sizeof error_path, "device-model/%u/error", guest);
	snprintf(state_path, sizeof state_path, "device-model/%u/state", guest);
	/* In this order, so that whoever sees the state finds the reason; xenstored answers in order. */
	struct xenstore_request requests[] = {
		{.operation = XENSTORE_WRITE, .path = error_path, .value = line, .value_length = strlen(line)},
		{.operation = XENSTORE_WRITE, .path = state_path, .value = "error", .value_length = strlen("error")},
	};
	if (xenstore_run(requests, 2, ANSWER_TIMEOUT_MS) < 0 || requests[0].error || requests[1].error)
		log_line("the failure could not be written to xenstore");
	for (int i = 0; i < 2; i++) free(requests[i].reply);
}
