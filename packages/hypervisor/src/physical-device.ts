/** "major:minor" in hexadecimal from Linux's 64-bit dev_t (glibc: gnu_dev_major, gnu_dev_minor). */
export function physicalDevice(rdev: number): string {
	const dev = BigInt(rdev);
	const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn);
	const minor = (dev & 0xffn) | ((dev >> 12n) & ~0xffn & 0xffff_ffffn);
	return `${major.toString(16)}:${minor.toString(16)}`;
}
