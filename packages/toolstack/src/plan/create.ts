import type { Uuid } from "@bulkhead/base";
import type { DiskConfig, GuestConfig } from "@bulkhead/xlcfg";
import { FIRST_SERIAL_CONSOLE } from "../device-model/qemu-args.ts";
import { type Plan, parallel, serial, step } from "../executor.ts";
import type { HostFacts } from "../host-facts.ts";
import type { ConsoleRequest, CreateStep, ImageRequest, Role } from "../steps.ts";
import {
	type CreateSettings,
	createSettings,
	hardwareSettings,
	type PrepareSettings,
	placementSettings,
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
	return config.type === "hvm" ? planHvm(config, facts, options) : planPv(config, facts, options);
}

/** PV and PVH: nothing is emulated, so there is no device model. */
function planPv(config: GuestConfig, facts: HostFacts, options: CreateOptions): Plan<CreateStep> {
	const consoles: ConsoleRequest[] = [{ role: "guest", index: 0, label: "pv", pty: true }];
	return serial<CreateStep>(
		parallel(...openDisks(config), buildDomain("guest", config, facts)),
		step({ name: "publish-devices", roles: ["guest"], disks: presentDisks(config), consoles }),
		step({ name: "connect-consoles", consoles }),
		...(options.paused ? [] : [step<CreateStep>({ name: "start-guest" })]),
	);
}

function planHvm(config: GuestConfig, facts: HostFacts, options: CreateOptions): Plan<CreateStep> {
	const consoles = hvmConsoles(config);
	const bootConsoles = consoles.filter(({ index }) => index === 0);
	const xenbusConsoles = consoles.filter(({ index }) => index > 0);
	return serial<CreateStep>(
		parallel(...openDisks(config), buildDomain("guest", config, facts), buildDomain("stub", config, facts)),
		step({ name: "pair-domains", bios: config.bios }),
		step({ name: "publish-devices", roles: ["guest", "stub"], disks: presentDisks(config), consoles }),
		step({ name: "connect-consoles", consoles: bootConsoles }),
		step({ name: "start-stub" }),
		parallel(
			step<CreateStep>({ name: "accept-consoles", consoles: xenbusConsoles }),
			step<CreateStep>({ name: "await-device-model", timeoutMs: DEVICE_MODEL_TIMEOUT_MS }),
		),
		// Not earlier: what is typed before the stub's init has made its consoles raw would be changed on its way.
		parallel(
			step<CreateStep>({ name: "connect-consoles", consoles: xenbusConsoles }),
			step<CreateStep>({ name: "connect-qmp" }),
		),
		...(options.paused ? [] : [step<CreateStep>({ name: "start-guest" })]),
	);
}

/** The consoles of stubdom.txt: log, save, restore, then the guest's serial ports; and the guest's own PV console. */
export function hvmConsoles({ serials }: GuestConfig): ConsoleRequest[] {
	return [
		{ role: "guest", index: 0, label: "pv", pty: true },
		{ role: "stub", index: 0, label: "stub", pty: false },
		{ role: "stub", index: 1, label: "save", pty: false },
		{ role: "stub", index: 2, label: "restore", pty: false },
		...serials.map((_, port) => ({
			role: "stub" as const,
			index: FIRST_SERIAL_CONSOLE + port,
			label: `serial${port}`,
			pty: true,
		})),
	];
}

/** Every console of a guest, of whichever type. */
export function consolesOf(config: GuestConfig): ConsoleRequest[] {
	return config.type === "hvm" ? hvmConsoles(config) : [{ role: "guest", index: 0, label: "pv", pty: true }];
}

/** Those with a medium: an empty CD drive is QEMU's alone. */
const presentDisks = ({ disks }: GuestConfig): DiskConfig[] => disks.filter((disk) => disk.path !== undefined);

const openDisks = (config: GuestConfig): Plan<CreateStep>[] =>
	presentDisks(config).map((disk) => step<CreateStep>({ name: "open-disk", disk }));

function buildDomain(role: Role, config: GuestConfig, facts: HostFacts): Plan<CreateStep> {
	const { uuid, name, create, prepare, vcpus, image } = describeDomain(role, config, facts);
	const { type, maxVcpus, memoryKiB, maxMemoryKiB } = prepare;
	const videoMemoryKiB = image.type === "hvm" ? image.videoMemoryKiB : 0;
	const placement = role === "guest" ? placementSettings(config) : undefined;
	const hardware = role === "guest" ? hardwareSettings(config) : undefined;
	return serial<CreateStep>(
		step({ name: "create-domain", role, uuid, settings: create }),
		step({ name: "write-skeleton", role, domainName: name, type }),
		step({ name: "prepare-domain", role, settings: prepare }),
		...(placement ? [step<CreateStep>({ name: "place-domain", role, placement })] : []),
		step({ name: "build-image", role, maxVcpus, image }),
		step({ name: "introduce", role, type, vcpus, maxVcpus, memoryKiB, maxMemoryKiB, videoMemoryKiB }),
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
		create: { type: "pv", maxVcpus: 1 },
		prepare: {
			type: "pv",
			maxVcpus: 1,
			memoryKiB,
			maxMemoryKiB: memoryKiB,
			pagingBytes: 0,
			hvmParams: {},
			tscMode: "default",
			timeOffsetSeconds: 0,
			localtime: false,
			cpuPolicy: {},
		},
		vcpus: 1,
		image: { type: "pv", memoryKiB, kernel: stub.kernel, ramdisk: stub.ramdisk, commandLine: stub.commandLine },
	};
}

function guestImage(config: GuestConfig, { firmware }: HostFacts): ImageRequest {
	const { type, memoryKiB, maxMemoryKiB, kernel = "", ramdisk, commandLine, acpi } = config;
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
