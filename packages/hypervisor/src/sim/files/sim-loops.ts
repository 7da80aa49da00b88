import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from "node:fs";
import { errnoOf } from "@bulkhead/base";
import { SimFailure } from "../calls/sim-failure.ts";

const LOOP_MAJOR = 7;

interface Backing {
	index: number;
	path: string;
	fd: number;
	readOnly: boolean;
	/** Whoever has it open, the one who attached it included. At 0 it detaches itself (LO_FLAGS_AUTOCLEAR). */
	openers: number;
}

/** A block device that somebody has open. */
export interface SimBlockHandle {
	/** As many bytes as there are; none of a detached device. */
	read(at: number, length: number): Buffer;
	/** @throws SimFailure EPERM for a read-only device */
	write(at: number, bytes: Uint8Array): void;
	/** Idempotent. */
	close(): void;
}

/** The loop driver of a simulated domain 0: bookkeeping over real files. There are no device nodes. */
export class SimLoops {
	readonly #backings = new Map<number, Backing>();

	/** Devices that have a file, as words. */
	get attached(): string[] {
		return [...this.#backings.values()].map(({ index, path }) => `loop${index} of ${path}`);
	}

	/** @throws SimFailure */
	attach(path: string, readOnly: boolean): { path: string; physicalDevice: string; release: () => void } {
		const fd = openRegularFile(path, readOnly);
		let index = 0;
		while (this.#backings.has(index)) index++;
		const backing: Backing = { index, path, fd, readOnly, openers: 0 };
		this.#backings.set(index, backing);
		const handle = this.#open(backing);
		return {
			path: `/dev/loop${index}`,
			physicalDevice: `${LOOP_MAJOR.toString(16)}:${index.toString(16)}`,
			release: () => handle.close(),
		};
	}

	/** By "/dev/loop3" or by its number, "7:3". A device without a file is empty. @throws SimFailure ENOENT for anything else */
	open(name: string): SimBlockHandle {
		const digits = /^\/dev\/loop(\d{1,6})$/.exec(name)?.[1];
		const number = /^7:([0-9a-f]{1,5})$/.exec(name)?.[1];
		if (digits === undefined && number === undefined) throw new SimFailure(`open of ${name}`, "ENOENT");
		const backing = this.#backings.get(digits === undefined ? Number.parseInt(number ?? "", 16) : Number(digits));
		return backing ? this.#open(backing) : EMPTY;
	}

	#open(backing: Backing): SimBlockHandle {
		backing.openers++;
		let isOpen = true;
		return {
			read: (at, length) => {
				const bytes = Buffer.alloc(length);
				return bytes.subarray(0, isOpen ? readSync(backing.fd, bytes, 0, length, at) : 0);
			},
			write: (at, bytes) => {
				if (backing.readOnly || !isOpen) throw new SimFailure(`write to /dev/loop${backing.index}`, "EPERM");
				writeSync(backing.fd, bytes, 0, bytes.length, at);
			},
			close: () => {
				if (!isOpen) return;
				isOpen = false;
				if (--backing.openers > 0) return;
				this.#backings.delete(backing.index);
				closeSync(backing.fd);
			},
		};
	}
}

const EMPTY: SimBlockHandle = {
	read: () => Buffer.alloc(0),
	write: () => {
		throw new SimFailure("write to a detached loop device", "EIO");
	},
	close: () => {},
};

function openRegularFile(path: string, readOnly: boolean): number {
	let fd: number;
	try {
		fd = openSync(path, (readOnly ? constants.O_RDONLY : constants.O_RDWR) | constants.O_NONBLOCK);
	} catch (error) {
		const errno = errnoOf(error) ?? "EIO";
		// The kernel refuses to open a folder for writing before it is known to be none.
		throw new SimFailure(`open of ${path}`, errno === "EISDIR" ? "EINVAL" : errno);
	}
	if (fstatSync(fd).isFile()) return fd;
	closeSync(fd);
	throw new SimFailure(`attach of ${path}`, "EINVAL", ["not a regular file"]);
}
