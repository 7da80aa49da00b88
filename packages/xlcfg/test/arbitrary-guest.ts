import { fc } from "@fast-check/vitest";
import {
	ABSENT,
	type ChannelConfig,
	type DiskConfig,
	type FrameBufferConfig,
	type GuestConfig,
	guestNameProblem,
	type NicConfig,
	type PciDeviceConfig,
	parseVdev,
	type SdlConfig,
	type VncConfig,
} from "../src/index.ts";
import { ID } from "./guests.ts";

const sparse = { requiredKeys: [] };
const word = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,10}$/).filter((text) => !/^[0-9]+$/.test(text));
const path = fc.string({ minLength: 1, maxLength: 40 }).map((text) => `/${text.replace(/\p{Cc}|\p{Cs}/gu, "")}`);
/** Within a specification, where commas part parameters and blanks around them are dropped. */
const plainPath = word.map((name) => `/run/${name}`);
const line = fc.string({ maxLength: 60 }).map((text) => text.replace(/\p{Cc}/gu, ""));
const argument = line.filter((text) => text !== "");
const name = fc.string({ minLength: 1, maxLength: 64 }).filter((text) => guestNameProblem(text) === undefined);
const backend = fc.oneof(word, fc.integer({ min: 1, max: 0x7fef }).map(String));
const count = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max });
const miB = (max: number): fc.Arbitrary<number> => fc.integer({ min: 512, max }).map((size) => size * 1024);
const label = fc.constantFrom("system_u:system_r:domU_t", "a:b:c:s0");
const few = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(one, { maxLength: 2 });
/** The optional fields that were drawn, without those that are undefined. */
const maybe = <T extends object>(fields: { [Key in keyof T]: fc.Arbitrary<T[Key]> }): fc.Arbitrary<Partial<T>> =>
	fc.record(fields, sparse) as fc.Arbitrary<Partial<T>>;

function join<T>(...parts: fc.Arbitrary<object>[]): fc.Arbitrary<T> {
	return fc.tuple(...parts).map((objects) => Object.assign({}, ...objects) as T);
}

const disk = (type: GuestConfig["type"]): fc.Arbitrary<DiskConfig> =>
	join<DiskConfig>(
		fc
			.record({
				vdev: fc.constantFrom("hda", "hdb", "sdc", "xvdd", "sde", "xvdz", "xvdab"),
				path,
				cdrom: fc.boolean(),
				readOnly: fc.boolean(),
				format: fc.constantFrom("raw" as const, "qcow" as const, "qcow2" as const, "vhd" as const, "qed" as const),
			})
			.map(({ vdev, cdrom, readOnly, ...rest }) => {
				const place = parseVdev(vdev);
				const isCd = cdrom && place.index < 4;
				const mayBeReadOnly = place.bus === "scsi" || type !== "hvm";
				return { vdev, ...place, ...rest, cdrom: isCd, readOnly: isCd || (readOnly && mayBeReadOnly) };
			}),
		maybe<DiskConfig>({
			backend,
			specification: fc.constant("virtio" as const),
			backendType: fc.constantFrom("qdisk" as const, "tap" as const),
			directIoSafe: fc.constant(true),
			discard: fc.boolean(),
			trusted: fc.boolean(),
			grantUsage: fc.boolean(),
		} as { [Key in keyof DiskConfig]: fc.Arbitrary<DiskConfig[Key]> }),
	);

const mac = fc
	.uint8Array({ minLength: 3, maxLength: 3 })
	.map((bytes) => `00:16:3e:${[...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(":")}`);

const nic = (type: GuestConfig["type"]): fc.Arbitrary<NicConfig> =>
	join<NicConfig>(
		fc.record({
			devid: fc.integer({ min: 0, max: 255 }),
			mac,
			type: type === "hvm" ? fc.constantFrom("ioemu", "vif") : fc.constant("vif"),
			model: word,
		}),
		fc.record(
			{
				bridge: word,
				script: word,
				ip: fc.constantFrom("10.0.0.1", "10.0.0.1/24 fe80::1"),
				gatewayDevice: word,
				interfaceName: word,
				mtu: fc.integer({ min: 68, max: 65_535 }),
				backend,
				rate: fc.record({ bytes: count(10 ** 12), intervalUs: count(1_000_000) }),
				vlan: fc.constantFrom("10", "4094"),
				trusted: fc.boolean(),
			},
			sparse,
		),
	);

