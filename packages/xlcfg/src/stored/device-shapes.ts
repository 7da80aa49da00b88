import type {
	ChannelConfig,
	DiskConfig,
	FrameBufferConfig,
	KeyedDeviceConfig,
	NicConfig,
	PciDeviceConfig,
	SdlConfig,
	VncConfig,
} from "../guest-config.ts";
import { XLCFG_LIMITS } from "../limits.ts";
import { formatChannel, parseChannelSpec } from "../specs/channel-spec.ts";
import { checkScript } from "../specs/disk-config.ts";
import { formatKeyedDevice, type KeyedKind, parseKeyedDevice } from "../specs/keyed-device.ts";
import { formatNic, parseNicSpec } from "../specs/nic-spec.ts";
import { formatPci, parsePciSpec } from "../specs/pci-spec.ts";
import { checkKeymap, MOST_DISPLAYS, parseVncListen } from "../specs/screen-specs.ts";
import { parseSoundCard, soundCardItems } from "../specs/sound-card.ts";
import { parseVdev } from "../specs/vdev.ts";
import { backend, path, text, word } from "./common-checks.ts";
import {
	type Check,
	count,
	flag,
	line,
	lineFor,
	oneOf,
	optional,
	recordOf,
	refuseAt,
	runCheck,
	shapeOf,
} from "./shape.ts";

const MOST_KEYS = 64;

const diskShape = shapeOf<DiskConfig>({
	vdev: line(16),
	devnum: count(0, 2 ** 29),
	index: count(0, 2 ** 20 - 1),
	partition: count(0, 255),
	bus: oneOf("ide", "scsi", "xen"),
	path: optional(line(XLCFG_LIMITS.pathBytes)),
	readOnly: flag,
	cdrom: flag,
	format: oneOf("raw", "qcow", "qcow2", "vhd", "qed"),
	backend: optional(backend),
	backendType: optional(oneOf("phy", "qdisk", "tap", "standalone")),
	specification: optional(oneOf("virtio")),
	grantUsage: optional(flag),
	script: optional(lineFor(XLCFG_LIMITS.pathBytes, checkScript)),
	directIoSafe: optional(flag),
	discard: optional(flag),
	trusted: optional(flag),
});

export const disk: Check<DiskConfig> = (value, at) => {
	const checked = diskShape(value, at);
	const { bus, index, partition, devnum } = runCheck(`${at}.vdev`, () => parseVdev(checked.vdev));
	const agrees = checked.bus === bus && checked.index === index && checked.partition === partition;
	if (!agrees || checked.devnum !== devnum) refuseAt(at, "has numbers that disagree with its vdev");
	if (checked.path === undefined && !checked.cdrom) refuseAt(`${at}.path`, "is missing");
	if (checked.path !== undefined && checked.script === undefined) path(checked.path, `${at}.path`);
	return checked;
};

const nicShape = shapeOf<NicConfig>({
	devid: count(0, 255),
	mac: line(17),
	type: oneOf("ioemu", "vif"),
	model: word,
	bridge: optional(word),
	script: optional(word),
	ip: optional(text),
	gatewayDevice: optional(word),
	interfaceName: optional(word),
	mtu: optional(count(68, 65_535)),
	backend: optional(backend),
	rate: optional(
		shapeOf<NonNullable<NicConfig["rate"]>>({
			bytes: count(1, Number.MAX_SAFE_INTEGER),
			intervalUs: count(1, 2 ** 32 - 1),
		}),
	),
	vlan: optional(word),
	trusted: optional(flag),
});

/** What a device's shape allows must also be what the reader of its specification makes of it. */
function sameAs<T>(shape: Check<T>, format: (device: T) => string, parse: (spec: string) => unknown): Check<T> {
	return (value, at) => {
		const device = shape(value, at);
		const again = runCheck(at, () => parse(format(device)));
		if (canonical(again) !== canonical(device)) refuseAt(at, "is not what its specification would be");
		return device;
	};
}

function canonical(value: unknown): string {
	return JSON.stringify(value, (_, item: unknown) =>
		typeof item === "object" && item !== null && !Array.isArray(item)
			? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
			: item,
	);
}

export const nic: Check<NicConfig> = sameAs(
	nicShape,
	formatNic,
	(spec) => parseNicSpec(spec, { guestType: "hvm", index: 0, makeMac: () => "" }).nic,
);

export const channel: Check<ChannelConfig> = sameAs(
	shapeOf<ChannelConfig>({
		name: word,
		connection: line(XLCFG_LIMITS.lineBytes),
		path: optional(path),
		backend: optional(backend),
	}),
	formatChannel,
	parseChannelSpec,
);

export const pciDevice: Check<PciDeviceConfig> = sameAs(
	shapeOf<PciDeviceConfig>({
		address: line(16),
		slot: optional(count(0, 31)),
		permissive: flag,
		msiTranslate: flag,
		powerManagement: flag,
		seize: flag,
		rdmPolicy: optional(oneOf("strict", "relaxed")),
		name: optional(word),
	}),
	formatPci,
	(spec) => parsePciSpec(spec, { permissive: false, msiTranslate: false, powerManagement: false, seize: false }),
);

export function keyedDevice(kind: KeyedKind): Check<KeyedDeviceConfig> {
	return sameAs<KeyedDeviceConfig>(recordOf(MOST_KEYS, XLCFG_LIMITS.lineBytes), formatKeyedDevice, (spec) =>
		parseKeyedDevice(kind, spec),
	);
}

export const soundCard: Check<KeyedDeviceConfig> = (value, at) => {
	const card = recordOf(XLCFG_LIMITS.devices, XLCFG_LIMITS.lineBytes)(value, at);
	const again = runCheck(at, () => parseSoundCard(soundCardItems(card)));
	return canonical(again) === canonical(card) ? card : refuseAt(at, "is not numbered from 0");
};

export const keymap: Check<string> = lineFor(32, checkKeymap);

export const vnc: Check<VncConfig> = shapeOf<VncConfig>({
	listen: lineFor(XLCFG_LIMITS.wordBytes, (listen) => parseVncListen(listen, undefined)),
	display: count(0, MOST_DISPLAYS),
	findUnused: flag,
	password: optional(word),
});

export const sdl: Check<SdlConfig> = shapeOf<SdlConfig>({
	opengl: flag,
	display: optional(word),
	xauthority: optional(line(XLCFG_LIMITS.pathBytes)),
});

export const frameBuffer: Check<FrameBufferConfig> = shapeOf<FrameBufferConfig>({
	vnc: optional(vnc),
	sdl: optional(sdl),
	keymap: optional(keymap),
});
