/* Calls seed_random_numbers with each argument and prints what it gives to the kernel: "256 bits, 32 bytes: 00ff…". */
#include <linux/random.h>
#include <stdarg.h>
#include <stdio.h>

#include "entropy.h"

int __wrap_ioctl(int fd, unsigned long request, ...) {
	va_list arguments;
	va_start(arguments, request);
	const struct rand_pool_info *info = va_arg(arguments, const struct rand_pool_info *);
	va_end(arguments);
	if (fd < 0 || request != RNDADDENTROPY) return -1;
	printf("%d bits, %d bytes: ", info->entropy_count, info->buf_size);
	for (int i = 0; i < info->buf_size; i++) printf("%02x", ((const unsigned char *)info->buf)[i]);
	printf("\n");
	return 0;
}

void log_line(const char *format, ...) {
	va_list arguments;
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
}

int main(int count, char **items) {
	for (int i = 1; i < count; i++) seed_random_numbers(items[i]);
}