const vnc: fc.Arbitrary<VncConfig> = join(
	fc.record({
		listen: fc.constantFrom("127.0.0.1", "0.0.0.0", "[::1]"),
		display: fc.integer({ min: 0, max: 99 }),
		findUnused: fc.boolean(),
	}),
	fc.record({ password: word }, sparse),
);
const sdl: fc.Arbitrary<SdlConfig> = join(
	fc.record({ opengl: fc.boolean() }),
	fc.record({ display: fc.constant(":0"), xauthority: plainPath }, sparse),
);
const keymap = fc.constantFrom("de", "en-us", "pt-br");
const frameBuffer = fc.record({ vnc, sdl, keymap }, sparse) as fc.Arbitrary<FrameBufferConfig>;

const channel: fc.Arbitrary<ChannelConfig> = join(
	fc.record({ name: word }),
	fc.oneof(
		fc.constantFrom(
			{ connection: "pty" },
			{ connection: "socket", path: "/run/a, b" },
			{ connection: "unix:/run/a%3f?mode=0660&group=agents" },
			{ connection: "tls:0.0.0.0:443?listen&cert=/c,d&key=/k" },
		),
		fc.record({ connection: fc.constant("socket"), path: plainPath }),
	),
	fc.record({ backend }, sparse),
);

const pci: fc.Arbitrary<PciDeviceConfig> = join(
	fc.oneof(
		fc.constantFrom({ address: "0000:03:00.0" }, { address: "0001:ff:1f.*" }),
		fc.constant({ address: "", name: "nic" }),
	),
	fc.record({
		permissive: fc.boolean(),
		msiTranslate: fc.boolean(),
		powerManagement: fc.boolean(),
		seize: fc.boolean(),
	}),
	fc.record({ slot: fc.integer({ min: 0, max: 31 }), rdmPolicy: fc.constantFrom("strict", "relaxed") }, sparse),
);

const action = fc.constantFrom(
	...([
		"destroy",
		"restart",
		"rename-restart",
		"preserve",
		"coredump-destroy",
		"coredump-restart",
		"soft-reset",
	] as const),
);
const cpuSet = fc.constantFrom("all", "0-3,^2", "node:1", "7", "nodes:0-1,^5");

