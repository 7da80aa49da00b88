import type { GuestDetails } from "@bulkhead/api/client";
import { printable } from "@bulkhead/base";
import { formatDuration } from "./format-duration.ts";

/** All about one guest, a fact a line. */
export function guestSheet(guest: GuestDetails): string {
	const { config, stub, localQemu, qmp, lastEnd } = guest;
	const facts: [string, string | undefined][] = [
		["uuid", guest.uuid],
		["domid", guest.domid?.toString()],
		["type", guest.type],
		["phase", `${guest.phase} (${guest.state})`],
		["memory", `${guest.memoryKiB / 1024} MiB`],
		["vcpus", `${guest.vcpus}`],
		["cpu time", `${guest.cpuSeconds.toFixed(1)} s`],
		["uptime", formatDuration(guest.uptimeSeconds)],
		["created", guest.createdAt],
		["stub domain", stub && `${stub.domid ?? "-"}, ${stub.memoryKiB / 1024} MiB, ${stub.state}`],
		["stub error", stub?.error],
		["qemu in domain 0", localQemu && `process ${localQemu.pid ?? "-"}, ${localQemu.state}`],
		["qemu error", localQemu?.error],
		["qemu", qmp?.status],
		["last end", lastEnd && `${lastEnd.reason} at ${lastEnd.at}`],
		...config.disks.map(({ vdev, path, readOnly, cdrom }): [string, string] => [
			`disk ${vdev}`,
			`${path ?? "(empty)"}${cdrom ? ", cdrom" : ""}${readOnly ? ", read-only" : ""}`,
		]),
		...guest.consoles.map(({ label, ptyPath, socketPath }): [string, string] => [
			`console ${label}`,
			[ptyPath, socketPath].filter((path) => path !== undefined).join(", ") || "not served",
		]),
		...Object.entries(config.lifecycle).map(([end, action]): [string, string] => [`on ${end}`, action]),
	];
	const lines = facts.flatMap(([key, value]) =>
		value === undefined ? [] : [`  ${printable(key, 32).padEnd(24)}${printable(value, 4096)}`],
	);
	return [printable(guest.name, 64), ...lines].join("\n");
}
