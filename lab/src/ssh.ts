import type { LabPaths } from "./lab-paths.ts";

/** Arguments of ssh(1) that every connection to a lab shares: its own key, its own host key, no configuration of the user. */
export function sshArgs(paths: LabPaths, sshPort: number): string[] {
	const options: Record<string, string> = {
		BatchMode: "yes",
		ControlMaster: "no",
		ControlPath: `"${paths.sshSocket}"`,
		GlobalKnownHostsFile: "none",
		HostKeyAlias: "bulkhead-lab",
		IdentitiesOnly: "yes",
		IdentityFile: `"${paths.clientKey}"`,
		LogLevel: "ERROR",
		PasswordAuthentication: "no",
		StrictHostKeyChecking: "yes",
		UserKnownHostsFile: `"${paths.knownHosts}"`,
	};
	return [
		"-F",
		"none",
		"-p",
		String(sshPort),
		...Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`]),
	];
}

export const SSH_DESTINATION = "root@127.0.0.1";
