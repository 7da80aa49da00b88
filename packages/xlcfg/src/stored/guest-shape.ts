import {
	type DeviceModelConfig,
	GUEST_CONFIG_VERSION,
	type GuestConfig,
	type SchedulingConfig,
	type SpiceConfig,
	type StubConfig,
} from "../guest-config.ts";
import { checkQuota } from "../keys/domain-limits.ts";
import { checkSmbios } from "../keys/firmware.ts";
import { END_ACTIONS } from "../keys/lifecycle.ts";
import { checkViridian } from "../keys/platform.ts";
import { checkSerial } from "../keys/serials.ts";
import { checkUsbDevice } from "../keys/usb.ts";
import { XLCFG_LIMITS } from "../limits.ts";
import { checkIoMemory, checkIoPorts } from "../specs/access-specs.ts";
import { checkCpuSet } from "../specs/cpu-set.ts";
import { checkCpuid } from "../specs/cpuid-spec.ts";
import { checkVnumaNode } from "../specs/vnuma-spec.ts";
import { argument, commandLine, guestName, guestUuid, memoryKiB, path, securityLabel, word } from "./common-checks.ts";
import {
	channel,
	disk,
	frameBuffer,
	keyedDevice,
	keymap,
	nic,
	pciDevice,
	sdl,
	soundCard,
	vnc,
} from "./device-shapes.ts";
import {
	type Check,
	count,
	flag,
	line,
	lineFor,
	listOf,
	oneOf,
	optional,
	runCheck,
	type Shape,
	shapeOf,
} from "./shape.ts";

const { deviceModelArgs, devices, lineBytes, mostPvVcpus, wordBytes } = XLCFG_LIMITS;
const endAction = oneOf(...END_ACTIONS);
const listed = <T>(check: Check<T>): Check<T[]> => listOf(check, devices);
const cpuSets = optional(listOf(lineFor(lineBytes + 1, checkCpuSet), mostPvVcpus));
const args = listOf(argument, deviceModelArgs);
const count32 = count(0, 0xffff_ffff);

const spice = shapeOf<SpiceConfig>({
	port: optional(count(1, 65_535)),
	tlsPort: optional(count(1, 65_535)),
	host: optional(word),
	disableTicketing: flag,
	password: optional(word),
	agentMouse: flag,
	vdagent: flag,
	clipboardSharing: flag,
	usbRedirection: count(0, 4),
	imageCompression: optional(word),
	streamingVideo: optional(word),
});

const vnumaNode: Check<string[]> = (value, at) => {
	const items = listOf(line(lineBytes), 4)(value, at);
	return runCheck(at, () => checkVnumaNode(items));
};

