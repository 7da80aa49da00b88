import { spawn } from "node:child_process";
import { open, readFile, rm } from "node:fs/promises";
import { ProtocolError } from "@bulkhead/base";

// The real-mode kernel header, Linux Documentation/arch/x86/boot.rst.
const SETUP_SECTS = 0x1f1;
const MAGIC_AT = 0x202;
const MAGIC = "HdrS";
const PROTOCOL_VERSION = 0x206;
const PAYLOAD_OFFSET = 0x248;
const PAYLOAD_LENGTH = 0x24c;
/** Since this version the header tells where the compressed kernel lies. */
const FIRST_PROTOCOL_WITH_PAYLOAD = 0x208;
const MAX_KERNEL_BYTES = 512 << 20;

/** The kernel's build appends the unpacked size (32 bits, little endian) to every format but gzip, which has it anyway. */
const FORMATS = [
	{ magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], argv: ["xz", "--decompress", "--stdout"], sizeAppended: true },
	{ magic: [0x28, 0xb5, 0x2f, 0xfd], argv: ["zstd", "--decompress", "--stdout", "--quiet"], sizeAppended: true },
	{ magic: [0x02, 0x21, 0x4c, 0x18], argv: ["lz4", "--decompress", "--stdout", "-q"], sizeAppended: true },
	{ magic: [0x1f, 0x8b], argv: ["gzip", "--decompress", "--stdout"], sizeAppended: false },
] as const;

const ELF_MAGIC = "7f454c46";

export interface CompressedKernel {
	/** The compressed stream alone. */
	stream: Uint8Array;
	/** The program that unpacks it, from standard input to standard output. */
	argv: readonly [string, ...string[]];
	unpackedBytes: number;
}

/** Finds the compressed ELF kernel inside a bzImage. @throws ProtocolError `malformed-bzimage` */
export function findCompressedKernel(image: Uint8Array): CompressedKernel {
	const bytes = Buffer.from(image.buffer, image.byteOffset, image.byteLength);
	if (bytes.length < 0x250 || bytes.toString("latin1", MAGIC_AT, MAGIC_AT + 4) !== MAGIC) {
		throw malformed("has no Linux boot header");
	}
	if (bytes.readUInt16LE(PROTOCOL_VERSION) < FIRST_PROTOCOL_WITH_PAYLOAD)
		throw malformed("has a boot header that is too old");
	// 0 means 4, for kernels from before the field existed.
	const setupBytes = ((bytes.readUInt8(SETUP_SECTS) || 4) + 1) * 512;
	const start = setupBytes + bytes.readUInt32LE(PAYLOAD_OFFSET);
	const end = start + bytes.readUInt32LE(PAYLOAD_LENGTH);
	if (end > bytes.length || end - start < 16) throw malformed("promises a payload that it does not hold");
	const payload = bytes.subarray(start, end);
	const format = FORMATS.find(({ magic }) => magic.every((byte, at) => payload[at] === byte));
	if (!format) throw malformed(`is compressed in an unknown way (${payload.toString("hex", 0, 6)})`);
	const unpackedBytes = payload.readUInt32LE(payload.length - 4);
	if (unpackedBytes === 0 || unpackedBytes > MAX_KERNEL_BYTES)
		throw malformed(`claims to unpack to ${unpackedBytes} bytes`);
	return { stream: format.sizeAppended ? payload.subarray(0, -4) : payload, argv: format.argv, unpackedBytes };
}

/**
 * Unpacks the ELF kernel from a distribution's bzImage. Xen loads it many times faster than the compressed one.
 * @throws ProtocolError `malformed-bzimage`, also when the unpacked size is not the one promised
 */
export async function extractVmlinux(vmlinuzPath: string, outPath: string): Promise<void> {
	const { stream, argv, unpackedBytes } = findCompressedKernel(await readFile(vmlinuzPath));
	const out = await open(outPath, "w");
	let good = false;
	try {
		const [program, ...args] = argv;
		const child = spawn(program, args, { stdio: ["pipe", out.fd, "pipe"] });
		let stderr = "";
		child.stderr?.on("data", (chunk: Buffer) => {
			stderr = (stderr + chunk.toString("utf8")).slice(-2048);
		});
		child.stdin?.on("error", () => {});
		child.stdin?.end(stream);
		const status = await new Promise<number | null>((resolve, reject) => {
			child.once("error", reject).once("close", resolve);
		});
		const { size } = await out.stat();
		if (status !== 0) throw malformed(`did not unpack with ${program}: ${stderr.trim()}`);
		if (size !== unpackedBytes) throw malformed(`unpacked to ${size} bytes and not to the promised ${unpackedBytes}`);
		good = true;
	} finally {
		await out.close();
		if (!good) await rm(outPath, { force: true });
	}
	await using unpacked = await open(outPath, "r");
	const { buffer } = await unpacked.read(Buffer.alloc(4), 0, 4, 0);
	if (buffer.toString("hex") !== ELF_MAGIC) throw malformed("does not hold an ELF kernel");
}

function malformed(what: string): ProtocolError {
	return new ProtocolError(`The kernel image ${what}`, {}, "malformed-bzimage");
}
