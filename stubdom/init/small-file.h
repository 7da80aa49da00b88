#pragma once
#include <stdbool.h>
#include <stddef.h>

/* Reads at most size - 1 bytes and terminates them. Returns the length, or -1 with errno. */
long read_small_file(const char *path, char *text, size_t size);
/* Writes text to an existing file (a sysctl or module parameter). Returns 0, or -1 with errno. */
int write_small_file(const char *path, const char *text);
/* True when the kernel's command line holds exactly this word. */
bool kernel_command_line_has(const char *word);
/* Milliseconds of a clock that never jumps. */
long long monotonic_ms(void);
/* Waits until the path exists. Returns 0, or -1 with errno ETIMEDOUT. */
int wait_for_path(const char *path, long long deadline_ms);
