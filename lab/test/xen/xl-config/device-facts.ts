import type { DiskConfig, KeyedDeviceConfig, NicConfig, PciDeviceConfig } from "@bulkhead/xlcfg";
import { at, type Fact, flagAt, isHvm, listAt, textAt } from "./fact.ts";
import { sdlOfXl, vncOfXl } from "./hvm-facts.ts";

/** Facts of devices that a guest may have any number of. */
export const DEVICE_FACTS: Readonly<Record<string, Fact>> = {
	disks: { xl: (xl) => listAt(xl, "disks").map(diskOfXl), ours: ({ disks }) => disks.map(diskOfOurs) },
	nics: {
		xl: (xl) => listAt(xl, "nics").map((nic) => nicOfXl(nic, isHvm(xl))),
		ours: ({ nics }) => nics.map(nicOfOurs),
	},
	channels: {
		xl: (xl) =>
			listAt(xl, "channels").map((channel) => {
				const path = at(channel, "connection.socket", "path");
				return { name: at(channel, "name"), connection: path === undefined ? "pty" : "socket", path };
			}),
		ours: ({ channels }) => channels,
	},
	frameBuffers: {
		xl: (xl) =>
			listAt(xl, "vfbs").map((vfb) => ({
				vnc: vncOfXl(at(vfb, "vnc"), true),
				sdl: sdlOfXl(at(vfb, "sdl")),
				keymap: at(vfb, "keymap"),
			})),
		ours: ({ frameBuffers }) => frameBuffers,
	},
	// Each frame buffer has a keyboard, and libxl lists it with the others.
	keyboards: {
		xl: (xl) => listAt(xl, "vkbs").length,
		ours: ({ keyboards, frameBuffers }) => keyboards.length + frameBuffers.length,
	},
	pci: {
		xl: (xl) => listAt(xl, "pcidevs").map((pci) => pciOfXl(pci, isHvm(xl))),
		ours: ({ pci, type }) => pci.map((device) => pciOfOurs(device, type === "hvm")),
	},
	usbControllers: {
		xl: (xl) => listAt(xl, "usbctrls").map((ctrl) => keyed(ctrl, ["type", "version", "ports"])),
		ours: ({ usbControllers }) => usbControllers,
	},
	usbDevices: {
		xl: (xl) =>
			listAt(xl, "usbdevs").map((device) => {
				const host = at(device, "type.hostdev") ?? {};
				const [hostbus, hostaddr] = [textAt(host, "hostbus"), textAt(host, "hostaddr")];
				return {
					type: "hostdev",
					hostbus,
					hostaddr,
					controller: textAt(device, "ctrl") || "0",
					port: textAt(device, "port"),
				};
			}),
		ours: ({ usbDevices }) => usbDevices,
	},
	p9: {
		xl: (xl) => listAt(xl, "p9s").map((share) => keyed(share, ["tag", "path", "security_model"])),
		ours: ({ p9 }) => p9,
	},
	vtpms: { xl: (xl) => listAt(xl, "vtpms").map(backendOf), ours: ({ vtpms }) => vtpms },
	pvCalls: { xl: (xl) => listAt(xl, "pvcallsifs").map(backendOf), ours: ({ pvCalls }) => pvCalls },
	displays: {
		xl: (xl) =>
			listAt(xl, "vdispls").map((display) => ({
				...backendOf(display),
				"be-alloc": at(display, "be_alloc") === true ? "1" : undefined,
				connectors: listAt(display, "connectors")
					.map((one) => `${textAt(one, "unique_id")}:${textAt(one, "width")}x${textAt(one, "height")}`)
					.join(";"),
			})),
		ours: ({ displays }) => displays,
	},
	sounds: {
		xl: (xl) => listAt(xl, "vsnds").map((card) => 1 + listAt(card, "pcms").length + streamsOf(card)),
		ours: ({ sounds }) => sounds.map((card) => Object.keys(card).length),
	},
};

