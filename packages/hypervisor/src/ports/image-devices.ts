/** Formats of disk images that only a program can read; "vhd" is QEMU's vpc. */
export const IMAGE_FORMATS = ["qcow2", "qcow", "vhd", "qed"] as const;
export type ImageFormat = (typeof IMAGE_FORMATS)[number];

export interface AttachImage {
	/** A regular file or a block device. */
	path: string;
	isBlockDevice: boolean;
	format: ImageFormat;
	readOnly: boolean;
	/** Whether what the guest discards is given back to the file. */
	discard: boolean;
	/** The image's own folder below /run: what a later process needs to find and end its server. It must not exist. */
	folder: string;
}

export interface ImageDevice {
	/** "/dev/nbd3" */
	readonly path: string;
	/** For a block backend's `physical-device`: "2b:3" in hexadecimal. */
	readonly physicalDevice: string;
}

/**
 * Images as block devices. A process without privilege reads and writes the file; the kernel's block device is connected
 * to it. Both outlive the process that attached them: any later one releases them by their folder.
 */
export interface ImageDevices {
	/** What this host lacks to serve images, with the cure; undefined: nothing. */
	problem(): Promise<{ why: string; remedy: string } | undefined>;
	/**
	 * The format is as given, never guessed, and no other file that the image names is opened.
	 * @throws HypervisorError with what the server said; nothing is left then
	 */
	attach(request: AttachImage): Promise<ImageDevice>;
	/** Whether the server of an attached image still runs. */
	isServed(folder: string): Promise<boolean>;
	/**
	 * Disconnects the device and ends the server, once it has written everything: bounded in time. Idempotent.
	 * @throws HypervisorError when the server does not end even when killed
	 */
	release(folder: string): Promise<void>;
}
