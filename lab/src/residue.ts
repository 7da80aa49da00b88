import type { Lab } from "./lab.ts";

/**
 * Everything in dom0 that a guest could leave behind, one line each: domains, xenstore keys, loop devices, network
 * interfaces, files and sockets below the daemons' directories, pseudo-terminals, processes.
 */
const SNAPSHOT = `
xl list | awk 'NR > 1 { print "domain " $1 }'
xenstore-ls -f | sed -n 's/^\\(\\/[^ ]*\\) = .*/xenstore \\1/p'
losetup -a | sed 's/^/loop /'
ls /sys/class/net | sed 's/^/interface /'
find /run/bulkhead /var/lib/bulkhead /var/lib/bulkhead-relay /tmp -mindepth 1 2>/dev/null | sed 's/^/file /'
ls /dev/pts | sed 's/^/pty /'
ps -e -ww -o args | sed 's/^/process /'
`;

/** Kernel threads come and go; the rest is this snapshot itself and the connection that it is asked through. */
const OURS = /^process (COMMAND$|\[|.*residue-snapshot|\{?ps\b|sed |sshd|.*\/usr\/sbin\/sshd|xl list|awk )/;

/** What is in dom0 now. */
export async function takeSnapshot(lab: Lab): Promise<string[]> {
	const { stdout, exitCode } = await lab.exec(["sh", "-c", SNAPSHOT, "residue-snapshot"], { timeoutMs: 60_000 });
	if (exitCode !== 0) throw new Error(`The snapshot of dom0 ended with ${exitCode}`);
	return stdout
		.toString()
		.split("\n")
		.filter((line) => line !== "" && !OURS.test(line));
}

/** What is there now and was not before, repeated lines counted. */
export async function findResidue(lab: Lab, before: readonly string[]): Promise<string[]> {
	const known = new Map<string, number>();
	for (const line of before) known.set(line, (known.get(line) ?? 0) + 1);
	return (await takeSnapshot(lab)).filter((line) => {
		const left = known.get(line) ?? 0;
		known.set(line, left - 1);
		return left <= 0;
	});
}
