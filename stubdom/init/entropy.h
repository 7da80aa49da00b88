#pragma once
/* Seeds the kernel's random numbers with 32 bytes in hex, which the toolstack drew for this domain. QEMU asks for random
 * bytes when it starts, and where the CPU offers none the kernel would gather entropy for a second or more first.
 * Anything but 64 hex digits is left alone. */
void seed_random_numbers(const char *hex);
