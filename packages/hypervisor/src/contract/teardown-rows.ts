import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { DOM0 } from "@bulkhead/base";
import type { ContractRow, OpenContractHost } from "./contract-host.ts";
import { rows } from "./rows.ts";
import { TEARDOWN_WAYS, type TeardownTarget, type TeardownWay, VICTIM_READY } from "./teardown-victim.ts";
import { withPvGuest } from "./test-domain.ts";
import { until } from "./until.ts";

const CLEAR_OFFSET = 40;

/**
 * What the native engine promises beyond the ports: however a process ends, the kernel clears the byte, notifies the
 * port, and nothing of the guest stays mapped. `program` is this runner's own file.
 */
export function teardownRows(open: OpenContractHost, program: string): ContractRow[] {
	const sentences: Record<TeardownWay, string> = {
		killed: "a process that is killed leaves no mapping, and its peer is told",
		exit: "a process that exits without closing anything leaves no mapping, and its peer is told",
		"worker-ended": "a worker thread that ends without closing anything leaves no mapping, and its process is well",
		"worker-terminated": "a worker thread that is terminated leaves no mapping, and its process is well",
		collected: "a mapping that is forgotten is unmapped by the garbage collector",
	};
	return TEARDOWN_WAYS.flatMap((way) =>
		rows("teardown", open, {
			[sentences[way]]: async (host) => {
				await withPvGuest(host, {}, async ({ domid, consoleFrame }) => {
					const foreign = host.hypervisor.foreignMemory.map(domid, [consoleFrame], { writable: true });
					const seen = new Uint8Array(foreign.buffer);
					seen.fill(0x77, CLEAR_OFFSET - 1, CLEAR_OFFSET + 2);
					let told = 0;
					const ours = host.rings.evtchns.bindUnbound(DOM0, () => told++);
					const target: TeardownTarget = {
						way,
						domid,
						consoleFrame,
						parentPort: ours.port,
						clearByteOffset: CLEAR_OFFSET,
						program,
					};
					const child = spawn(process.execPath, ["--expose-gc", program, "--victim", JSON.stringify(target)], {
						stdio: ["ignore", "pipe", "inherit"],
					});
					const exited = once(child, "exit");
					const lines: string[] = [];
					createInterface(child.stdout).on("line", (line) => lines.push(line));
					try {
						await until("the victim holds everything", () => lines[0] === VICTIM_READY || child.exitCode !== null);
						assert.equal(lines[0], VICTIM_READY);
						if (way === "killed") child.kill("SIGKILL");
						await until("the byte is cleared", () => seen[CLEAR_OFFSET] === 0);
						assert.deepEqual([...seen.subarray(CLEAR_OFFSET - 1, CLEAR_OFFSET + 2)], [0x77, 0, 0x77]);
						await until("the peer is told", () => told > 0);
						if (way === "collected") child.kill("SIGKILL");
						const [status, signal] = await exited;
						if (signal !== "SIGKILL") assert.equal(status, 0);
						if (way.startsWith("worker")) assert.equal(lines[1], "the main thread is well");
					} finally {
						child.kill("SIGKILL");
						await exited;
					}
					foreign.unmap();
					ours.close();
				});
			},
		}),
	);
}
