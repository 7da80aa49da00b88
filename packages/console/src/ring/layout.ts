/**
 * The page of a PV console: struct xencons_interface of Xen's public header io/console.h. "in" is what the guest
 * reads, "out" what it writes. Indices are free-running unsigned 32-bit counters, little endian on x86; a byte's place
 * is its counter modulo the ring's size. Whoever produces moves `prod`, whoever consumes moves `cons`.
 */
export const CONSOLE_PAGE = {
	pageBytes: 4096,
	inputOffset: 0,
	inputBytes: 1024,
	outputOffset: 1024,
	outputBytes: 2048,
	/** Places of the counters, in 32-bit words: bytes 3072, 3076, 3080, 3084. */
	inputConsumed: 768,
	inputProduced: 769,
	outputConsumed: 770,
	outputProduced: 771,
} as const;