const everyType = (type: GuestConfig["type"]): fc.Arbitrary<object> =>
	join(
		fc.record({
			version: fc.constant(2),
			uuid: fc.constant(ID),
			name,
			acpi: fc.boolean(),
			apic: fc.boolean(),
			pae: fc.boolean(),
			nx: fc.boolean(),
			localtime: fc.boolean(),
			rtcTimeOffsetSeconds: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
			nomigrate: fc.boolean(),
			msrRelaxed: fc.boolean(),
			vpmu: fc.boolean(),
			driverDomain: fc.boolean(),
			xendSuspendEvtchnCompat: fc.boolean(),
			disks: fc.uniqueArray(disk(type), { selector: ({ index }) => index, maxLength: 6 }),
			nics: fc.uniqueArray(nic(type), {
				comparator: (a, b) => a.devid === b.devid || a.mac === b.mac || a.interfaceName === b.interfaceName,
				maxLength: 3,
			}),
			channels: fc.uniqueArray(channel, {
				comparator: (a, b) =>
					a.name === b.name || (a.path === b.path && a.connection === b.connection && a.connection !== "pty"),
				maxLength: 3,
			}),
			pci: fc.uniqueArray(pci, { selector: ({ address }) => address, maxLength: 1 }),
			keyboards: few(
				fc.constantFrom({ "backend-type": "qemu" }, { "backend-type": "linux", "unique-id": "a b", width: "640" }),
			),
			usbControllers: few(fc.constantFrom({ version: "2", ports: "4" }, { type: "pv" })),
			usbDevices: few(fc.constant({ hostbus: "1", hostaddr: "3", type: "hostdev" })),
			p9: few(fc.constantFrom({ tag: "share", path: "/srv/x=y", security_model: "none" })),
			vtpms: few(fc.record({ backend: word, uuid: fc.constant(ID) })),
			pvCalls: few(fc.constantFrom({ backend: "net" })),
			sounds: few(
				fc.constant({ "0": "card, short-name=Main", "1": "pcm, name=dev1", "2": "stream, unique-id=0, type=p" }),
			),
			displays: few(fc.constant({ "be-alloc": "1", connectors: "id0:1920x1080;id1:800x600" })),
			virtio: few(fc.constant({ type: "virtio,device22".replace(",", "-"), transport: "mmio" })),
			cpuid: fc.constantFrom([], ["host,tm=0"], ["0x1:ecx=0x1", `1,2:edx=${"x".repeat(32)}`]),
			vnuma: few(fc.constant(["pnode=0", "size=1024", "vcpus=0-1,3", "vdistances=10,20"])),
			ioPorts: few(fc.constantFrom("3f8", "3f8-3ff")),
			irqs: few(fc.integer({ min: 0, max: 0xffff })),
			ioMemory: few(fc.constantFrom("fed40,5", "fed40,5@fed41")),
			xenstoreQuota: few(fc.constant("nodes=10")),
			lifecycle: fc.record({
				poweroff: action,
				reboot: action,
				watchdog: action,
				crash: action,
				softReset: action,
				deviceModelFailure: fc.constant("destroy"),
			}),
		}),
		fc.tuple(miB(10_000), miB(10_000)).map(([a, b]) => ({ memoryKiB: Math.min(a, b), maxMemoryKiB: Math.max(a, b) })),
		fc
			.record({
				vcpus: count(16),
				more: fc.integer({ min: 0, max: 4 }),
				sets: fc.array(cpuSet, { maxLength: 3 }),
				soft: fc.option(cpuSet),
			})
			.map(({ vcpus, more, sets, soft }) => ({
				vcpus,
				maxVcpus: vcpus + more,
				cpus: sets.slice(0, vcpus + more),
				...(soft === null ? {} : { cpusSoft: Array.from({ length: vcpus + more }, () => soft) }),
			})),
		fc.record(
			{
				scheduling: fc
					.record(
						{
							weight: count(65_535),
							cap: count(100),
							periodUs: fc.constant(10_000),
							budgetUs: fc.constant(4000),
							extratime: fc.boolean(),
						},
						sparse,
					)
					.filter((scheduling) => Object.keys(scheduling).length > 0),
				pool: word,
				tscMode: fc.constantFrom("always_emulate", "native"),
				passthrough: fc.constantFrom("disabled", "enabled", "sync_pt", "share_pt"),
				maxGrantFrames: count(1000),
				maxMaptrackFrames: count(1000),
				maxGrantVersion: count(2),
				maxEventChannels: count(1000),
				vmtraceBufferKiB: count(1000),
				xenstoreFeatureMask: count(0xffff_ffff),
				securityLabel: label,
				initSecurityLabel: label,
			},
			sparse,
		),
	);

const hvmAndPvh = join<object>(
	fc.record({ nestedHvm: fc.boolean() }),
	fc.record(
		{
			hap: fc.boolean(),
			oos: fc.boolean(),
			altp2m: fc.constantFrom("mixed", "external", "limited"),
			altp2mCount: count(100),
			timerMode: fc.constantFrom("delay_for_missed_ticks", "one_missed_tick_pending"),
			shadowMemoryKiB: count(1000).map((size) => size * 1024),
		},
		sparse,
	),
);

const deviceModel = fc
	.record({
		place: fc.constantFrom("stub-domain" as const, "minios" as const, "dom0" as const),
		args: few(argument),
		argsHvm: few(argument),
		argsPv: few(argument),
		bios: fc.constantFrom("seabios", "ovmf"),
		restrict: fc.boolean(),
		own: fc.record({ binary: path, user: word }, sparse),
		stub: fc.record(
			{ kernel: path, ramdisk: path, memoryKiB: fc.constant(2048 * 64), commandLine: line, securityLabel: label },
			sparse,
		),
	})
	.map(({ place, bios, restrict, own, stub, ...args }) => ({
		bios: place === "minios" ? "rombios" : bios,
		deviceModel: { place, restrict: place === "dom0" && restrict, ...args, ...(place === "dom0" ? own : {}) },
		...(place === "dom0" ? {} : { stub }),
	}));

const spice = join<object>(
	fc.record({
		port: count(65_535),
		disableTicketing: fc.constant(true),
		agentMouse: fc.boolean(),
		vdagent: fc.boolean(),
		clipboardSharing: fc.boolean(),
		usbRedirection: fc.integer({ min: 0, max: 4 }),
	}),
	fc.record(
		{ tlsPort: count(65_535), host: word, password: word, imageCompression: word, streamingVideo: word },
		sparse,
	),
);

