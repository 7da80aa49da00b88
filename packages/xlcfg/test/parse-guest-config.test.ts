import { describe, expect, it } from "vitest";
import { ABSENT, XlCfgError } from "../src/index.ts";
import { HVM, ID, PV, parse, problemsOf } from "./guests.ts";

describe("parseGuestConfig", () => {
	it("fills in an HVM guest's defaults", () => {
		expect(parse(HVM)).toEqual({
			warnings: [],
			config: {
				...ABSENT,
				version: 2,
				uuid: ID,
				name: "web",
				type: "hvm",
				memoryKiB: 256 * 1024,
				maxMemoryKiB: 256 * 1024,
				vcpus: 1,
				maxVcpus: 1,
				commandLine: "",
				bios: "seabios",
				boot: "cda",
				disks: [],
				serials: [],
				vga: "cirrus",
				videoMemoryKiB: 8192,
				nographic: false,
				hdType: "ide",
				acpi: true,
				lifecycle: {
					poweroff: "destroy",
					reboot: "restart",
					watchdog: "destroy",
					crash: "destroy",
					softReset: "soft-reset",
					deviceModelFailure: "destroy",
				},
				stub: {},
				deviceModel: { place: "stub-domain", restrict: false, args: [], argsHvm: [], argsPv: [] },
			},
		});
	});

	it("reads everything an HVM guest may say", () => {
		const { config, warnings } = parse(`${HVM}
uuid = "AABBCCDD-0011-2233-4455-66778899AABB"
vcpus = 2; maxvcpus = 4; maxmem = "0x200"
bios = "seabios"; bios_path_override = "bios.bin"; firmware_override = "/fw"
boot = "dc"
disk = [ "/a.img,raw,hda,rw", "vdev=hdc, devtype=cdrom, target=cd,1.iso", ",hdd:cdrom,r" ]
disk += [ "format=raw, vdev=sdb, access=ro, backendtype=phy, target=/s" ]
serial = [ "pty", "pty", "none" ]
vga = "stdvga"; videoram = 32; nographic = 1; hdtype = "ahci"
acpi = 0; apic = 1; pae = 1; hap = 1
vnc = 0; sdl = 0; vif = [ ]
on_poweroff = "preserve"; on_reboot = "destroy"; on_watchdog = "restart"; on_crash = "preserve"
on_device_model_failure = "pause"
device_model_version = "qemu-xen"; device_model_stubdomain_override = 1
stubdomain_kernel = "k"; stubdomain_ramdisk = "/r"; stubdomain_memory = 200; stubdomain_cmdline = "quiet"
device_model_args = [ "-a" ]; device_model_args_hvm = [ "-b", "c,d" ]
`);
		expect(warnings).toEqual([]);
		expect(config).toMatchObject({
			uuid: "aabbccdd-0011-2233-4455-66778899aabb",
			memoryKiB: 256 * 1024,
			maxMemoryKiB: 512 * 1024,
			vcpus: 2,
			maxVcpus: 4,
			biosPathOverride: "/base/bios.bin",
			firmwareOverride: "/fw",
			boot: "dc",
			serials: ["pty", "pty"],
			vga: "stdvga",
			videoMemoryKiB: 32 * 1024,
			nographic: true,
			hdType: "ahci",
			acpi: false,
			lifecycle: {
				poweroff: "preserve",
				reboot: "destroy",
				watchdog: "restart",
				crash: "preserve",
				deviceModelFailure: "pause",
			},
			stub: { kernel: "/base/k", ramdisk: "/r", memoryKiB: 200 * 1024, commandLine: "quiet" },
			deviceModel: { args: ["-a"], argsHvm: ["-b", "c,d"] },
		});
		const common = { partition: 0, format: "raw" };
		expect(config.disks).toEqual([
			{ vdev: "hda", devnum: 768, index: 0, bus: "ide", path: "/a.img", readOnly: false, cdrom: false, ...common },
			{
				vdev: "hdc",
				devnum: 5632,
				index: 2,
				bus: "ide",
				path: "/base/cd,1.iso",
				readOnly: true,
				cdrom: true,
				...common,
			},
			{ vdev: "hdd", devnum: 5696, index: 3, bus: "ide", readOnly: true, cdrom: true, ...common },
			{
				vdev: "sdb",
				devnum: 2064,
				index: 1,
				bus: "scsi",
				path: "/s",
				readOnly: true,
				cdrom: false,
				backendType: "phy",
				...common,
			},
		]);
	});

	it("reads a PV guest, which is xl's default type", () => {
		const { config } = parse('name="p"\nmemory=64\nkernel="/k"\nramdisk="rd"\nroot="/dev/xvda1 ro"\nextra="quiet"');
		expect(config).toMatchObject({
			type: "pv",
			kernel: "/k",
			ramdisk: "/base/rd",
			commandLine: "root=/dev/xvda1 ro quiet",
			vga: "none",
			videoMemoryKiB: 0,
			serials: [],
		});
		expect(config).not.toHaveProperty("stub");
	});

	it("lets the last assignment win, and the command line after it", () => {
		const text = `${HVM}memory = 128\nvcpus = 2`;
		const overrides = [
			"memory=300",
			"name=other guest",
			"boot='d'",
			'disk=["/x,raw,hda"]',
			"disk+=['/y,raw,hdb']",
			"uuid=aabbccdd00112233445566778899aabb",
		];
		const { config } = parse(text, { overrides });
		expect(config).toMatchObject({ memoryKiB: 300 * 1024, vcpus: 2, name: "other guest", boot: "d" });
		expect(config.disks.map(({ vdev }) => vdev)).toEqual(["hda", "hdb"]);
		expect(config.uuid).toBe("aabbccdd-0011-2233-4455-66778899aabb");
	});

	it.each([
		["memory", "argument memory:1:1: The argument is not an assignment"],
		["memory=", "argument memory=:1:8: Key memory takes a whole number from 4 to 16777216"],
		["colour=red", "argument colour=red:1:1: Key colour is not known"],
		["boot='c'; acpi=0", "argument boot='c'; acpi=0:1:1: The argument holds more than one assignment"],
		["boot='", "argument boot=':1:6: The string is not closed on its line"],
	])("names the argument %j when it is wrong", (override, problem) => {
		expect(problemsOf(HVM, { overrides: [override] })).toEqual([problem]);
	});

	it.each([
		["10", 10],
		["010", 8],
		["0x10", 16],
		['" 12 "', 12],
	])("counts %s as xl does", (text, vcpus) => {
		expect(parse(`${HVM}vcpus = ${text}`).config.vcpus).toBe(vcpus);
	});

	it.each([
		["an unknown key", "colour = 1", "4:1: Key colour is not known"],
		["a contradicting builder", 'builder = "generic"', "4:11: Keys builder and type contradict each other"],
		[
			"a bad name",
			'name = "a/b"',
			"4:8: The name has a character that is not allowed: quotes, slashes, backslashes, control and non-ASCII characters",
		],
		["a bad uuid", 'uuid = "12"', '4:8: Value "12" is not a uuid'],
		["a list for a number", "memory = [ ]", "4:10: Key memory takes a whole number from 4 to 16777216"],
		["junk in a number", "vcpus = 08", "4:9: Key vcpus takes a whole number from 1 to 128"],
		["too many vcpus", "vcpus = 129", "4:9: Key vcpus takes a whole number from 1 to 128"],
		["maxmem below memory", "maxmem = 128", "4:10: Key maxmem is less than memory"],
		["maxvcpus below vcpus", "vcpus = 4\nmaxvcpus = 2", "5:12: Key maxvcpus is less than vcpus"],
		["memory below video memory", "memory = 8", "4:10: The video memory leaves nothing of 8 MiB"],
		["a boolean of another kind", "acpi = 2", "4:8: Key acpi takes 0 or 1"],
		["an odd boot order", 'boot = "cc"', "4:8: Key boot takes the letters a, c, d and n, each at most once"],
		["five serial ports", 'serial = [ "pty","pty","pty","pty","pty" ]', "4:10: A guest has at most 4 serial ports"],
		["little video memory", "videoram = 4", '4:12: Key videoram with vga = "cirrus" takes a power of two from 8'],
		["odd video memory", "videoram = 12", '4:12: Key videoram with vga = "cirrus" takes a power of two from 8'],
		["an unknown lifecycle action", 'on_crash = "explode"', '4:12: Key on_crash does not take "explode"'],
		["arguments that are no list", 'device_model_args = "-a"', "4:21: Key device_model_args takes a list of strings"],
		["a number among arguments", "device_model_args = [ 1 ]", "4:23: The list device_model_args takes strings only"],
		[
			"an escape sequence in a path",
			String.raw`firmware_override = "/a\x1b"`,
			"4:21: The path has a control character",
		],
		["an empty path", 'stubdomain_kernel = ""', "4:21: The path is empty"],
		[
			"a long command line",
			`stubdomain_cmdline = "${"a".repeat(1024)}"`,
			"4:22: Key stubdomain_cmdline is longer than 1023 bytes",
		],
		[
			"a string appended to a list",
			'disk += "x"\ndisk += [ ]',
			"5:1: Key disk is of another kind than what += would append to it",
		],
	])("refuses %s", (_, line, problem) => {
		expect(problemsOf(HVM + line)).toContain(`g.cfg:${problem}`);
	});

	it.each([
		["a second disk of the same name", "/x,raw,hda", "/y,raw,hda", "There are two disks hda"],
		["two names of one device", "/x,raw,xvdb", "/y,raw,xvdb", "There are two disks xvdb"],
		[
			"disks that collide in the stub",
			"/x,raw,hda",
			"/y,raw,xvda",
			"Disks hda and xvda collide: both are xvda in the stub domain",
		],
		["sd beside hd", "/x,raw,hdb", "/y,raw,sdb", "Disks hdb and sdb collide: both are xvdb in the stub domain"],
		["a read-only IDE disk", "/x,raw,hda", "/y,raw,hdb,r", "A read-only IDE disk (hdb) cannot be emulated"],
		[
			"a read-only xvd disk among the first four",
			"/x,raw,hda",
			"/y,raw,xvdd,ro",
			"A read-only IDE disk (xvdd) cannot be emulated",
		],
		["a partition", "/x,raw,hda", "/y,raw,hdb1", "A partition (hdb1) cannot be emulated"],
		["a CD beyond IDE", "/x,raw,hda", "/y,raw,xvde:cdrom", "A CD drive cannot be emulated as xvde"],
		["a disk without a target", "/x,raw,hda", ",raw,hdb", "The disk lacks its target"],
		["a disk without a name", "/x,raw,hda", "/y", "The disk lacks its vdev"],
	])("refuses %s, at its own place", (_, first, second, why) => {
		const text = `${HVM}disk = [\n\t"${first}",\n\t"${second}" ]`;
		expect(problemsOf(text)).toEqual([`g.cfg:6:2: ${why}`]);
	});

	it("refuses a read-only AHCI disk but not a read-only SCSI disk", () => {
		expect(problemsOf(`${HVM}hdtype = "ahci"\ndisk = [ "/x,raw,xvdf,r" ]`)).toEqual([
			"g.cfg:5:10: A read-only AHCI disk (xvdf) cannot be emulated",
		]);
		expect(parse(`${HVM}disk = [ "/x,raw,sda,r" ]`).warnings).toEqual([]);
	});

	it("has no word about the screen of a device model in domain 0", () => {
		expect(
			parse(`${HVM}device_model_stubdomain_override = 0
vnc = 1`).warnings,
		).toEqual([]);
	});

	it("gives a PV guest partitions and read-only disks, but no device twice", () => {
		const { disks } = parse(`${PV}disk = [ "/x,raw,xvda1,r", "/y,raw,xvda2", "/z,raw,hda" ]`).config;
		expect(disks.map(({ devnum }) => devnum)).toEqual([51713, 51714, 768]);
		expect(problemsOf(`${PV}disk = [ "/x,raw,xvda", "/y,raw,d0" ]`)).toEqual([
			"g.cfg:5:25: Disks xvda and d0 are the same virtual device",
		]);
	});

	it.each([
		[
			"a disk that is not emulated",
			`${HVM}disk = [ "/x,raw,xvde" ]`,
			"g.cfg:4:10: Disk xvde is not emulated: the guest sees it through PV drivers only",
		],
		["the old key builder", `${HVM}builder = "hvm"`, 'g.cfg:4:11: Key builder is deprecated: write type = "hvm"'],
		[
			"a firmware in the place of a kernel",
			`${HVM}kernel = "/usr/lib/xen/boot/hvmloader"`,
			"g.cfg:4:10: Key kernel is ignored: hvmloader is no guest's kernel",
		],
		[
			"video memory without a screen",
			`${HVM}vga="none"\nvideoram = 8`,
			'g.cfg:5:12: Key videoram has no effect with vga = "none"',
		],
		["extra beside cmdline", `${PV}cmdline="a"\nextra="b"`, "g.cfg:6:7: Key extra is ignored since cmdline is given"],
		["an HVM key in a PV guest", `${PV}boot = "c"`, "g.cfg:5:8: Key boot has no effect on a PV guest"],
		["stdvga beside another vga", `${HVM}vga="none"\nstdvga=1`, "g.cfg:5:8: Key stdvga is ignored since vga is given"],
		[
			"another screen than VNC's in a stub domain",
			`${HVM}sdl=1`,
			"g.cfg:4:5: Key sdl has no effect on a device model in a stub domain",
		],
	])("warns of %s", (_, text, warning) => {
		expect(parse(text).warnings).toEqual([warning]);
	});

	it.each([
		["memroy = 1", "Did you mean memory?"],
		["on_poweorff = 'x'", "Did you mean on_poweroff?"],
		["disks = [ ]", "Did you mean disk?"],
		["zzzzzzz = 1", "Remove the line"],
	])("guesses what %j meant", (line, remedy) => {
		const error = catchError(() => parse(HVM + line));
		expect(error).toMatchObject({ remedy, fields: { line: 4, key: line.split(" ")[0] } });
	});

	it("tells everything that is wrong at once", () => {
		expect(problemsOf('type = "hvm"\nvcpus = 0\ncolour = 1\ndisk = [ "/x,raw,hda,r", "/y,raw,hdz" ]')).toEqual([
			"g.cfg:1:1: The guest has no name",
			"g.cfg:1:1: The guest has no memory",
			"g.cfg:2:9: Key vcpus takes a whole number from 1 to 128",
			"g.cfg:4:10: A read-only IDE disk (hda) cannot be emulated",
			'g.cfg:4:26: Virtual disk "hdz" lies beyond the 4 disks of its bus',
			"g.cfg:3:1: Key colour is not known",
		]);
	});

	it("says how many more problems there are", () => {
		expect(catchError(() => parse('type = "pv"')).message).toBe("g.cfg:1:1: The guest has no name (and 2 more)");
	});

	it("refuses a text above the limit before it reads it", () => {
		const error = catchError(() => parse(`#${"x".repeat(10 * 1024 * 1024)}`));
		expect(error).toMatchObject({
			code: "guest-config-too-large",
			message: "g.cfg:1:1: The config has 10485761 bytes and the limit is 1048576",
		});
		expect(catchError(() => parse(HVM, { limitBytes: HVM.length - 1 })).code).toBe("guest-config-too-large");
		expect(parse(HVM, { limitBytes: HVM.length }).config.name).toBe("web");
	});
});

function catchError(run: () => unknown): XlCfgError {
	try {
		run();
	} catch (error) {
		if (error instanceof XlCfgError) return error;
		throw error;
	}
	throw new Error("Nothing was thrown");
}
