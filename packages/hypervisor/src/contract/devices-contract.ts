import assert from "node:assert/strict";
import { once } from "node:events";
import { closeSync, constants, openSync, readSync, writeSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import type { Pty } from "../ports/host-devices.ts";
import type { ContractHost, ContractRow, OpenContractHost } from "./contract-host.ts";
import { refused } from "./refused.ts";
import { rows } from "./rows.ts";
import { until } from "./until.ts";

const OPEN_SLAVE = constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK;
const TRAFFIC_BYTES = 256 * 1024;

export function devicesContract(open: OpenContractHost): ContractRow[] {
	return rows("devices", open, {
		"a pty carries every byte value both ways, unchanged": async (host) => {
			await withPty(host, async (pty) => {
				const slave = openSync(pty.path, OPEN_SLAVE);
				const every = Buffer.from(Array.from({ length: 256 }, (_, value) => value));
				for (const [from, to] of [
					[pty.masterFd, slave],
					[slave, pty.masterFd],
				] as const) {
					assert.equal(writeSync(from, every), every.length);
					assert.deepEqual(await readExactly(to, every.length), every);
				}
				// Nothing was echoed.
				assert.equal(host.rings.devices.pollFd(pty.masterFd).readable, false);
				closeSync(slave);
			});
		},
		"a pty tells whether somebody has it open": async (host) => {
			const { devices } = host.rings;
			await withPty(host, async ({ masterFd, path }) => {
				assert.equal(devices.pollFd(masterFd).hangup, true);
				for (let turn = 0; turn < 2; turn++) {
					const slave = openSync(path, OPEN_SLAVE);
					assert.deepEqual(devices.pollFd(masterFd), { readable: false, writable: true, hangup: false });
					closeSync(slave);
					assert.equal(devices.pollFd(masterFd).hangup, true);
				}
			});
		},
		"a pty stays raw when its reader comes and goes": async (host) => {
			await withPty(host, async ({ masterFd, path }) => {
				for (let turn = 0; turn < 2; turn++) {
					const slave = openSync(path, OPEN_SLAVE);
					writeSync(masterFd, "\u0003\r\n\u0004x");
					assert.equal((await readExactly(slave, 5)).toString("latin1"), "\u0003\r\n\u0004x");
					closeSync(slave);
				}
			});
		},
		"readiness on the loop carries much data through a pty without losing a byte": async (host) => {
			const { devices } = host.rings;
			await withPty(host, async ({ masterFd, path }) => {
				const slave = openSync(path, OPEN_SLAVE);
				const sent = Buffer.from(Array.from({ length: TRAFFIC_BYTES }, (_, index) => (index * 7919) >> 3));
				const received: Buffer[] = [];
				let written = 0;
				let read = 0;
				const writer = devices.pollLoop(masterFd, ({ writable }) => {
					if (writable) written += writeSome(masterFd, sent.subarray(written, written + 4096));
					if (written === sent.length) writer.watch({});
				});
				const reader = devices.pollLoop(slave, ({ readable }) => {
					if (!readable) return;
					const chunk = readSome(slave, 8192);
					read += chunk.length;
					received.push(chunk);
				});
				writer.watch({ writable: true });
				reader.watch({ readable: true });
				await until("everything has arrived", () => read === sent.length);
				assert.ok(Buffer.concat(received).equals(sent));
				writer.close();
				reader.close();
				closeSync(slave);
			});
		},
		"readiness tells a hangup, can be paused and resumed, and is silent after close": async (host) => {
			const { devices } = host.rings;
			await withPty(host, async ({ masterFd, path }) => {
				let calls = 0;
				let hangups = 0;
				const poll = devices.pollLoop(masterFd, ({ hangup }) => {
					calls++;
					if (hangup) {
						hangups++;
						poll.watch({});
					}
				});
				poll.watch({ readable: true });
				await until("the missing reader is told", () => hangups === 1);
				const slave = openSync(path, OPEN_SLAVE);
				poll.watch({ readable: true });
				writeSync(slave, "x");
				const before = calls;
				await until("data is told", () => calls > before);
				poll.close();
				poll.close();
				const after = calls;
				writeSync(slave, "y");
				await until("the data is there", () => devices.pollFd(masterFd).readable);
				await new Promise((resolve) => setImmediate(resolve));
				assert.equal(calls, after);
				closeSync(slave);
			});
		},
		"a descriptor that is not open is refused": async ({ rings: { devices } }) => {
			await refused(() => devices.pollFd(100_000), "EBADF");
			await refused(() => devices.pollLoop(100_000, () => {}), "EBADF");
			await refused(() => devices.peerCredentials(100_000), "EBADF");
			assert.throws(() => devices.pollFd(-1), TypeError);
			assert.throws(() => devices.pollFd(0.5), TypeError);
		},
		"the peer of a unix socket is known": async (host) => {
			const path = join(host.scratchDir, "socket");
			const server = createServer().listen(path);
			try {
				const client = connect(path);
				const [accepted] = (await once(server, "connection")) as [Socket];
				const peer = host.rings.devices.peerCredentials(descriptorOf(accepted));
				const pid = host.abilities.socketPeers ? process.pid : 0;
				assert.deepEqual(peer, { uid: process.getuid?.(), gid: process.getgid?.(), pid });
				client.destroy();
				accepted.destroy();
			} finally {
				server.close();
			}
		},
	});
}

/** An engine without the kernel's device nodes has no ptys and says so. */
async function withPty(host: ContractHost, use: (pty: Pty) => Promise<void>): Promise<void> {
	if (!host.abilities.deviceNodes) {
		await refused(() => host.rings.devices.openPty(), "ENOSYS");
		return;
	}
	const pty = host.rings.devices.openPty();
	try {
		assert.match(pty.path, /^\/dev\/pts\/\d+$/);
		await use(pty);
	} finally {
		closeSync(pty.masterFd);
	}
}

/** Node tells a socket's descriptor by its handle only. */
function descriptorOf(socket: Socket): number {
	return (socket as unknown as { _handle: { fd: number } })._handle.fd;
}

async function readExactly(fd: number, length: number): Promise<Buffer> {
	let got = Buffer.alloc(0);
	await until(`${length} bytes arrive`, () => {
		got = Buffer.concat([got, readSome(fd, length - got.length)]);
		return got.length >= length;
	});
	return got;
}

function readSome(fd: number, length: number): Buffer {
	const buffer = Buffer.alloc(length);
	return buffer.subarray(
		0,
		unlessBusy(() => readSync(fd, buffer)),
	);
}

function writeSome(fd: number, bytes: Buffer): number {
	return bytes.length === 0 ? 0 : unlessBusy(() => writeSync(fd, bytes));
}

function unlessBusy(call: () => number): number {
	try {
		return call();
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === "EAGAIN") return 0;
		throw error;
	}
}
