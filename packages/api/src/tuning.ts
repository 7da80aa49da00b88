import * as z from "zod";

/** A vcpu of a running guest, as GET /guests/{ref}/vcpus tells of it. */
export interface GuestVcpu {
	vcpu: number;
	online: boolean;
	blocked: boolean;
	running: boolean;
	cpu: number;
	cpuTimeNs: number;
	/** Processors that it must run on, and would rather run on. */
	hard: number[];
	soft: number[];
}

/** Answer of GET /guests/{ref}/vcpus. */
export interface GuestVcpus {
	name: string;
	domid: number;
	/** How many processors the host has: an affinity to all of them is none. */
	hostCpus: number;
	vcpus: GuestVcpu[];
}

/** Body of POST /guests/{ref}/vcpus. */
export interface SetVcpusRequest {
	count: number;
}

/** Body of POST /guests/{ref}/vcpus/pin: sets in xl's words. */
export interface PinRequest {
	vcpu: number | "all";
	hard?: string;
	soft?: string;
	/** Beyond the processors that the host leaves to guests. Default false. */
	ignoreMasks?: boolean;
}

/** Body of POST /guests/{ref}/memory. */
export interface SetMemoryRequest {
	targetKiB?: number;
	maxKiB?: number;
}

/** Answer of GET and POST /guests/{ref}/scheduling. */
export type GuestScheduling = { name: string; domid: number; pool: string } & (
	| { scheduler: "credit" | "credit2"; weight: number; cap: number }
	| { scheduler: "rtds"; periodUs: number; budgetUs: number }
);

/** Body of POST /guests/{ref}/scheduling. */
export interface SetSchedulingRequest {
	/** The scheduler that is meant: refused when the guest runs under another. */
	scheduler: "credit" | "credit2";
	weight?: number;
	cap?: number;
}

/** Body of POST /guests/{ref}/trigger. */
export interface TriggerRequest {
	trigger: "nmi" | "reset" | "init" | "power" | "sleep" | "s3resume";
	vcpu?: number;
}

/** Answer of GET /host/pools. */
export interface Pool {
	id: number;
	name: string;
	scheduler: string;
	domains: number;
	cpus: number[];
}

/** Body of POST /host/pools. */
export interface CreatePoolRequest {
	name: string;
	scheduler: "credit" | "credit2" | "rtds" | "null";
	/** A set in xl's words, of processors that belong to no pool. */
	cpus?: string;
}

const count = z.number().int().min(0);
const cpuSet = z.string().min(1).max(1024);

export const setVcpusRequest: z.ZodType<SetVcpusRequest> = z.object({ count: count.max(8192) });
export const pinRequest: z.ZodType<PinRequest> = z.object({
	vcpu: z.union([count.max(8191), z.literal("all")]),
	hard: cpuSet.optional(),
	soft: cpuSet.optional(),
	ignoreMasks: z.boolean().optional(),
});
export const setMemoryRequest: z.ZodType<SetMemoryRequest> = z.object({
	targetKiB: count.optional(),
	maxKiB: count.optional(),
});
export const setSchedulingRequest: z.ZodType<SetSchedulingRequest> = z.object({
	scheduler: z.enum(["credit", "credit2"]),
	weight: count.max(65_535).optional(),
	cap: count.max(65_535).optional(),
});
export const triggerRequest: z.ZodType<TriggerRequest> = z.object({
	trigger: z.enum(["nmi", "reset", "init", "power", "sleep", "s3resume"]),
	vcpu: count.max(8191).optional(),
});
export const sysrqRequest: z.ZodType<{ key: string }> = z.object({ key: z.string().regex(/^[\x21-\x7e]$/) });
export const debugKeysRequest: z.ZodType<{ keys: string }> = z.object({
	keys: z.string().regex(/^[\x21-\x7e]{1,64}$/),
});
export const createPoolRequest: z.ZodType<CreatePoolRequest> = z.object({
	name: z.string().min(1).max(64),
	scheduler: z.enum(["credit", "credit2", "rtds", "null"]),
	cpus: cpuSet.optional(),
});
export const poolCpusRequest: z.ZodType<{ cpus: string }> = z.object({ cpus: cpuSet });
export const movePoolRequest: z.ZodType<{ pool: string }> = z.object({ pool: z.string().min(1).max(64) });
