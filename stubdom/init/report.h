#pragma once
/* The state that the toolstack reads under device-model/<guest>/. QEMU itself writes state = running. */

/* The guest's domid, once known; needed before a failure can be told to the toolstack. */
void report_for_guest(unsigned guest);
/* One line into error (printable ASCII, at most 512 bytes), then state = error; both go to the log too. Only the first
 * failure is told: what follows is its consequence. */
void report_failure(const char *format, ...) __attribute__((format(printf, 1, 2)));
