#pragma once
#include <stdbool.h>
#include <stddef.h>

/* The log of the stub domain: console 0, one line per call, stamped with the uptime.
 * Writing never blocks: PID 1 must go on serving QMP when nobody drains the console. */

void log_open(void);
/* One line, printf style, without a line end. */
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Hands waiting bytes to the console, for at most that long. Returns true when none are left. */
bool log_flush(int timeout_ms);
/* The console's descriptor while bytes wait for room, else -1. */
int log_blocked_fd(void);
/* Copies text, every byte outside printable ASCII replaced, always terminated. */
void copy_printable(char *target, size_t size, const char *text, size_t length);