/** Every field of a stored config, and how it is checked. */
const SHAPE: Shape<GuestConfig> = {
	version: oneOf(GUEST_CONFIG_VERSION),
	uuid: guestUuid,
	name: guestName,
	type: oneOf("hvm", "pvh", "pv"),
	memoryKiB,
	maxMemoryKiB: memoryKiB,
	vcpus: count(1, mostPvVcpus),
	maxVcpus: count(1, mostPvVcpus),
	kernel: optional(path),
	ramdisk: optional(path),
	commandLine,
	bootloader: optional(
		shapeOf<NonNullable<GuestConfig["bootloader"]>>({
			path: line(XLCFG_LIMITS.pathBytes),
			args,
			restrict: optional(flag),
			user: optional(word),
		}),
	),
	bootFirmware: optional(oneOf("pvgrub32", "pvgrub64")),
	pvShim: optional(
		shapeOf<NonNullable<GuestConfig["pvShim"]>>({ path: optional(path), commandLine: line(4 * lineBytes) }),
	),
	bios: oneOf("seabios", "ovmf", "rombios"),
	biosPathOverride: optional(path),
	firmwareOverride: optional(path),
	boot: line(4),
	smbiosFirmware: optional(path),
	acpiFirmware: optional(path),
	smbios: listed(lineFor(lineBytes, checkSmbios)),

	disks: listOf(disk, XLCFG_LIMITS.disks),
	nics: listOf(nic, XLCFG_LIMITS.nics),
	serials: listOf(lineFor(lineBytes, checkSerial), XLCFG_LIMITS.serialPorts),
	channels: listOf(channel, XLCFG_LIMITS.channels),
	frameBuffers: listed(frameBuffer),
	keyboards: listed(keyedDevice("vkb")),
	pci: listed(pciDevice),
	usbControllers: listed(keyedDevice("usbctrl")),
	usbDevices: listed(keyedDevice("usbdev")),
	p9: listed(keyedDevice("p9")),
	vtpms: listed(keyedDevice("vtpm")),
	pvCalls: listed(keyedDevice("pvcalls")),
	sounds: listed(soundCard),
	displays: listed(keyedDevice("vdispl")),
	virtio: listed(keyedDevice("virtio")),

	vga: oneOf("none", "stdvga", "cirrus", "qxl"),
	videoMemoryKiB: count(0, XLCFG_LIMITS.mostVideoMemoryMiB * 1024),
	nographic: flag,
	vnc: optional(vnc),
	sdl: optional(sdl),
	spice: optional(spice),
	keymap: optional(keymap),
	hdType: oneOf("ide", "ahci"),
	usb: optional(
		shapeOf<NonNullable<GuestConfig["usb"]>>({
			devices: listed(lineFor(wordBytes, checkUsbDevice)),
			version: optional(oneOf(1, 2, 3)),
		}),
	),
	soundHardware: optional(oneOf("hda", "ac97", "adlib", "cs4231a", "es1370", "gus", "sb16")),
	xenPlatformPci: flag,
	xenPlatformPciBarUncached: optional(flag),
	vendorDevice: optional(oneOf("xenserver")),
	pvKeyboard: flag,
	gfxPassthru: optional(oneOf("on", "igd")),

	cpus: cpuSets,
	cpusSoft: cpuSets,
	scheduling: optional(
		shapeOf<SchedulingConfig>({
			weight: optional(count(1, 65_535)),
			cap: optional(count(0, 100 * mostPvVcpus)),
			periodUs: optional(count(10, 0xffff_ffff)),
			budgetUs: optional(count(10, 0xffff_ffff)),
			extratime: optional(flag),
		}),
	),
	pool: optional(word),
	cpuid: listed(lineFor(lineBytes + 1, checkCpuid)),
	nestedHvm: flag,
	altp2m: optional(oneOf("mixed", "external", "limited")),
	altp2mCount: optional(count(1, 65_535)),
	tscMode: optional(oneOf("always_emulate", "native")),
	timerMode: optional(
		oneOf("delay_for_missed_ticks", "no_delay_for_missed_ticks", "no_missed_ticks_pending", "one_missed_tick_pending"),
	),
	localtime: flag,
	rtcTimeOffsetSeconds: count(-(2 ** 31), 2 ** 31 - 1),
	shadowMemoryKiB: optional(count(1024, 1_048_576 * 1024)),
	mmioHoleMiB: optional(count(256, 3840)),
	viridian: listed(lineFor(wordBytes, checkViridian)),
	vmGenerationId: optional(oneOf("generate")),
	vnuma: listed(vnumaNode),

	acpi: flag,
	acpiS3: flag,
	acpiS4: flag,
	acpiLaptopSlate: flag,
	apic: flag,
	pae: flag,
	nx: flag,
	hpet: flag,
	vptAlign: flag,
	hap: optional(flag),
	oos: optional(flag),
	hvmPirq: optional(flag),
	machineCheckCapabilities: optional(listed(oneOf("lmce"))),
	msrRelaxed: flag,
	vpmu: flag,
	e820Host: flag,
	nomigrate: flag,
	passthrough: optional(oneOf("disabled", "enabled", "sync_pt", "share_pt")),
	rdm: optional(
		shapeOf<NonNullable<GuestConfig["rdm"]>>({
			strategy: oneOf("ignore", "host"),
			policy: oneOf("strict", "relaxed"),
		}),
	),
	rdmMemoryBoundaryMiB: optional(count(1, 4_194_304)),
	driverDomain: flag,
	xendSuspendEvtchnCompat: flag,
	maxGrantFrames: optional(count(0, 0x7fff_ffff)),
	maxMaptrackFrames: optional(count(0, 0x7fff_ffff)),
	maxGrantVersion: optional(count(0, 2)),
	maxEventChannels: optional(count(1, 131_071)),
	vmtraceBufferKiB: optional(count(1, 1_048_576)),
	ioPorts: listed(lineFor(wordBytes, checkIoPorts)),
	irqs: listed(count(0, 0xffff)),
	ioMemory: listed(lineFor(wordBytes, checkIoMemory)),
	xenstoreFeatureMask: optional(count32),
	xenstoreQuota: listed(lineFor(wordBytes, checkQuota)),

	securityLabel: optional(securityLabel),
	initSecurityLabel: optional(securityLabel),

	lifecycle: shapeOf<GuestConfig["lifecycle"]>({
		poweroff: endAction,
		reboot: endAction,
		watchdog: endAction,
		crash: endAction,
		softReset: endAction,
		deviceModelFailure: oneOf("destroy", "preserve", "pause"),
	}),
	deviceModel: optional(
		shapeOf<DeviceModelConfig>({
			place: oneOf("stub-domain", "minios", "dom0"),
			binary: optional(path),
			user: optional(word),
			restrict: flag,
			args,
			argsHvm: args,
			argsPv: args,
		}),
	),
	stub: optional(
		shapeOf<StubConfig>({
			kernel: optional(path),
			ramdisk: optional(path),
			memoryKiB: optional(memoryKiB),
			commandLine: optional(commandLine),
			securityLabel: optional(securityLabel),
		}),
	),
};

export const guestShape: Check<GuestConfig> = shapeOf<GuestConfig>(SHAPE);
