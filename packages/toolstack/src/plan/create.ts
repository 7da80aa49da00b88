import type { Uuid } from "@bulkhead/base";
import type { GuestConfig } from "@bulkhead/xlcfg";
import { listens } from "../channels/channel-listener.ts";
import { hasStubScreen } from "../device-model/args/screen-args.ts";
import { serialConsoles } from "../device-model/args/serial-args.ts";
import { bootFilesOf } from "../device-model/direct-boot.ts";
import { isAwaited } from "../devices/connect-disk.ts";
import type { ServableDisk } from "../devices/vbd.ts";
import { type Plan, parallel, serial, step } from "../executor.ts";
import type { HostFacts } from "../host-facts.ts";
import type { ConsoleRequest, CreateStep, ImageRequest, Role } from "../steps.ts";
import { usbTopology } from "../usb/usb-topology.ts";
import {
	type CreateSettings,
	createSettings,
	hardwareSettings,
	type PrepareSettings,
	prepareSettings,
} from "./domain-settings.ts";

export interface CreateOptions {
	/** Leave the guest paused. */
	paused: boolean;
}

/** From an unpaused stub domain to `running`: libxl's LIBXL_STUBDOM_START_TIMEOUT is 30 s; an emulated host is slower. */
const DEVICE_MODEL_TIMEOUT_MS = 90_000;

/** Decides how a guest comes into being. Touches nothing. */
export function planCreate(config: GuestConfig, facts: HostFacts, options: CreateOptions): Plan<CreateStep> {
	if (config.type !== "hvm") return planPv(config, facts, options);
	return config.deviceModel?.place === "dom0"
		? planLocalHvm(config, facts, options)
		: planStubHvm(config, facts, options);
}

/** PV and PVH: nothing is emulated. Only a PV screen needs a QEMU, which serves it. */
function planPv(config: GuestConfig, facts: HostFacts, options: CreateOptions): Plan<CreateStep> {
	const consoles = consolesOf(config);
	const served = besideDevices(step<CreateStep>({ name: "connect-consoles", consoles }), ["guest"], facts);
	return serial<CreateStep>(
		parallel(...openDisks(facts), ...openListeners(config), buildDomain("guest", config, facts)),
		...(facts.qemu === undefined ? [] : [step<CreateStep>({ name: "announce-qemu" })]),
		publishGuest(facts, consoles),
		...publishChannels(config),
		facts.qemu === undefined ? served : parallel(served, startQemu(facts.qemu)),
		...attachPci(config),
		...(options.paused ? [] : [step<CreateStep>({ name: "start-guest" })]),
	);
}

/** QEMU as a process of domain 0. */
function planLocalHvm(config: GuestConfig, facts: HostFacts, options: CreateOptions): Plan<CreateStep> {
	const consoles = consolesOf(config);
	if (facts.qemu === undefined) throw new TypeError("The guest's facts lack its QEMU");
	return serial<CreateStep>(
		parallel(...openDisks(facts), ...openListeners(config), buildDomain("guest", config, facts)),
		step({ name: "announce-qemu" }),
		publishGuest(facts, consoles),
		...publishChannels(config),
		parallel(
			besideDevices(step<CreateStep>({ name: "connect-consoles", consoles }), ["guest"], facts),
			startQemu(facts.qemu, connectTaps(facts)),
		),
		...plugUsb(config),
		...attachPci(config),
		...(options.paused ? [] : [step<CreateStep>({ name: "start-guest" })]),
	);
}

/** The devices of a guest without a stub domain. */
const publishGuest = (facts: HostFacts, consoles: ConsoleRequest[]): Plan<CreateStep> =>
	step({
		name: "publish-devices",
		roles: ["guest"],
		disks: presentDisks(facts),
		bootDisks: [],
		nics: facts.nics,
		consoles,
	});

/** A QEMU in domain 0, with what is left to do for it once it runs. */
const startQemu = (binary: string, onceItRuns: readonly Plan<CreateStep>[] = []): Plan<CreateStep> =>
	serial<CreateStep>(
		step({ name: "start-qemu", binary }),
		step({ name: "await-qemu", timeoutMs: DEVICE_MODEL_TIMEOUT_MS }),
		...onceItRuns,
		step({ name: "connect-qmp-socket" }),
		step({ name: "configure-qemu" }),
	);

