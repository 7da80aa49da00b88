import { readFile, rm, writeFile } from "node:fs/promises";
import { type CpioEntry, runProgram } from "@bulkhead/image";
import type { LabPaths } from "./lab-paths.ts";

/** Fresh keys for one boot: ours to log in with, dom0's to be known by. @returns dom0's half of them */
export async function createLabKeys(paths: LabPaths): Promise<CpioEntry[]> {
	for (const path of [paths.clientKey, paths.hostKey]) {
		await rm(path, { force: true });
		await rm(`${path}.pub`, { force: true });
		const argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "bulkhead-lab", "-f", path] as const;
		await runProgram(argv, { timeoutMs: 20_000 });
	}
	const hostPublic = await readFile(`${paths.hostKey}.pub`, "utf8");
	await writeFile(paths.knownHosts, `bulkhead-lab ${hostPublic}`, { mode: 0o600 });
	return [
		{ type: "file", path: "/etc/ssh/host_key", mode: 0o600, content: await readFile(paths.hostKey) },
		{ type: "file", path: "/etc/ssh/authorized_keys", mode: 0o600, content: await readFile(`${paths.clientKey}.pub`) },
	];
}
