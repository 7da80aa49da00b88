import type { Lab } from "./lab.ts";

/**
 * Everything in dom0 that a guest could leave behind, one line each: domains, xenstore keys, loop devices, files and
 * sockets below the daemons' directories, pseudo-terminals, processes. The shell's own processes are left out by the
 * marker that the script carries in its arguments.
 */
const SNAPSHOT = `
xl list | awk 'NR > 1 { print "domain " $1 }'
xenstore-ls -f | sed -n 's/^\\(\\/[^ ]*\\) = .*/xenstore \\1/p'
losetup -a | sed 's/^/loop /'
find /run/bulkhead /var/lib/bulkhead /var/lib/bulkhead-relay /tmp -mindepth 1 2>/dev/null | sed 's/^/file /'
ls /dev/pts | sed 's/^/pty /'
for p in /proc/[0-9]*; do
  [ -r $p/cmdline ] || continue
  c=$(tr '\\0' ' ' < $p/cmdline 2>/dev/null)
  case "$c" in ''|*residue-snapshot*|*dropbear*|*sshd*|tr\\ *|awk\\ *|sed\\ *) ;; *) echo "process $c" ;; esac
done
`;

/** What is in dom0 now. */
export async function takeSnapshot(lab: Lab): Promise<string[]> {
	const { stdout, exitCode } = await lab.exec(["sh", "-c", SNAPSHOT, "residue-snapshot"], { timeoutMs: 60_000 });
	if (exitCode !== 0) throw new Error(`The snapshot of dom0 ended with ${exitCode}`);
	return stdout.toString().split("\n").filter(Boolean);
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