const hvm = join<GuestConfig>(
	fc.constant(ABSENT),
	everyType("hvm"),
	hvmAndPvh,
	deviceModel,
	fc.option(fc.record({ kernel: path, commandLine: line })).map((kernel) => kernel ?? { commandLine: "" }),
	fc.constantFrom("none" as const, "stdvga" as const, "qxl" as const).map((vga) => ({
		vga,
		videoMemoryKiB: vga === "none" ? 0 : 128 * 1024,
	})),
	fc.record({
		type: fc.constant("hvm"),
		boot: fc.uniqueArray(fc.constantFrom("a", "c", "d", "n"), { minLength: 1 }).map((letters) => letters.join("")),
		serials: fc
			.array(fc.constantFrom("pty", "none", "file:/x,y"), { maxLength: 3 })
			.map((ports) => (ports.at(-1) === "none" ? [...ports, "pty"] : ports)),
		nographic: fc.boolean(),
		hdType: fc.constantFrom("ide", "ahci"),
		smbios: few(fc.constant("system_manufacturer=A, B=C")),
		xenPlatformPci: fc.boolean(),
		pvKeyboard: fc.boolean(),
		viridian: few(fc.constantFrom("all", "defaults", "!synic")),
		acpiS3: fc.boolean(),
		acpiS4: fc.boolean(),
		acpiLaptopSlate: fc.boolean(),
		hpet: fc.boolean(),
		vptAlign: fc.boolean(),
		frameBuffers: fc.constant([]),
		e820Host: fc.constant(false),
	}),
	fc.record(
		{
			biosPathOverride: path,
			firmwareOverride: path,
			smbiosFirmware: path,
			acpiFirmware: path,
			vnc,
			sdl,
			spice,
			keymap,
			machineCheckCapabilities: fc.constant(["lmce"]),
			usb: fc.oneof(
				fc.record({ devices: few(fc.constant("tablet")) }),
				fc.record({ devices: fc.constant([]), version: fc.constantFrom(1, 2, 3) }),
			),
			soundHardware: fc.constantFrom("hda", "sb16"),
			vendorDevice: fc.constant("xenserver"),
			gfxPassthru: fc.constantFrom("on", "igd"),
			hvmPirq: fc.boolean(),
			vmGenerationId: fc.constant("generate"),
			mmioHoleMiB: fc.integer({ min: 256, max: 3840 }),
			xenPlatformPciBarUncached: fc.boolean(),
			rdm: fc.record({ strategy: fc.constantFrom("ignore", "host"), policy: fc.constantFrom("strict", "relaxed") }),
			rdmMemoryBoundaryMiB: count(1000),
		},
		sparse,
	),
);

const start = fc.oneof(
	join<object>(fc.record({ kernel: path }), fc.record({ ramdisk: path }, sparse)),
	fc.record({ bootFirmware: fc.constantFrom("pvgrub32", "pvgrub64") }),
	fc.record({
		bootloader: join<object>(
			fc.record({ path: fc.oneof(word, plainPath), args: few(argument) }),
			fc.record({ restrict: fc.boolean(), user: word }, sparse),
		),
	}),
);

/** PV and PVH: neither firmware nor an emulated device. */
const withoutEmulation = (type: "pv" | "pvh"): fc.Arbitrary<GuestConfig> =>
	join<GuestConfig>(
		fc.constant(ABSENT),
		everyType(type),
		type === "pvh" ? hvmAndPvh : fc.constant({}),
		type === "pvh"
			? fc.record({ pvShim: join<object>(fc.record({ commandLine: line }), fc.record({ path }, sparse)) }, sparse)
			: fc.record({ e820Host: fc.constant(true) }),
		start,
		fc.record({
			type: fc.constant(type),
			commandLine: line,
			frameBuffers: few(frameBuffer),
			bios: fc.constant("seabios"),
			boot: fc.constant("cda"),
			serials: fc.constant([]),
			vga: fc.constant("none"),
			videoMemoryKiB: fc.constant(0),
			nographic: fc.constant(false),
			hdType: fc.constant("ide"),
		}),
	);

/** Any config that a reader can make: every field, every type of guest. */
export const guest: fc.Arbitrary<GuestConfig> = fc.oneof(hvm, withoutEmulation("pv"), withoutEmulation("pvh"));
