/** The kernel's files about its devices. Paths begin below /sys, without a slash. */
export interface Sysfs {
	/** Undefined when there is no such file. */
	read(path: string): Promise<string | undefined>;
	/** Names in a folder; undefined when there is none. */
	list(path: string): Promise<string[] | undefined>;
	/** The name of what a link leads to; undefined when there is no link. */
	linkedName(path: string): Promise<string | undefined>;
	/** Into a file that is there. @throws HypervisorError with the kernel's errno */
	write(path: string, text: string): Promise<void>;
}
