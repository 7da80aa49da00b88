import { withDeadline } from "@bulkhead/base";
import type { Lab } from "../lab.ts";
import { findResidue, takeSnapshot } from "../residue.ts";
import { ask, awaitMarker, createExample, expectedSha256 } from "./example-guest.ts";

export interface CheckOptions {
	labMs: number;
	say: (line: string) => void;
	signal: AbortSignal;
}

interface Evidence {
	xen: string;
	kernel: string;
	qemu: string;
	node: string;
	guest: { domid: number; uuid: string };
	stub: { domid: number; memoryMiB: number };
	qmp: { status: string };
	serial: { marker: string };
	dom0Processes: string[];
	phases: Record<string, number>;
	residue: string[];
	failures: string[];
}

const FORBIDDEN_IN_DOM0 = /qemu|vchan-socket-proxy|(^|\/)xl( |$)/;
const ANSWER_TIMEOUT_MS = 60_000;
const PHASE_TIMEOUT_MS = 600_000;

/** Everything that `npm run up` promises, without a person; the evidence is the last line of stdout. */
export async function runCheck(lab: Lab, { labMs, say, signal }: CheckOptions): Promise<number> {
	const phases: Record<string, number> = { lab: labMs };
	const failures: string[] = [];
	const phase = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
		const began = performance.now();
		try {
			return await withDeadline(work(), { timeoutMs: PHASE_TIMEOUT_MS, signal, what: `phase ${name}` });
		} finally {
			phases[name] = Math.round(performance.now() - began);
		}
	};
	const assert = (holds: boolean, failure: string): void => {
		if (!holds) failures.push(failure);
	};

	const description = lab.describe();
	const before = await takeSnapshot(lab);
	const guest = await phase("create", () => createExample(lab, say));
	const { serial, sha256 } = await phase("boot", () => awaitMarker(lab, guest));
	assert(sha256 === (await expectedSha256(lab)), `The guest read other data from its disk: SHA-256 ${sha256}`);
	await phase("shell", async () => {
		serial.write("\n");
		await serial.expect(/guest# /, ANSWER_TIMEOUT_MS);
		serial.write("echo answer-$((6 * 7))\n");
		await serial.expect(/answer-42/, ANSWER_TIMEOUT_MS);
	});
	serial.close();
	const qmp = await phase("qmp", () => ask<{ return: { status: string } }>(lab, "qmp", guest.name, "query-status"));
	assert(qmp.return.status === "running", `QEMU's status is ${qmp.return.status}`);
	const dom0Processes = processesOf(await takeSnapshot(lab));
	const forbidden = dom0Processes.filter((line) => FORBIDDEN_IN_DOM0.test(line));
	assert(forbidden.length === 0, `dom0 runs ${forbidden.join("; ")}`);
	await phase("destroy", () => ask(lab, "destroy", guest.name));
	const residue = await findResidue(lab, before);
	assert(residue.length === 0, `Left after destroy: ${residue.join("; ")}`);

	const evidence: Evidence = {
		xen: upstreamVersion(description.xen),
		kernel: description.kernel,
		qemu: upstreamVersion(description.qemu),
		node: description.node,
		guest: { domid: guest.domid, uuid: guest.uuid },
		stub: { domid: guest.stub.domid, memoryMiB: Math.round(guest.stub.memoryKiB / 1024) },
		qmp: qmp.return,
		serial: { marker: `BULKHEAD-GUEST-READY disk-sha256=${sha256} write=ok` },
		dom0Processes,
		phases,
		residue,
		failures,
	};
	for (const failure of failures) say(`FAILED: ${failure}`);
	process.stdout.write(`${JSON.stringify(evidence)}\n`);
	return failures.length === 0 ? 0 : 1;
}

/** "4.17.7+13-g2445b30a44-0+deb12u1" → "4.17.7"; "1:7.2+dfsg-7" → "7.2" */
const upstreamVersion = (version: string): string => /^(?:\d+:)?(\d+(?:\.\d+)+)/.exec(version)?.[1] ?? version;

const processesOf = (snapshot: string[]): string[] =>
	snapshot.filter((line) => line.startsWith("process ")).map((line) => line.slice("process ".length).trim());
