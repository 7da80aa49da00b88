import type { Guest as GuestDocument } from "@bulkhead/api";
import type { RelayHoldings } from "@bulkhead/api/relay";
import type { Uuid } from "@bulkhead/base";
import type { DomainInfo } from "@bulkhead/hypervisor";
import { type ConsoleRequest, consolesOf, type LocalQemu } from "@bulkhead/toolstack";
import type { Services } from "../services.ts";
import type { Guest } from "./guest.ts";
import { screenProblem } from "./tell-of-screen.ts";

type Served = Pick<RelayHoldings, "consoles" | "screens">;
type DomainTable = ReadonlyMap<number, DomainInfo>;

/** What the API tells of guests: records joined with what Xen and the relay say now. */
export async function describeGuests(guests: readonly Guest[], services: Services): Promise<GuestDocument[]> {
	// A relay serves many guests: of one, only its own consoles are asked for.
	const only = guests.length === 1 ? guests[0]?.uuid : undefined;
	const [domains, served] = await Promise.all([services.hypervisor.domains.list(), listServed(services, only)]);
	const table: DomainTable = new Map(domains.map((info) => [info.domid, info]));
	return guests.map((guest) => describe(guest, table, served));
}

export async function describeGuest(guest: Guest, services: Services): Promise<GuestDocument> {
	const [document] = await describeGuests([guest], services);
	if (!document) throw new TypeError("One guest has one description");
	return document;
}

async function listServed({ relay }: Services, guest?: Uuid): Promise<Served> {
	return relay.connected ? relay.list(guest) : { consoles: [], screens: [] };
}

function describe(guest: Guest, domains: DomainTable, { consoles, screens }: Served): GuestDocument {
	const { record } = guest;
	const { config, runtime } = record;
	const info = domains.get(runtime.guest.domid ?? -1);
	return {
		uuid: guest.uuid,
		name: guest.name,
		...(runtime.guest.domid === undefined ? {} : { domid: runtime.guest.domid }),
		type: config.type,
		phase: phaseOf(guest, info),
		state: stateFlags(info),
		memoryKiB: config.memoryKiB,
		vcpus: config.vcpus,
		cpuSeconds: (info?.cpuTimeNs ?? 0) / 1e9,
		uptimeSeconds: info && record.startedAt ? (Date.now() - Date.parse(record.startedAt)) / 1000 : 0,
		...(runtime.stub ? { stub: describeStub(guest, domains) } : {}),
		...(runtime.qemu ? { localQemu: describeLocalQemu(guest, runtime.qemu) } : {}),
		...(guest.qmpStatus === undefined ? {} : { qmp: { status: guest.qmpStatus } }),
		...describeScreen(guest, screens),
		consoles: [
			...consolesOf(config)
				.filter(isForPeople)
				.map(({ label, role }): GuestDocument["consoles"][number] => {
					const attached = consoles.find((console) => console.guest === guest.uuid && console.label === label);
					const kind = label.startsWith("serial") ? "serial" : role === "stub" ? "stub" : "pv";
					return { label, kind, ptyPath: attached?.ptyPath, socketPath: attached?.socketPath };
				}),
			// Served by QEMU itself, not by the relay.
			...(runtime.qemu?.serialTtys ?? []).map(({ port, path }): GuestDocument["consoles"][number] => ({
				label: `serial${port}`,
				kind: "serial",
				ptyPath: path,
			})),
		],
		createdAt: record.createdAt,
		...(record.lastEnd ? { lastEnd: record.lastEnd } : {}),
	};
}

function describeScreen(guest: Guest, screens: Served["screens"]): Pick<GuestDocument, "screen"> {
	const problem = screenProblem(guest);
	if (problem !== undefined) return { screen: { viewers: 0, mostViewers: 0, problem } };
	const screen = screens.find((each) => each.guest === guest.uuid);
	if (!screen) return {};
	const { socketPath, viewers, slots, listener } = screen;
	return { screen: { socketPath, viewers, mostViewers: slots.length, ...(listener && { listen: listener }) } };
}

/** QEMU's own channels for saved state are nobody's console. */
const isForPeople = ({ label }: ConsoleRequest): boolean => label !== "save" && label !== "restore";

function describeStub({ record }: Guest, domains: DomainTable): NonNullable<GuestDocument["stub"]> {
	const domid = record.runtime.stub?.domid;
	const info = domains.get(domid ?? -1);
	const failure = record.deviceModelFailure;
	return {
		...(domid === undefined ? {} : { domid }),
		memoryKiB: info?.totalKiB ?? 0,
		state: failure !== undefined ? "failed" : record.phase === "creating" ? "starting" : "running",
		...(failure === undefined ? {} : { error: failure }),
	};
}

function describeLocalQemu({ record }: Guest, { pid }: LocalQemu): NonNullable<GuestDocument["localQemu"]> {
	const failure = record.deviceModelFailure;
	return {
		...(pid === undefined ? {} : { pid }),
		state: failure !== undefined ? "failed" : record.phase === "creating" ? "starting" : "running",
		...(failure === undefined ? {} : { error: failure }),
	};
}

function phaseOf({ record }: Guest, info: DomainInfo | undefined): GuestDocument["phase"] {
	if (record.phase === "creating") return "creating";
	if (record.phase === "ending" || info?.dying) return "dying";
	if (!info) return "ended";
	if (info.shutdown) return info.shutdownReason === "crash" ? "crashed" : "shutdown";
	return info.paused ? "paused" : "running";
}

/** The six columns of `xl list`: running, blocked, paused, shutdown, crashed, dying. */
function stateFlags(info: DomainInfo | undefined): string {
	if (!info) return "------";
	const crashed = info.shutdown && info.shutdownReason === "crash";
	const flags: [boolean, string][] = [
		[info.running, "r"],
		[info.blocked, "b"],
		[info.paused, "p"],
		[info.shutdown, "s"],
		[crashed, "c"],
		[info.dying, "d"],
	];
	return flags.map(([set, letter]) => (set ? letter : "-")).join("");
}
