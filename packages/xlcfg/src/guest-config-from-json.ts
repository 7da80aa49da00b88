import { InvalidInputError, type Uuid, uuid } from "@bulkhead/base";
import { checkDiskFits } from "./disk-config.ts";
import { type DiskConfig, GUEST_CONFIG_VERSION, type GuestConfig, type StubConfig } from "./guest-config.ts";
import { guestNameProblem } from "./guest-name.ts";
import { XLCFG_LIMITS } from "./limits.ts";
import { type Check, count, flag, line, listOf, oneOf, optional, refuseAt, shapeOf } from "./shape.ts";
import { parseVdev } from "./vdev.ts";

const memoryKiB = count(XLCFG_LIMITS.leastMemoryMiB * 1024, XLCFG_LIMITS.mostMemoryMiB * 1024);
const commandLine = line(XLCFG_LIMITS.commandLineBytes);
const endAction = oneOf("destroy", "restart", "preserve", "soft-reset");

const path: Check<string> = (value, at) => {
	const text = line(XLCFG_LIMITS.pathBytes)(value, at);
	return text.startsWith("/") ? text : refuseAt(at, "is not an absolute path");
};

const guestUuid: Check<Uuid> = (value, at) => {
	try {
		return uuid(line(36)(value, at));
	} catch (error) {
		if (!(error instanceof InvalidInputError)) throw error;
		return refuseAt(at, "is not a uuid");
	}
};

const guestName: Check<string> = (value, at) => {
	const name = line(XLCFG_LIMITS.nameLength)(value, at);
	const problem = guestNameProblem(name);
	return problem === undefined ? name : refuseAt(at, `is no guest's name: ${problem}`);
};

const disk: Check<DiskConfig> = (value, at) => {
	const checked = shapeOf<DiskConfig>({
		vdev: line(16),
		devnum: count(0, 2 ** 29),
		index: count(0, 2 ** 20 - 1),
		partition: count(0, 255),
		bus: oneOf("ide", "scsi", "xen"),
		path: optional(path),
		readOnly: flag,
		cdrom: flag,
		format: oneOf("raw", "qcow", "qcow2", "vhd", "qed"),
		backend: optional(line(64)),
		script: optional(line(XLCFG_LIMITS.pathBytes)),
		directIoSafe: optional(flag),
		discard: optional(flag),
		trusted: optional(flag),
	})(value, at);
	const { bus, index, partition, devnum } = parseVdev(checked.vdev);
	const agrees = checked.bus === bus && checked.index === index && checked.partition === partition;
	if (!agrees || checked.devnum !== devnum) refuseAt(at, "has numbers that disagree with its vdev");
	if (checked.path === undefined && !checked.cdrom) refuseAt(`${at}.path`, "is missing");
	return checked;
};

const stub = shapeOf<StubConfig>({
	kernel: optional(path),
	ramdisk: optional(path),
	memoryKiB: optional(memoryKiB),
	commandLine: optional(commandLine),
	securityLabel: optional(line(256)),
});

const lifecycle = shapeOf<GuestConfig["lifecycle"]>({
	poweroff: endAction,
	reboot: endAction,
	watchdog: endAction,
	crash: endAction,
	softReset: endAction,
	deviceModelFailure: oneOf("destroy", "preserve", "pause"),
});

type Stored = Pick<
	GuestConfig,
	| "version"
	| "uuid"
	| "name"
	| "type"
	| "memoryKiB"
	| "vcpus"
	| "kernel"
	| "ramdisk"
	| "commandLine"
	| "bios"
	| "biosPathOverride"
	| "firmwareOverride"
	| "boot"
	| "disks"
	| "serials"
	| "vga"
	| "videoMemoryKiB"
	| "nographic"
	| "hdType"
	| "acpi"
	| "lifecycle"
	| "stub"
>;
const STORED =
	"version uuid name type memoryKiB vcpus kernel ramdisk commandLine bios biosPathOverride firmwareOverride boot disks serials vga videoMemoryKiB nographic hdType acpi lifecycle stub".split(
		" ",
	);

const guest = shapeOf<Stored>({
	version: oneOf(GUEST_CONFIG_VERSION),
	uuid: guestUuid,
	name: guestName,
	type: oneOf("hvm", "pv"),
	memoryKiB,
	vcpus: count(1, XLCFG_LIMITS.mostPvVcpus),
	kernel: optional(path),
	ramdisk: optional(path),
	commandLine,
	bios: oneOf("seabios"),
	biosPathOverride: optional(path),
	firmwareOverride: optional(path),
	boot: line(4),
	disks: listOf(disk, XLCFG_LIMITS.disks),
	serials: listOf(oneOf("pty"), XLCFG_LIMITS.serialPorts),
	vga: oneOf("none", "stdvga", "cirrus"),
	videoMemoryKiB: count(0, XLCFG_LIMITS.mostVideoMemoryMiB * 1024),
	nographic: flag,
	hdType: oneOf("ide", "ahci"),
	acpi: flag,
	lifecycle,
	stub: optional(stub),
});

/**
 * A stored config read back: every field is checked again, and a field that this version does not know is refused.
 * @throws InvalidInputError, code "bad-stored-config", naming the field
 */
export function guestConfigFromJson(value: unknown): GuestConfig {
	const entries = Object.entries(value as object);
	const known = guest(Object.fromEntries(entries.filter(([key]) => STORED.includes(key))), "config");
	const config: GuestConfig = { ...(value as GuestConfig), ...known };
	if (config.type === "pv" && config.kernel === undefined) refuseAt("config.kernel", "is missing");
	if (config.type === "hvm" && config.stub === undefined) refuseAt("config.stub", "is missing");
	if (!/^[acdn]{1,4}$/.test(config.boot)) refuseAt("config.boot", "is not a boot order");
	config.disks.forEach((one, index) => {
		checkDiskFits(one, config.disks.slice(0, index), config);
	});
	return config;
}
