import { PeerRefusedError } from "@bulkhead/base";

export interface QmpPolicy {
	/** Exact names, or a prefix ending in "*". */
	commands: readonly string[];
	/** Longest arguments of a command as JSON, in bytes. */
	argumentBytes: number;
	/** Longest data of an event as JSON, in bytes; longer ones are dropped. */
	eventBytes: number;
	events: { burst: number; perSecond: number };
}

/**
 * What the toolstack and its users need of a guest's QEMU. Not on the list, on purpose: anything that names a file or a
 * socket of the host that QEMU runs in (`pmemsave`, `chardev-add`, `dump-guest-memory`, `migrate` …) and the human
 * monitor, which can do all of it.
 */
export const DEFAULT_QMP_POLICY: QmpPolicy = {
	commands: [
		"query-*",
		"qom-get",
		"qom-list",
		"qom-list-properties",
		"cont",
		"stop",
		"quit",
		"system_powerdown",
		"system_reset",
		"system_wakeup",
		"inject-nmi",
		"send-key",
		"input-send-event",
		"eject",
		"blockdev-open-tray",
		"blockdev-close-tray",
		"blockdev-remove-medium",
		"blockdev-insert-medium",
		"blockdev-change-medium",
		"remove-fd",
		"device_add",
		"device_del",
		"change-vnc-password",
		"xen-load-devices-state",
		"xen-save-devices-state",
		"xen-set-global-dirty-log",
	],
	argumentBytes: 64 * 1024,
	eventBytes: 64 * 1024,
	events: { burst: 200, perSecond: 50 },
};

const EVENT_NAME = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;

/** @throws PeerRefusedError `qmp-command-refused`, `qmp-arguments-too-long` */
export function checkCommand(policy: QmpPolicy, command: string, args: Record<string, unknown> | undefined): void {
	if (!policy.commands.some((allowed) => matches(allowed, command)))
		throw new PeerRefusedError("qmp-command-refused", `QMP command ${command} is not allowed by the relay's policy`, {
			remedy: "Allow it with the relay's option --qmp-allow, if you trust every user of this host with it",
			fields: { command },
		});
	const bytes = args === undefined ? 0 : Buffer.byteLength(JSON.stringify(args));
	if (bytes > policy.argumentBytes)
		throw new PeerRefusedError("qmp-arguments-too-long", `QMP command ${command} has ${bytes} bytes of arguments`, {
			fields: { command, bytes, limit: policy.argumentBytes },
		});
}

/** Whether an event of a QEMU that nobody trusts may be told on. */
export function isFitEvent(policy: QmpPolicy, event: { event: string; data?: unknown }): boolean {
	if (!EVENT_NAME.test(event.event)) return false;
	return event.data === undefined || Buffer.byteLength(JSON.stringify(event.data)) <= policy.eventBytes;
}

function matches(allowed: string, command: string): boolean {
	return allowed.endsWith("*") ? command.startsWith(allowed.slice(0, -1)) : command === allowed;
}
