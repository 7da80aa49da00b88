import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { LoopDevice } from "../ports/host-devices.ts";
import type { ContractHost, ContractRow, OpenContractHost } from "./contract-host.ts";
import { refused } from "./refused.ts";
import { rows } from "./rows.ts";
import { until } from "./until.ts";

const IMAGE_BYTES = 1 << 20;

export function loopsContract(open: OpenContractHost): ContractRow[] {
	return rows("loops", open, {
		"a file appears as a block device with its contents": async (host) => {
			const contents = randomBytes(IMAGE_BYTES);
			await withLoop(host, contents, { readOnly: true }, async (device) => {
				assert.ok((await readBlock(host, device.path)).equals(contents));
				assert.match(device.physicalDevice, /^7:[0-9a-f]+$/);
				if (!host.abilities.deviceNodes) return;
				const facts = await stat(device.path);
				assert.ok(facts.isBlockDevice());
				const minor = (facts.rdev & 0xff) | ((facts.rdev >> 12) & 0xfff00);
				assert.equal(device.physicalDevice, `${(facts.rdev >> 8).toString(16)}:${minor.toString(16)}`);
			});
		},
		"what is written reaches the file": async (host) => {
			const image = await withLoop(host, Buffer.alloc(IMAGE_BYTES), { readOnly: false }, async (device) => {
				const block = await host.openBlock(device.path, "r+");
				await block.write(8192, Buffer.alloc(4096, 0xa5));
				await block.close();
			});
			const contents = await readFile(image);
			assert.ok(contents.subarray(8192, 12_288).every((byte) => byte === 0xa5));
			assert.equal(contents[8191], 0);
		},
		"a read-only device refuses to be written": async (host) => {
			const image = await withLoop(host, Buffer.alloc(IMAGE_BYTES), { readOnly: true }, async (device) => {
				await assert.rejects(async () => {
					const block = await host.openBlock(device.path, "r+");
					try {
						await block.write(0, Buffer.alloc(4096, 0xa5));
					} finally {
						await block.close();
					}
				});
			});
			assert.ok((await readFile(image)).every((byte) => byte === 0));
		},
		"the device lives on while another has it open, then detaches itself": async (host) => {
			const contents = randomBytes(IMAGE_BYTES);
			const image = join(host.scratchDir, "image");
			await writeFile(image, contents);
			const device = await host.hypervisor.loops.attach(image, { readOnly: true });
			const other = await host.openBlock(device.path, "r");
			device.release();
			device.release();
			const tail = await other.read(IMAGE_BYTES - 4096, 4096);
			assert.ok(tail.equals(contents.subarray(IMAGE_BYTES - 4096)));
			await other.close();
			await until("the device is detached", () => isDetached(host, device.path));
		},
		"several files get devices of their own at the same time": async (host) => {
			const devices = await Promise.all(
				Array.from({ length: 6 }, async (_, index) => {
					const image = join(host.scratchDir, `image-${index}`);
					await writeFile(image, Buffer.alloc(4096, index + 1));
					return host.hypervisor.loops.attach(image, { readOnly: true });
				}),
			);
			assert.equal(new Set(devices.map(({ path }) => path)).size, devices.length);
			for (const [index, device] of devices.entries()) {
				assert.equal((await readBlock(host, device.path))[0], index + 1);
				device.release();
			}
		},
		"what is no regular file is refused": async (host) => {
			const { loops } = host.hypervisor;
			await refused(() => loops.attach(join(host.scratchDir, "missing"), { readOnly: true }), "ENOENT");
			await refused(() => loops.attach(host.scratchDir, { readOnly: true }), "EINVAL");
			await refused(() => loops.attach("/dev/null", { readOnly: false }), "EINVAL");
		},
	});
}

/** Attaches a file with these contents, releases it on every path, and answers the file's path. */
async function withLoop(
	host: ContractHost,
	contents: Buffer,
	options: { readOnly: boolean },
	use: (device: LoopDevice) => Promise<void>,
): Promise<string> {
	const image = join(host.scratchDir, "image");
	await writeFile(image, contents);
	const device = await host.hypervisor.loops.attach(image, options);
	try {
		await use(device);
	} finally {
		device.release();
	}
	await until("the device is detached", () => isDetached(host, device.path));
	return image;
}

async function readBlock(host: ContractHost, path: string): Promise<Buffer> {
	const block = await host.openBlock(path, "r");
	try {
		return await block.read(0, 2 * IMAGE_BYTES);
	} finally {
		await block.close();
	}
}

/** A detached device is empty. */
async function isDetached(host: ContractHost, path: string): Promise<boolean> {
	return (await readBlock(host, path)).length === 0;
}
