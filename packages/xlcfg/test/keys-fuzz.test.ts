import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import { checkGuestConfig, formatGuestConfig, guestConfigFromJson, printValue } from "../src/index.ts";
import { ID, MAC, parse } from "./guests.ts";

const KEYS =
	`acpi acpi_firmware acpi_laptop_slate acpi_s3 acpi_s4 altp2m altp2m_count altp2mhvm apic bios bios_path_override
	boot bootloader bootloader_args bootloader_restrict bootloader_user budget builder cap channel cmdline cpu_weight cpuid
	cpus cpus_soft device_model device_model_args device_model_args_hvm device_model_args_pv device_model_override
	device_model_stubdomain_override device_model_stubdomain_seclabel device_model_user device_model_version disk display
	dm_restrict driver_domain e820_host extra extratime firmware firmware_override gfx_passthru hap hdtype hpet hvm_pirq
	init_seclabel iomem ioports irqs kernel keymap latency localtime max_event_channels max_grant_frames max_grant_version
	max_maptrack_frames maxmem maxvcpus mca_caps memory mmio_hole ms_vm_genid msr_relaxed name nestedhvm nographic nomigrate
	nx on_crash on_device_model_failure on_poweroff on_reboot on_soft_reset on_watchdog oos opengl p9 pae passthrough pci
	pci_msitranslate pci_permissive pci_power_mgmt pci_seize period pool pvcalls pvshim pvshim_cmdline pvshim_extra
	pvshim_path ramdisk rdm rdm_mem_boundary root rtc_timeoffset sdl seclabel serial shadow_memory slice smbios
	smbios_firmware soundhw spice spice_clipboard_sharing spice_image_compression spice_streaming_video spiceagent_mouse
	spicedisable_ticketing spicehost spicepasswd spiceport spicetls_port spiceusbredirection spicevdagent stdvga
	stubdomain_cmdline stubdomain_kernel stubdomain_memory stubdomain_ramdisk timer_mode tsc_mode type usb usbctrl usbdev
	usbdevice usbversion uuid vcpus vdispl vendor_device vfb vga videoram vif viridian virtio vkb vkb_device
	vmtrace_buf_kb vnc vncdisplay vnclisten vncpasswd vncunused vnuma vpmu vpt_align vsnd vtpm xauthority xen_platform_pci
	xen_platform_pci_bar_uc xend_suspend_evtchn_compat xenstore_feature_mask xenstore_quota`.split(/\s+/);

/** What stands in strings: words, numbers, and pieces of specifications, in any order. */
const PIECES = [
	...[
		"/a",
		"/b.img",
		"raw",
		"qcow2",
		"hda",
		"hdc:cdrom",
		"xvdb",
		"sdc",
		"cdrom",
		"ro",
		"target=/x,y",
		"vdev=d3",
		"format=empty",
	],
	...[
		"backendtype=qdisk",
		"backend=7",
		"script=s",
		"discard",
		"untrusted",
		"grant_usage=1",
		"phy:/dev/a",
		"mac=0:16:3e:1:2:3",
	],
	...[
		"bridge=b0",
		"rate=1GB/s@4294s",
		"rate=80b/s",
		"type=vif",
		"model=e1000",
		"mtu=1500",
		"devid=3",
		"vifname=v",
		"trusted",
	],
	...[
		"ip=::1 1.2.3.4",
		"vlan=2",
		"name=a",
		"connection=pty",
		"connection=socket",
		"path=/p",
		"03:00.0",
		"1:2.*@1f",
		"seize=1",
	],
	...[
		"vslot=3",
		"rdm_policy=relaxed",
		"tag=t",
		"vnc=0",
		"vnclisten=[::1]:5",
		"sdl=1",
		"keymap=de",
		"version=2",
		"hostbus=1",
	],
	...[
		"hostaddr=2",
		"backend-type=linux",
		"connectors=a:1x1",
		"card",
		"pcm",
		"stream",
		"unique-id=1",
		"pnode=0",
		"size=1",
	],
	...[
		"vcpus=0-1",
		"0-3",
		"^2",
		"all",
		"node:1",
		"host",
		"tm=0",
		"1:ecx=0x1",
		"strategy=host",
		"policy=strict",
		"nodes=3",
	],
	...[
		"hvm",
		"pvh",
		"pv",
		"1",
		"0",
		"3",
		"64",
		"0x40",
		"-5",
		"defaults",
		"!synic",
		"pty",
		"none",
		"tablet",
		"3f8-3ff",
		"a:b:c",
	],
	...[
		"fed40,5@1",
		"lmce",
		"system_product=x",
		"ovmf",
		"rombios",
		"qemu-xen-traditional",
		"seabios",
		"hda",
		"ahci",
		"igd",
	],
	...[
		"destroy",
		"soft-reset",
		"pause",
		"native",
		"mixed",
		"generate",
		"uefi",
		"pvgrub64",
		ID,
		"",
		" ",
		"=",
		"a=b",
		"é",
		"\u009b",
	],
];
const text = fc.oneof(
	{ weight: 4, arbitrary: fc.constantFrom(...PIECES) },
	{ weight: 2, arbitrary: fc.array(fc.constantFrom(...PIECES), { maxLength: 5 }).map((pieces) => pieces.join(",")) },
	{ weight: 1, arbitrary: fc.string({ maxLength: 8 }) },
);
const number = fc.oneof(fc.constantFrom(0, 1, 2, 3, 64, 512, 2 ** 32), fc.nat());
const list = fc.array(fc.oneof(text, fc.array(text, { maxLength: 3 }), number), { maxLength: 3 });
const value = fc.oneof(
	{ weight: 3, arbitrary: text },
	{ weight: 3, arbitrary: number },
	{ weight: 3, arbitrary: list },
);
const assignment = fc.tuple(fc.constantFrom(...KEYS), value);

/** A config that is right, and lines that may be. */
const config = fc
	.tuple(fc.constantFrom("hvm", "pvh", "pv"), fc.array(assignment, { maxLength: 6 }))
	.map(([type, assignments]) => {
		const base = `name = "a"\nuuid = "${ID}"\ntype = "${type}"\nmemory = 512\nkernel = "/k"\n`;
		return base + assignments.map(([key, it]) => `${key} = ${printValue(it)}\n`).join("");
	});

describe("any values of any keys", () => {
	test.prop([config], { numRuns: 3000 })(
		"make problems in their lines, or a config that is kept by both of its forms",
		(written) => {
			const lines = written.split("\n");
			let macs = 0;
			const makeMac = (): string => MAC.replace("01:02", `01:${(0x10 + macs++).toString(16)}`);
			const checked = checkGuestConfig(written, { file: "f", baseDir: "/base", makeMac });
			for (const { line, column, message } of [...checked.problems, ...checked.warnings]) {
				expect(line).toBeLessThanOrEqual(lines.length);
				expect(column).toBeLessThanOrEqual((lines[line - 1] ?? "").length + 1);
				expect(message).not.toMatch(/undefined|NaN|\[object/);
			}
			if (!checked.config) return;
			expect(guestConfigFromJson(JSON.parse(JSON.stringify(checked.config)))).toEqual(checked.config);
			expect(parse(formatGuestConfig(checked.config)).config).toEqual(checked.config);
		},
	);
});
