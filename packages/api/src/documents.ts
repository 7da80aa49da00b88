import type { SerializedError, Uuid } from "@bulkhead/base";
import type { GuestConfig } from "@bulkhead/xlcfg";

/** Where a guest is in its life. */
export type GuestPhase = "creating" | "running" | "paused" | "shutdown" | "crashed" | "dying" | "ended";

export interface GuestConsole {
	/** "serial0", "pv", "stub" … */
	label: string;
	kind: "serial" | "pv" | "stub";
	/** Absent while the relay does not serve it, or when it has no pty. */
	ptyPath?: string;
	/** The raw unix socket, for socat and its like. */
	socketPath?: string;
}

/** Console 0 of a domain that another toolstack made. */
export interface OtherConsole {
	domid: number;
	uuid: Uuid;
	/** As that toolstack called the domain; untrusted. */
	name: string;
	/** "pv" */
	label: string;
	ptyPath?: string;
	socketPath?: string;
	/** Why it is not served. */
	problem?: string;
}

export interface GuestScreen {
	/** RFB without security, for root. */
	socketPath?: string;
	/** Who looks now, and how many may. */
	viewers: number;
	mostViewers: number;
	/** Where viewers come by TCP. */
	listen?: { address: string; port: number; security: "none" | "password" | "tls" | "tls-and-password" };
	/** Why there is nothing to see. */
	problem?: string;
}

/** A guest as the API tells of it. */
export interface Guest {
	uuid: Uuid;
	name: string;
	/** Absent while the guest has no domain. */
	domid?: number;
	type: "hvm" | "pvh" | "pv";
	phase: GuestPhase;
	/** The columns of `xl list`: running, blocked, paused, shutdown, crashed, dying; "-" for each that is not. */
	state: string;
	memoryKiB: number;
	vcpus: number;
	/** Time on a processor, all vcpus together. */
	cpuSeconds: number;
	uptimeSeconds: number;
	/** The stub domain of an HVM guest. */
	stub?: { domid?: number; memoryKiB: number; state: "starting" | "running" | "failed"; error?: string };
	/** The QEMU of an HVM guest whose device model is in domain 0. */
	localQemu?: { pid?: number; state: "starting" | "running" | "failed"; error?: string };
	/** QEMU's run state as last heard: "running", "paused", "shutdown" … */
	qmp?: { status: string };
	/** What there is to see of an HVM guest with a stub domain; absent while it is not served. */
	screen?: GuestScreen;
	consoles: GuestConsole[];
	/** ISO 8601. */
	createdAt: string;
	/** How the domain before this one ended. */
	lastEnd?: { reason: string; at: string };
}

/** One guest's long form. */
export interface GuestDetails extends Guest {
	config: GuestConfig;
}

/** A network interface of a guest. What its frontend says is the guest's word; -1 stands for what it does not say. */
export interface Nic {
	devid: number;
	mac: string;
	type: "ioemu" | "vif";
	/** QEMU's name of the emulated card. */
	model?: string;
	bridge?: string;
	/** In domain 0. */
	interfaceName: string;
	backendDomid: number;
	/** The frontend's xenbus state: 4 is connected. */
	state: number;
	eventChannel: number;
	txRingRef: number;
	rxRingRef: number;
	backendPath: string;
}

export interface AttachNicResult {
	nic: Nic;
}

export interface DetachNicResult {
	/** As it last was. */
	nic: Nic;
	/** The guest did not let go of it by itself, or was not asked. */
	forced: boolean;
	/** What drivers and scripts said. */
	complaints: string[];
}

export interface Host {
	/** "4.17.7" */
	xenVersion: string;
	capabilities: string[];
	totalKiB: number;
	freeKiB: number;
	nrCpus: number;
	cpuKHz: number;
	/** Whether Xen offers HVM guests, and hardware-assisted paging for them. */
	hvm: boolean;
	hap: boolean;
	/** Xen's own. */
	commandLine: string;
	compiler: string;
	daemon: { version: string; pid: number };
	relay: { connected: boolean };
}

export interface DoctorCheck {
	name: string;
	ok: boolean;
	detail: string;
	remedy?: string;
}

/** A line about one step of an operation. */
export interface ProgressLine {
	type: "progress";
	/** The step's name, kebab-case. */
	step: string;
	/** What is being done, for a person. */
	title: string;
	state: "start" | "done" | "failed" | "undone" | "undo-failed";
	/** Since the step, or its undoing, began. */
	ms: number;
}

export interface WarningLine {
	type: "warning";
	message: string;
}

export interface ErrorLine {
	type: "error";
	error: SerializedError;
}

/** What an operation's stream consists of: progress and warnings, then one result or one error. */
export type OperationLine<Result> = ProgressLine | WarningLine | ErrorLine | ({ type: "result" } & Result);

export interface CreateResult {
	/** Absent after a dry run. */
	guest?: Guest;
	/** The steps that a dry run would have taken, in order of reading. */
	plan?: PlannedStep[];
}

export interface PlannedStep {
	name: string;
	[detail: string]: unknown;
}

export interface DestroyResult {
	/** As it last was. */
	guest: Guest;
}

/** Answer of POST /guests/{ref}/dump-core. */
export interface DumpCoreResult {
	path: string;
	bytes: number;
}

export interface ShutdownResult {
	/** As it was when it had been asked. */
	guest: Guest;
	/** By which way the guest was asked. */
	asked: string;
	/** With `wait`: why it ended. */
	ended?: string;
}

export const EVENT_TYPES = [
	"guest-state",
	"guest-ended",
	"guest-undone",
	"device-model-failed",
	"device-model-state",
	"device-attached",
	"device-detached",
	"qmp-event",
	"console-ended",
	"channel-ended",
	"disk-state",
	"core-dumped",
	"relay-state",
	"heartbeat",
] as const;

/** Something that happened on the host. New types may come: pass over those that are not known. */
export interface HostEvent {
	/** ISO 8601. */
	time: string;
	type: (typeof EVENT_TYPES)[number];
	guest?: { uuid: Uuid; name: string; domid?: number };
	[detail: string]: unknown;
}