function planStubHvm(config: GuestConfig, facts: HostFacts, options: CreateOptions): Plan<CreateStep> {
	const consoles = hvmConsoles(config);
	const bootConsoles = consoles.filter(({ index }) => index === 0);
	const xenbusConsoles = consoles.filter(({ index }) => index > 0);
	const bootFiles = bootFilesOf(config);
	const protocol = config.deviceModel?.place === "minios" ? "minios" : "linux";
	return serial<CreateStep>(
		parallel(
			...openDisks(facts),
			...openListeners(config),
			...(hasStubScreen(config) && config.vnc ? [step<CreateStep>({ name: "open-screen-listener" })] : []),
			...bootFiles.map((file) => step<CreateStep>({ name: "open-boot-file", file })),
			buildDomain("guest", config, facts),
			buildDomain("stub", config, facts),
		),
		step({ name: "pair-domains", protocol, bios: config.bios }),
		step({
			name: "publish-devices",
			roles: ["guest", "stub"],
			disks: presentDisks(facts),
			bootDisks: bootFiles.map(({ disk }) => disk.vdev),
			nics: facts.nics,
			consoles,
		}),
		...publishChannels(config),
		besideDevices(step<CreateStep>({ name: "connect-consoles", consoles: bootConsoles }), ["guest", "stub"], facts),
		step({ name: "start-stub" }),
		parallel(
			step<CreateStep>({ name: "accept-consoles", consoles: xenbusConsoles }),
			step<CreateStep>({ name: "await-device-model", timeoutMs: DEVICE_MODEL_TIMEOUT_MS }),
		),
		// Not earlier: what is typed before the stub's init has made its consoles raw would be changed on its way.
		parallel(
			step<CreateStep>({ name: "connect-consoles", consoles: xenbusConsoles }),
			// MiniOS' older QEMU has none: it is told what to do by xenstore (stub-domain.md §5).
			...(protocol === "linux" ? [connectQemu(config)] : []),
		),
		...plugUsb(config),
		...(options.paused ? [] : [step<CreateStep>({ name: "start-guest" })]),
	);
}

/** The screen last: what there is of it is known once QMP is. */
function connectQemu(config: GuestConfig): Plan<CreateStep> {
	const qmp = step<CreateStep>({ name: "connect-qmp" });
	return hasStubScreen(config) ? serial<CreateStep>(qmp, step({ name: "connect-screen" })) : qmp;
}

/** One after the other: they share the bus's nodes. */
const attachPci = ({ pci }: GuestConfig): Plan<CreateStep>[] =>
	pci.map((device) => step<CreateStep>({ name: "attach-pci", device }));

function plugUsb(config: GuestConfig): Plan<CreateStep>[] {
	const topology = usbTopology(config);
	return topology.controllers.length === 0 ? [] : [step<CreateStep>({ name: "plug-usb", topology })];
}

/** The consoles of stubdom.txt: log, save, restore, then the guest's serial ports; and the guest's own PV console. */
export function hvmConsoles(config: GuestConfig): ConsoleRequest[] {
	return [
		{ role: "guest", index: 0, label: "pv", pty: true },
		{ role: "stub", index: 0, label: "stub", pty: false },
		{ role: "stub", index: 1, label: "save", pty: false },
		{ role: "stub", index: 2, label: "restore", pty: false },
		...serialConsoles(config).map(({ port, index }) => ({
			role: "stub" as const,
			index,
			label: `serial${port}`,
			pty: true,
		})),
	];
}

/** Every console of a guest, of whichever type. */
export function consolesOf(config: GuestConfig): ConsoleRequest[] {
	const hasStub = config.type === "hvm" && config.deviceModel?.place !== "dom0";
	return hasStub ? hvmConsoles(config) : [{ role: "guest", index: 0, label: "pv", pty: true }];
}

/** Those with a medium: an empty CD drive is QEMU's alone. */
const presentDisks = ({ disks }: HostFacts): ServableDisk[] => disks.filter((disk) => disk.path !== undefined);

/**
 * Nics, and disks that are not ready by themselves, are set up before a domain runs: Linux waits for its network devices before its init starts, the stub domain's
 * for as long as netback waits for us (xenbus_probe_frontend.c: wait_for_devices).
 */
function besideDevices(other: Plan<CreateStep>, roles: Role[], { disks, nics }: HostFacts): Plan<CreateStep> {
	const awaited = disks.filter(isAwaited);
	const others = [
		...(awaited.length > 0 ? [step<CreateStep>({ name: "connect-disks", roles, disks: awaited })] : []),
		...(nics.length > 0 ? [step<CreateStep>({ name: "connect-nics", roles, nics })] : []),
	];
	return others.length === 0 ? other : parallel(other, ...others);
}

/** A QEMU in domain 0 makes a tap for each emulated card; in a stub domain its init joins them. */
const connectTaps = ({ nics }: HostFacts): Plan<CreateStep>[] =>
	nics.some(({ type, backendDomid }) => type === "ioemu" && backendDomid === undefined)
		? [step<CreateStep>({ name: "connect-taps", nics })]
		: [];

const openDisks = (facts: HostFacts): Plan<CreateStep>[] =>
	presentDisks(facts).map((disk) => step<CreateStep>({ name: "open-disk", disk }));