const streamsOf = (card: unknown): number =>
	listAt(card, "pcms").reduce<number>((count, pcm) => count + listAt(pcm, "streams").length, 0);
const backendOf = (device: unknown): KeyedDeviceConfig => ({ backend: textAt(device, "backend_domname") });

function keyed(device: unknown, keys: string[]): Record<string, string> {
	return Object.fromEntries(keys.flatMap((key) => (at(device, key) === undefined ? [] : [[key, textAt(device, key)]])));
}

function diskOfXl(disk: unknown): object {
	const path = at(disk, "pdev_path") || undefined;
	return {
		vdev: at(disk, "vdev"),
		path,
		format: path === undefined ? "raw" : at(disk, "format"),
		readOnly: at(disk, "readwrite") !== 1,
		cdrom: at(disk, "is_cdrom") === 1,
		script: at(disk, "script"),
		// A script is phy's, and libxl says so itself.
		backendType: at(disk, "script") === undefined ? at(disk, "backend") : undefined,
		directIoSafe: at(disk, "direct_io_safe"),
		discard: flagAt(undefined, disk, "discard_enable"),
	};
}

function diskOfOurs(disk: DiskConfig): object {
	const { vdev, path, format, readOnly, cdrom, script, backendType, directIoSafe, discard } = disk;
	return { vdev, path, format, readOnly, cdrom, script, backendType, directIoSafe, discard };
}

/** An address that was not given is drawn, by each of both. */
const givenMac = (mac: unknown): unknown => (mac === "00:00:00:00:00:00" ? undefined : mac);

function nicOfXl(nic: unknown, isHvmGuest: boolean): object {
	const type = at(nic, "nictype") ?? (isHvmGuest ? "vif_ioemu" : "vif");
	const bytes = at(nic, "rate_bytes_per_interval");
	return {
		devid: at(nic, "devid"),
		mac: givenMac(at(nic, "mac")),
		type: type === "vif_ioemu" ? "ioemu" : "vif",
		model: at(nic, "model") ?? "rtl8139",
		bridge: at(nic, "bridge"),
		script: at(nic, "script"),
		ip: at(nic, "ip"),
		gatewayDevice: at(nic, "gatewaydev"),
		interfaceName: at(nic, "ifname"),
		mtu: at(nic, "mtu"),
		rate: bytes === undefined ? undefined : { bytes, intervalUs: at(nic, "rate_interval_usecs") },
	};
}

function nicOfOurs(nic: NicConfig): object {
	return { ...nic, mac: givenMac(nic.mac) };
}

function pciOfXl(pci: unknown, isHvmGuest: boolean): object {
	const [domain = 0, bus = 0, dev = 0, fn = 0] = ["domain", "bus", "dev", "func"].map(
		(key) => at(pci, key) as number | undefined,
	);
	const hex = (value: number, width: number): string => value.toString(16).padStart(width, "0");
	const slot = at(pci, "vdevfn");
	return {
		address: `${hex(domain, 4)}:${hex(bus, 2)}:${hex(dev, 2)}.${at(pci, "vfunc_mask") === 0xffff_ffff ? "*" : fn}`,
		slot: typeof slot === "number" ? slot >> 3 : undefined,
		permissive: at(pci, "permissive") === true,
		msiTranslate: at(pci, "msitranslate") === true,
		powerManagement: at(pci, "power_mgmt") === true,
		seize: at(pci, "seize") === true,
		rdmPolicy: isHvmGuest ? at(pci, "rdm_policy") : undefined,
	};
}

/** A PV guest's policy means nothing, and xl prints what happens to stand in its place. */
const pciOfOurs = ({ rdmPolicy, ...device }: PciDeviceConfig, isHvmGuest: boolean): object => ({
	...device,
	rdmPolicy: isHvmGuest ? rdmPolicy : undefined,
});
