import { PeerRefusedError, ProtocolError } from "@bulkhead/base";
import { checkEvent } from "@bulkhead/qmp/commands";
import { checkHmp, HMP_COMMAND } from "./hmp-policy.ts";

/** Who asks: bulkheadd over the control socket, or whoever connects to one of a guest's QMP sockets. */
export type QmpRole = "toolstack" | "operator" | "reader" | "monitor";

export interface QmpPolicy {
	/** What each role may say: exact names, or a prefix ending in "*". */
	commands: Readonly<Record<QmpRole, readonly string[]>>;
	/** Who may say anything to the monitor for people; others are held to hmp-policy.ts. */
	wholeMonitor?: readonly QmpRole[];
	/** Longest arguments of a command as JSON, in bytes. */
	argumentBytes: number;
	/** Longest data of an event as JSON, in bytes; longer ones are dropped. */
	eventBytes: number;
	events: Rate;
	/** Of each client of a socket. */
	client: Rate & { inFlight: number };
	/** At once at each socket; further ones are turned away. */
	clients: number;
	/** Commands that a QEMU owes answers to, all clients of its sockets together; more wait for their turn. */
	inFlight: number;
}

interface Rate {
	burst: number;
	perSecond: number;
}

/** The monitor for people has an allow-list of its own commands: see hmp-policy.ts. */
const READING = ["query-*", "qom-get", "qom-list", "qom-list-properties", HMP_COMMAND];

/**
 * What the toolstack and its users need of a guest's QEMU. Not on the list, on purpose: anything that names a file or a
 * socket of the host that QEMU runs in (`pmemsave`, `chardev-add`, `dump-guest-memory`, `migrate` …) and most of the
 * human monitor, which can do all of it.
 */
const ACTING = [
	...READING,
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
];

/** Figures and states: nothing that names a file of the host or shows what the guest does. */
const MONITORING = [
	"query-status",
	"query-version",
	"query-name",
	"query-uuid",
	"query-blockstats",
	"query-balloon",
	"query-cpus-fast",
	"query-iothreads",
	"query-jobs",
	"query-block-jobs",
	"query-memory-size-summary",
];

export const DEFAULT_QMP_POLICY: QmpPolicy = {
	commands: { toolstack: ACTING, operator: ACTING, reader: READING, monitor: MONITORING },
	argumentBytes: 64 * 1024,
	eventBytes: 64 * 1024,
	events: { burst: 200, perSecond: 50 },
	client: { burst: 200, perSecond: 50, inFlight: 8 },
	clients: 16,
	inFlight: 48,
};

/** More commands for those who may act. */
export function allowMore(policy: QmpPolicy, commands: readonly string[]): QmpPolicy {
	const { toolstack, operator } = policy.commands;
	const isWhole = commands.some((allowed) => matches(allowed, HMP_COMMAND));
	return {
		...policy,
		...(isWhole && { wholeMonitor: ["toolstack", "operator"] }),
		commands: {
			...policy.commands,
			toolstack: [...toolstack, ...commands],
			operator: [...operator, ...commands],
		},
	};
}

const EVENT_NAME = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;

export interface QmpCommand {
	role: QmpRole;
	command: string;
	args?: Record<string, unknown>;
	/** Out of band. */
	oob?: boolean;
	timeoutMs: number;
}

/** @throws PeerRefusedError `qmp-command-refused`, `qmp-arguments-too-long` */
export function checkCommand(policy: QmpPolicy, { role, command, args }: Omit<QmpCommand, "timeoutMs">): void {
	if (!policy.commands[role].some((allowed) => matches(allowed, command)))
		throw new PeerRefusedError("qmp-command-refused", `QMP command ${command} is not allowed to a ${role}`, {
			remedy: "Allow it with the relay's option --qmp-allow, if you trust every operator of this host with it",
			fields: { command, role },
		});
	if (command === HMP_COMMAND && !policy.wholeMonitor?.includes(role)) checkHmp(args, { mayAct: role !== "reader" });
	const bytes = args === undefined ? 0 : Buffer.byteLength(JSON.stringify(args));
	if (bytes > policy.argumentBytes)
		throw new PeerRefusedError("qmp-arguments-too-long", `QMP command ${command} has ${bytes} bytes of arguments`, {
			fields: { command, bytes, limit: policy.argumentBytes },
		});
}

/** Whether an event of a QEMU that nobody trusts may be told on: its name, its size and, if it is known, its form. */
export function isFitEvent(policy: QmpPolicy, { event, data }: { event: string; data?: unknown }): boolean {
	if (!EVENT_NAME.test(event)) return false;
	if (data !== undefined && Buffer.byteLength(JSON.stringify(data)) > policy.eventBytes) return false;
	try {
		checkEvent(event, data);
		return true;
	} catch (error) {
		if (error instanceof ProtocolError) return false;
		throw error;
	}
}

function matches(allowed: string, command: string): boolean {
	return allowed.endsWith("*") ? command.startsWith(allowed.slice(0, -1)) : command === allowed;
}