const openListeners = ({ channels }: GuestConfig): Plan<CreateStep>[] =>
	channels.filter(listens).map((channel) => step<CreateStep>({ name: "open-listener", channel }));

/** They are the guest's own devices, whatever runs its device model: its frontends are served when they come. */
const publishChannels = ({ channels }: GuestConfig): Plan<CreateStep>[] =>
	channels.length === 0 ? [] : [step<CreateStep>({ name: "publish-channels", channels })];

/** What /libxl/<domid>/dm-version calls the device model. */
const deviceModelVersion = ({ deviceModel }: GuestConfig): string =>
	deviceModel?.place === "minios" ? "qemu_xen_traditional" : "qemu_xen";

function buildDomain(role: Role, config: GuestConfig, facts: HostFacts): Plan<CreateStep> {
	const { uuid, name, create, prepare, vcpus, image } = describeDomain(role, config, facts);
	const { type, maxVcpus, memoryKiB, maxMemoryKiB } = prepare;
	const memory = { memoryKiB, maxMemoryKiB, videoMemoryKiB: image.type === "hvm" ? image.videoMemoryKiB : 0 };
	const dmVersion = deviceModelVersion(config);
	const placement = role === "guest" ? facts.placement : undefined;
	const hardware = role === "guest" ? hardwareSettings(config) : undefined;
	return serial<CreateStep>(
		step({ name: "create-domain", role, uuid, settings: create }),
		step({
			name: "write-skeleton",
			role,
			domainName: name,
			type,
			dmVersion,
			driverDomain: role === "guest" && config.driverDomain,
		}),
		step({ name: "prepare-domain", role, settings: prepare }),
		...(placement ? [step<CreateStep>({ name: "place-domain", role, placement })] : []),
		step({ name: "build-image", role, maxVcpus, image }),
		step({ name: "introduce", role, type, vcpus, maxVcpus, ...memory, dmVersion }),
		...(hardware ? [step<CreateStep>({ name: "permit-hardware", role, type, hardware })] : []),
	);
}

interface DomainDescription {
	uuid: Uuid;
	name: string;
	create: CreateSettings;
	prepare: PrepareSettings;
	/** Online at start. */
	vcpus: number;
	image: ImageRequest;
}

function describeDomain(role: Role, config: GuestConfig, facts: HostFacts): DomainDescription {
	if (role === "stub") return describeStub(config, facts);
	return {
		uuid: config.uuid,
		name: config.name,
		create: createSettings(config),
		prepare: prepareSettings(config),
		vcpus: config.vcpus,
		image: guestImage(config, facts),
	};
}

function describeStub(config: GuestConfig, { stub, stubUuid }: HostFacts): DomainDescription {
	if (!stub) throw new TypeError("An HVM guest's facts lack its stub domain");
	// The extra video memory is room for mapping the guest's frame buffer, as libxl allows it.
	const memoryKiB = stub.memoryKiB + config.videoMemoryKiB;
	return {
		uuid: stubUuid,
		name: `${config.name}-dm`,
		create: {
			type: "pv",
			maxVcpus: 1,
			...(config.stub?.securityLabel !== undefined && { securityLabel: config.stub.securityLabel }),
		},
		prepare: {
			type: "pv",
			maxVcpus: 1,
			memoryKiB,
			maxMemoryKiB: memoryKiB,
			pagingBytes: 0,
			hvmParams: {},
			// Without an invariant TSC Xen would emulate each reading of it, to keep it steady across migration: a stub domain never
			// migrates, and a paravirtual clock needs no more of the TSC than Xen tells its guests anyway.
			tscMode: "native",
			timeOffsetSeconds: 0,
			localtime: false,
			cpuPolicy: {},
			hostMemoryMap: false,
		},
		vcpus: 1,
		image: { type: "pv", memoryKiB, kernel: stub.kernel, ramdisk: stub.ramdisk, commandLine: stub.commandLine },
	};
}

function guestImage(config: GuestConfig, { firmware, bootProgram }: HostFacts): ImageRequest {
	const { type, memoryKiB, maxMemoryKiB, ramdisk, commandLine, acpi } = config;
	const kernel = bootProgram ?? config.kernel ?? "";
	if (type === "pv") return { type, memoryKiB, kernel, ramdisk, commandLine };
	if (type === "pvh") return { type, memoryKiB, maxMemoryKiB, kernel, ramdisk, commandLine, acpi };
	const { vcpus, videoMemoryKiB, apic, mmioHoleMiB, acpiFirmware, smbiosFirmware } = config;
	const tables = { ...(acpiFirmware && { acpiFirmware }), ...(smbiosFirmware && { smbiosFirmware }) };
	return {
		type,
		memoryKiB,
		maxMemoryKiB,
		videoMemoryKiB,
		vcpus,
		apic,
		...firmware,
		...tables,
		...(mmioHoleMiB !== undefined && { mmioHoleMiB }),
	};
}
