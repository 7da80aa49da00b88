import type { SerializedError, Uuid } from "@bulkhead/base";
import * as z from "zod";
import {
	type DoctorCheck,
	EVENT_TYPES,
	type Guest,
	type Host,
	type HostEvent,
	type ProgressLine,
} from "./documents.ts";
import { API } from "./protocol.ts";
import type {
	AttachNicRequest,
	CreateGuestRequest,
	DumpCoreRequest,
	QmpRequest,
	RenameRequest,
	ShutdownRequest,
} from "./requests.ts";

const timeoutMs = z.number().int().min(1).max(API.longestTimeoutMs);
const count = z.number().int().min(0);
const DEFAULT_TIMEOUT_MS = 60_000;

export const createGuestRequest: z.ZodType<CreateGuestRequest> = z.object({
	configText: z.string(),
	file: z.string().min(1).max(4096),
	baseDir: z.string().startsWith("/").max(4096),
	overrides: z.array(z.string()).max(256).default([]),
	paused: z.boolean().default(false),
	dryRun: z.boolean().default(false),
});

export const shutdownRequest: z.ZodType<ShutdownRequest> = z.object({
	wait: z.boolean().default(false),
	timeoutMs: timeoutMs.default(DEFAULT_TIMEOUT_MS),
	force: z.boolean().default(false),
});

/** What a name may be is xlcfg's to say (guestNameProblem). */
export const renameRequest: z.ZodType<RenameRequest> = z.object({ name: z.string().min(1).max(256) });

export const dumpCoreRequest: z.ZodType<DumpCoreRequest> = z.object({
	path: z
		.string()
		.max(4096)
		.regex(/^\/[^\0]+$/),
});

export const attachNicRequest: z.ZodType<AttachNicRequest> = z.object({ spec: z.string().max(4096) });

export const qmpRequest: z.ZodType<QmpRequest> = z.object({
	command: z.string().regex(/^[A-Za-z][A-Za-z0-9_.-]{0,127}$/),
	arguments: z.record(z.string(), z.unknown()).optional(),
	timeoutMs: timeoutMs.default(DEFAULT_TIMEOUT_MS),
});

export const guestDocument: z.ZodType<Guest> = z.object({
	uuid: z.uuid().transform((text) => text as Uuid),
	name: z.string(),
	domid: count.optional(),
	type: z.enum(["hvm", "pvh", "pv"]),
	phase: z.enum(["creating", "running", "paused", "shutdown", "crashed", "dying", "ended"]),
	state: z.string().regex(/^[r-][b-][p-][s-][c-][d-]$/),
	memoryKiB: count,
	vcpus: count,
	cpuSeconds: z.number().min(0),
	uptimeSeconds: z.number().min(0),
	stub: z
		.object({
			domid: count.optional(),
			memoryKiB: count,
			state: z.enum(["starting", "running", "failed"]),
			error: z.string().optional(),
		})
		.optional(),
	screen: z
		.object({
			socketPath: z.string().optional(),
			viewers: count,
			mostViewers: count,
			listen: z
				.object({
					address: z.string(),
					port: count,
					security: z.enum(["none", "password", "tls", "tls-and-password"]),
				})
				.optional(),
			problem: z.string().optional(),
		})
		.optional(),
	localQemu: z
		.object({
			pid: count.optional(),
			state: z.enum(["starting", "running", "failed"]),
			error: z.string().optional(),
		})
		.optional(),
	qmp: z.object({ status: z.string() }).optional(),
	consoles: z.array(
		z.object({
			label: z.string(),
			kind: z.enum(["serial", "pv", "stub"]),
			ptyPath: z.string().optional(),
			socketPath: z.string().optional(),
		}),
	),
	createdAt: z.iso.datetime(),
	lastEnd: z.object({ reason: z.string(), at: z.iso.datetime() }).optional(),
});

export const hostDocument: z.ZodType<Host> = z.object({
	xenVersion: z.string(),
	capabilities: z.array(z.string()),
	totalKiB: count,
	freeKiB: count,
	nrCpus: count,
	cpuKHz: count,
	hvm: z.boolean(),
	hap: z.boolean(),
	commandLine: z.string(),
	compiler: z.string(),
	daemon: z.object({ version: z.string(), pid: count }),
	relay: z.object({ connected: z.boolean() }),
});

export const doctorDocument: z.ZodType<{ checks: DoctorCheck[] }> = z.object({
	checks: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string(), remedy: z.string().optional() })),
});

export const serializedError: z.ZodType<SerializedError> = z.object({
	code: z.string(),
	message: z.string(),
	remedy: z.string().optional(),
	fields: z.record(z.string(), z.unknown()).optional(),
	get cause() {
		return serializedError.optional();
	},
});

export const progressLine: z.ZodType<ProgressLine> = z.object({
	type: z.literal("progress"),
	step: z.string(),
	title: z.string(),
	state: z.enum(["start", "done", "failed", "undone", "undo-failed"]),
	ms: z.number().min(0),
});

/** Details beside `time`, `type` and `guest` depend on the type and pass through. */
export const hostEvent: z.ZodType<HostEvent> = z.looseObject({
	time: z.iso.datetime(),
	type: z.enum(EVENT_TYPES),
	guest: z
		.object({ uuid: z.uuid().transform((text) => text as Uuid), name: z.string(), domid: count.optional() })
		.optional(),
});
