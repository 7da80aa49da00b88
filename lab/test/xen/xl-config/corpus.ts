/** One config file, and how xl's reading of it and ours may differ. */
export interface CorpusEntry {
	what: string;
	text: string;
	/** Facts that differ, each with the reason. They must differ. */
	differs?: Readonly<Record<string, string>>;
	/** Who refuses the file; nobody when it is left out. */
	refusedBy?: "us" | "xl" | "both";
	/** Why one of both refuses what the other takes. */
	reason?: string;
}

/** What a Linux stub domain takes with xl. */
const STUB = 'device_model_version = "qemu-xen"\ndevice_model_stubdomain_override = 1\n';
const HVM = `name = "h"\ntype = "hvm"\nmemory = 128\nvnc = 0\n${STUB}`;
const PV = 'name = "p"\ntype = "pv"\nmemory = 64\nkernel = "/k"\n';
const PVH = 'name = "v"\ntype = "pvh"\nmemory = 64\nkernel = "/k"\n';

type Notes = Omit<CorpusEntry, "what" | "text">;

const hvm = (what: string, lines: string, notes: Notes = {}): CorpusEntry => ({
	what,
	text: `${HVM}${lines}\n`,
	...notes,
});
const pv = (what: string, lines: string, notes: Notes = {}): CorpusEntry => ({
	what,
	text: `${PV}${lines}\n`,
	...notes,
});
const pvh = (what: string, lines: string, notes: Notes = {}): CorpusEntry => ({
	what,
	text: `${PVH}${lines}\n`,
	...notes,
});
const whole = (what: string, text: string, notes: Notes = {}): CorpusEntry => ({ what, text, ...notes });

const NONSENSE = "xl takes it without a word";

/** Every key of xl.cfg(5) that Xen 4.17 knows on x86, and what people get wrong. */
export const CORPUS: readonly CorpusEntry[] = [
	whole(
		"an HVM guest as Xen's example has one",
		`# A guest that boots from its disk
type = "hvm"
name = "example.hvm"
uuid = "06ed00fe-1162-4fc4-b5d8-11993ee4a8b9"
memory = 128
#maxmem = 512
vcpus = 2
vif = [ '' ]
disk = [ '/dev/vg/guest-volume,raw,xvda,rw' ]
vga = "stdvga"
sdl = 0
vnc = 0
device_model_version = "qemu-xen"
device_model_stubdomain_override = 1
`,
	),
	whole(
		"a PV guest as Xen's example has one",
		`name = "example.pvlinux"
kernel = "/boot/vmlinuz"
ramdisk = "/boot/initrd.gz"
extra = "root=/dev/xvda1"
memory = 128
maxmem = 512
vcpus = 2
vif = [ '' ]
disk = [ '/dev/vg/guest-volume,raw,xvda,rw' ]
`,
	),
	whole(
		"a PVH guest as Xen's example has one",
		`type = "pvh"
name = "example.pvhlinux"
kernel = "/boot/vmlinuz"
ramdisk = "/boot/initrd.gz"
extra = "root=/dev/xvda1"
memory = 512
vcpus = 2
vif = [ '' ]
disk = [ '/dev/vg/guest-volume,raw,xvda,rw' ]
`,
	),
	whole(
		"comments, semicolons, tabs and both quotes",
		`name = 'a"b'\t# its name\nmemory=0x40;vcpus = 010;;\n\tkernel="/k"\n`,
		{
			refusedBy: "us",
			reason: "a name with a quote is safe in no terminal and in no shell",
		},
	),
	whole(
		"comments, semicolons, tabs and other bases",
		`name = 'ab'\t# its name\nmemory=0x40;vcpus = 010;;\n\tkernel="/k"\n`,
	),
	whole(
		"lists over lines, with comments and a last comma",
		`${PV}disk = [ # the disks\n\n'/a,raw,xvda',\n# another\n'/b,raw,xvdb',\n]\n`,
	),
	whole(
		"appended strings and lists",
		`${PV}extra = "a"\nextra += " b"\ndisk = [ "/a,raw,xvda" ]\ndisk += [ "/b,raw,xvdb" ]\n`,
	),
	whole("a key given twice: the later wins", `${PV}vcpus = 2\nvcpus = 3\n`),
	whole("no newline at the end", `${PV}vcpus = 2`),
	whole("plain escapes in a string", `${PV}extra = "a\\\\b \\"c\\" d"\n`),
	whole("a comment in a last line without newline", `${PV}# end`, { refusedBy: "xl", reason: "harmless, and common" }),
	whole("DOS line ends", `${PV.replaceAll("\n", "\r\n")}`, { refusedBy: "xl", reason: "harmless, and common" }),
	whole("a hexadecimal escape", `${PV}extra = "a\\x20b"\n`, { refusedBy: "xl", reason: "xl reads a digit too many" }),
	whole("a bare word", `${PV}acpi = yes\n`, { refusedBy: "both" }),
	whole("a string appended to a list", `${PV}disk = [ ]\ndisk += "x"\n`, { refusedBy: "both" }),
	whole("an empty item of a list", `${PV}disk = [ , ]\n`, { refusedBy: "both" }),
	whole("no name", `type = "pv"\nmemory = 64\nkernel = "/k"\n`, { refusedBy: "both" }),
	whole("no memory", `name = "m"\ntype = "pv"\nkernel = "/k"\n`, {
		refusedBy: "us",
		reason: "xl gives 32 MiB, in which nothing starts: the line was forgotten",
	}),
	whole("no kernel", `name = "k"\nmemory = 64\n`, { refusedBy: "both" }),
	whole("half a word for the type", `name = "t"\nmemory = 64\ntype = "h"\nvnc = 0\n`, {
		refusedBy: "us",
		reason: "xl compares no further than the text goes",
	}),
	whole("the old key builder", `name = "b"\nmemory = 64\nbuilder = "hvm"\nvnc = 0\n${STUB}`),
	whole("a builder that contradicts the type", `${PV}builder = "hvm"\n`, { refusedBy: "both" }),
	whole("a key that nobody knows", `${PV}memroy = 64\n`, { refusedBy: "us", reason: NONSENSE }),
	whole("a number that is none", `${PV}vcpus = "two"\n`, { refusedBy: "us", reason: "xl warns and takes the default" }),
	whole("a list where a number belongs", `${PV}vcpus = [ 2 ]\n`, {
		refusedBy: "us",
		reason: "xl warns and takes the default",
	}),

	pv("memory and maxmem", "maxmem = 256\nvcpus = 2\nmaxvcpus = 4"),
	pv("fewer maxvcpus than vcpus", "vcpus = 4\nmaxvcpus = 2", { refusedBy: "both" }),
	pv("less maxmem than memory", "maxmem = 32", {
		refusedBy: "us",
		reason: "xl leaves it to the build, which fails after it has begun",
	}),
	pv("cpus as a string", 'vcpus = 2\ncpus = "0-3,^2"\ncpus_soft = "all"\ncpu_weight = 512\ncap = 50'),
	pv("cpus as a list", 'vcpus = 2\ncpus = [ "0", "1" ]\ncpus_soft = [ "0-1" ]'),
	pv("cpus that are none", 'cpus = "two"', { refusedBy: "both" }),
	pv("parameters of real-time schedulers", "period = 10000\nslice = 4000\nlatency = 1000\nextratime = 1", {
		differs: { scheduling: "slice and latency belonged to a scheduler that Xen removed: a warning" },
	}),
	pv("a cpupool", 'pool = "Pool-0"'),
	pv("a command line in three parts", 'cmdline = "whole"\nroot = "/dev/xvda1"\nextra = "quiet"'),
	pv("a root and more", 'root = "/dev/xvda1 ro"\nextra = "quiet"\nramdisk = "/r"'),
	whole("a bootloader", `name = "b"\nmemory = 64\nbootloader = "pygrub"\nbootloader_args = [ "-q", "--entry=1" ]\n`),
	whole(
		"a bootloader with a string of arguments",
		`name = "b"\nmemory = 64\nbootloader = "/usr/bin/pygrub"\nbootloader_args = "-q  --entry=1"\n`,
	),
	pv(
		"limits of the domain",
		"max_grant_frames = 64\nmax_maptrack_frames = 128\nmax_grant_version = 1\nmax_event_channels = 100\ndriver_domain = 1\nxend_suspend_evtchn_compat = 1\nnomigrate = 1\nvmtrace_buf_kb = 64\nvpmu = 1\nmsr_relaxed = 1",
	),
	pv("the clock", 'localtime = 1\nrtc_timeoffset = "-3600"\ntsc_mode = "native"'),
	pv("the clock's mode as a number", "tsc_mode = 1"),
	pv("a clock's mode that was removed", 'tsc_mode = "native_paravirt"', {
		refusedBy: "us",
		reason: "xl leaves it to Xen, which has it no more",
	}),
	pv("cpuid flags", 'cpuid = "host,tm=0,sse3=0"'),
	pv("cpuid leaves", `cpuid = [ "1:ecx=${"x".repeat(31)}0" ]`),
	pv("the host's memory map", "e820_host = 1"),
	pv("access to hardware", 'ioports = [ "3f8-3ff", "80" ]\nirqs = [ 5, 7 ]\niomem = [ "fed40,5", "fed50,1@fed60" ]'),
	pv(
		"a PV frame buffer",
		'vfb = [ "vnc=1,vnclisten=0.0.0.0,vncpasswd=x,vncdisplay=3,vncunused=0,keymap=de", "sdl=1,vnc=0,opengl=1,display=:0,xauthority=/x" ]',
	),
	pv("a PV screen by the keys of HVM guests", 'vnc = 1\nvnclisten = "0.0.0.0"\nkeymap = "de"'),
	pv(
		"every action",
		'on_poweroff = "preserve"\non_reboot = "destroy"\non_watchdog = "restart"\non_crash = "coredump-destroy"\non_soft_reset = "rename-restart"',
	),
	pv("a last action", 'on_crash = "coredump-restart"\non_reboot = "soft-reset"'),
	pv("an action that is none", 'on_crash = "explode"', { refusedBy: "both" }),
	pv("keys of HVM guests", 'boot = "c"\nserial = "pty"\nvga = "stdvga"'),

	pvh("the PV shim", 'pvshim = 1\npvshim_path = "/shim"\npvshim_cmdline = "pv-shim"\npvshim_extra = "loglvl=all"'),
	pvh(
		"the platform",
		'hap = 1\nacpi = 0\napic = 1\ntimer_mode = "no_missed_ticks_pending"\nnestedhvm = 0\naltp2m = "external"\nshadow_memory = 4\npassthrough = "disabled"',
	),
	pvh("a number of a timer mode", "timer_mode = 3"),
	pvh("a timer mode that is none", 'timer_mode = "late"', { refusedBy: "both" }),

	hvm(
		"firmware and tables",
		'bios = "ovmf"\nbios_path_override = "/bios"\nfirmware_override = "/loader"\nsmbios_firmware = "/s"\nacpi_firmware = "/a"\nboot = "dc"',
	),
	hvm("a BIOS that is none", 'bios = "coreboot"', { refusedBy: "both" }),
	hvm("an odd boot order", 'boot = "xyz"', { refusedBy: "us", reason: "QEMU refuses it, when the guest is half made" }),
	hvm("direct boot", 'kernel = "/k"\nramdisk = "/r"\ncmdline = "quiet"'),
	hvm("the firmware in the place of a kernel", 'kernel = "/usr/lib/xen/boot/hvmloader"'),
	hvm("a kernel's parameters without a kernel", 'cmdline = "quiet"', {
		refusedBy: "us",
		reason: "libxl refuses it later",
	}),
	hvm(
		"a screen by VNC",
		'vnc = 1\nvnclisten = "0.0.0.0"\nvncdisplay = 2\nvncunused = 0\nvncpasswd = "secret"\nkeymap = "en-us"',
	),
	hvm("a display that is given twice", 'vnc = 1\nvnclisten = "0.0.0.0:1"\nvncdisplay = 2', { refusedBy: "both" }),
	whole("a screen by default", `name = "d"\ntype = "hvm"\nmemory = 64\n${STUB}`, {
		differs: { vnc: "a VNC server that nobody asked for listens on a port that nobody knows" },
	}),
	hvm("a screen by SDL", 'sdl = 1\nopengl = 1\ndisplay = ":0"\nxauthority = "/x"'),
	hvm(
		"a screen by SPICE",
		'spice = 1\nspiceport = 6000\nspicetls_port = 6001\nspicehost = "0.0.0.0"\nspicedisable_ticketing = 1\nspicepasswd = "x"\nspiceagent_mouse = 0\nspicevdagent = 1\nspice_clipboard_sharing = 1\nspiceusbredirection = 2\nspice_image_compression = "auto_glz"\nspice_streaming_video = "filter"',
	),
	hvm("SPICE without a port", "spice = 1\nspicedisable_ticketing = 1", {
		refusedBy: "us",
		reason: "xl refuses it when it starts QEMU",
	}),
	hvm("cirrus with its memory", 'vga = "cirrus"\nvideoram = 16'),
	hvm("qxl", 'vga = "qxl"\nvideoram = 128\nmemory = 512'),
	hvm("the old key stdvga", "stdvga = 1"),
	hvm("no graphics card", 'vga = "none"\nnographic = 1'),
	hvm("a graphics card that is none", 'vga = "voodoo"', { refusedBy: "both" }),
	hvm("little video memory", 'vga = "stdvga"\nvideoram = 4', { refusedBy: "us", reason: "libxl refuses it later" }),
	hvm("a serial port", 'serial = "pty"'),
	hvm("serial ports", 'serial = [ "pty", "file:/var/log/serial" ]'),
	hvm("emulated USB", 'usb = 1\nusbdevice = [ "tablet", "mouse" ]'),
	hvm("one emulated USB device", 'usbdevice = "tablet"', {
		differs: { usb: "the device needs the controller: libxl adds it without being told, we say so" },
	}),
	hvm("a USB controller of a version", "usbversion = 3"),
	hvm("USB in two ways", "usb = 1\nusbversion = 2", { refusedBy: "us", reason: "libxl refuses it later" }),
	hvm("a sound card", 'soundhw = "hda"'),
	hvm(
		"PV USB",
		'usbctrl = [ "version=2,ports=4", "type=pv,version=1,ports=8" ]\nusbdev = [ "type=hostdev,hostbus=1,hostaddr=3,controller=0,port=1" ]',
	),
	hvm(
		"the platform",
		"acpi_s3 = 0\nacpi_s4 = 0\nacpi_laptop_slate = 1\npae = 0\nnx = 0\nhpet = 0\nvpt_align = 0\nhap = 0\noos = 0\nnestedhvm = 1\napic = 0\nacpi = 1",
	),
	hvm("a flag of another kind", "acpi = 2", { refusedBy: "us", reason: `${NONSENSE}, as 1` }),
	hvm(
		"machine and devices",
		'xen_platform_pci = 0\nvendor_device = "xenserver"\nvkb_device = 0\nhdtype = "ahci"\ngfx_passthru = "igd"\nmmio_hole = 1024\nms_vm_genid = "generate"',
	),
	hvm("errors of the machine", 'mca_caps = [ "lmce" ]'),
	hvm("UEFI by firmware", 'firmware = "uefi"'),
	hvm("a firmware's file", 'firmware = "/loader"'),
	hvm("a firmware that is none", 'firmware = "nonsense"', {
		refusedBy: "us",
		reason: "xl takes it for a file, which is not there",
	}),
	pv("a kernel and a boot program", 'firmware = "pvgrub64"', { refusedBy: "both" }),
	hvm("no generation id", 'ms_vm_genid = "none"\ngfx_passthru = 0\nvendor_device = "none"'),
	hvm("an MMIO hole that is too small", "mmio_hole = 128", { refusedBy: "both" }),
	hvm("Hyper-V interfaces", 'viridian = [ "defaults", "!synic", "stimer" ]'),
	hvm("Hyper-V interfaces as a flag", "viridian = 1"),
	hvm("a Hyper-V interface that is none", 'viridian = [ "hyper" ]', { refusedBy: "both" }),
	hvm("altp2m's old key", "altp2mhvm = 1", { differs: { altp2m: "xl keeps the old flag, which means mixed" } }),
	hvm(
		"virtual NUMA",
		'vcpus = 2\nmaxvcpus = 2\nvnuma = [ [ "pnode=0", "size=64", "vcpus=0", "vdistances=10,20" ], [ "pnode=0", "size=64", "vcpus=1", "vdistances=20,10" ] ]',
	),
	hvm("reserved memory", 'rdm = "strategy=host"\nrdm_mem_boundary = 512'),
	hvm("reserved memory, strictly", 'rdm = "strategy=host,policy=strict"', {
		differs: { rdm: "xl 4.17 loses the whole setting, without a word, when it has a policy" },
	}),
	hvm(
		"a stub domain",
		'stubdomain_kernel = "/sk"\nstubdomain_ramdisk = "/sr"\nstubdomain_memory = 160\nstubdomain_cmdline = "quiet"\ndevice_model_args = [ "-a", "b" ]\ndevice_model_args_hvm = [ "-c" ]\ndevice_model_args_pv = [ "-d" ]',
	),
	hvm(
		"QEMU in domain 0",
		'device_model_stubdomain_override = 0\ndevice_model_override = "/qemu"\ndevice_model_user = "nobody"\ndm_restrict = 1',
	),
	hvm("arguments that are no list", 'device_model_args = "-a"', { refusedBy: "both" }),
	whole("no word of a stub domain", `name = "d"\ntype = "hvm"\nmemory = 64\nvnc = 0\n`, {
		differs: { stub: "a stub domain is the default here", deviceModelVersion: "qemu-xen is the default here" },
	}),
	whole(
		"a MiniOS stub domain",
		`name = "m"\ntype = "hvm"\nmemory = 64\nvnc = 0\ndevice_model_version = "qemu-xen-traditional"\ndevice_model_stubdomain_override = 1\n`,
	),
	hvm("the old key device_model", 'device_model = "qemu-dm"'),

	pv("disks by position", 'disk = [ "/a,raw,xvda,rw", "/b,qcow2,xvdb,r", "/c,vhd,xvdc,w", "/d,,xvdd,ro" ]'),
	pv(
		"disks by name",
		'disk = [ "format=raw, vdev=xvda, access=rw, target=/a,b=c.img", "vdev=xvdb,format=qed,access=ro,target=/b", "vdev=xvdc,format=qcow,target=/c" ]',
	),
	pv(
		"disks with old prefixes",
		'disk = [ "phy:/dev/sda,xvda,w", "file:/b,xvdb,r", "qcow2:/c,xvdc,w", "tap:/d,xvdd,w" ]',
	),
	pv("partitions and other buses", 'disk = [ "/a,raw,xvda1", "/b,raw,sdb2", "/c,raw,hdc3", "/d,raw,xvdaa" ]'),
	pv("a disk's number", 'disk = [ "/a,raw,51712" ]'),
	pv(
		"disk backends",
		'disk = [ "/a,raw,xvda,backendtype=phy", "/b,raw,xvdb,backendtype=qdisk", "vdev=xvdc,script=block-nbd,target=host:1", "/d,raw,xvdd,direct-io-safe,discard", "/e,raw,xvde,no-discard" ]',
	),
	hvm("CD drives", 'disk = [ "/cd.iso,raw,hdc,cdrom", "vdev=hdd,devtype=cdrom,format=empty", "/x.iso,,hdb:cdrom,r" ]'),
	hvm("an empty CD drive, as it was written", 'disk = [ ",hdc:cdrom,r" ]'),
	hvm("a CD as an old file has it", 'disk = [ "file:/cd.iso,hdc:cdrom,r" ]'),
	hvm("a read-only IDE disk", 'disk = [ "/a,raw,hda,ro" ]', {
		refusedBy: "us",
		reason: "libxl refuses it when it starts QEMU",
	}),
	hvm("a partition of an HVM guest", 'disk = [ "/a,raw,hda1" ]', { refusedBy: "us", reason: "it cannot be emulated" }),
	hvm("two disks of one name", 'disk = [ "/a,raw,hda", "/b,raw,hda" ]', {
		refusedBy: "us",
		reason: "xl finds it when the second is attached",
	}),
	hvm("two names of one device in the stub domain", 'disk = [ "/a,raw,hda", "/b,raw,xvda" ]', {
		refusedBy: "us",
		reason: "one of both is lost in the stub domain",
	}),
	pv("a disk without a name", 'disk = [ "/a,raw" ]', { refusedBy: "both" }),
	pv("a disk without a target", 'disk = [ ",raw,xvda" ]', { refusedBy: "us", reason: "libxl refuses it later" }),
	pv("an unknown parameter of a disk", 'disk = [ "/a,raw,xvda,colour=red" ]', { refusedBy: "both" }),
	pv("a format given twice", 'disk = [ "/a,raw,xvda,format=qcow" ]', { refusedBy: "both" }),
	pv("a parameter too many", 'disk = [ "/a,raw,xvda,rw,more" ]', { refusedBy: "both" }),

	hvm(
		"network interfaces",
		'vif = [ "mac=00:16:3e:01:02:03,bridge=br0,model=e1000,type=ioemu", "type=vif, mac=00:16:3E:AA:bb:c", "mac=00:16:3e:00:00:01,script=vif-route,ip=10.0.0.1 10.0.0.2,gatewaydev=eth1,vifname=web0,mtu=9000" ]',
	),
	pv(
		"rates",
		'vif = [ "mac=00:16:3e:00:00:01,rate=10Mb/s", "mac=00:16:3e:00:00:02,rate=250KB/s@20ms", "mac=00:16:3e:00:00:03,rate=1GB/s@1s", "mac=00:16:3e:00:00:04,rate=80b/s@500000us" ]',
	),
	pv("the old parameter netdev", 'vif = [ "mac=00:16:3e:00:00:01,netdev=eth0,devid=3" ]'),
	pv("an emulated card of a PV guest", 'vif = [ "type=ioemu" ]', { refusedBy: "us", reason: "libxl refuses it later" }),
	pv("an address that is none", 'vif = [ "mac=00:16:3e:01:02" ]', {
		refusedBy: "us",
		reason: "xl says so and goes on with half an address",
	}),
	pv("the address of a group", 'vif = [ "mac=01:16:3e:01:02:03" ]', { refusedBy: "us", reason: NONSENSE }),
	pv("a rate that is none", 'vif = [ "rate=fast" ]', { refusedBy: "both" }),
	pv("an unknown parameter of an interface", 'vif = [ "brigde=br0" ]', {
		refusedBy: "us",
		reason: "xl says so and goes on",
	}),

	pv(
		"channels",
		'channel = [ "connection=pty,name=org.example.a", "connection=socket,name=org.example.b,path=/run/b.sock" ]',
	),
	pv("a channel without a connection", 'channel = [ "name=org.example.a" ]', { refusedBy: "both" }),
	pv("two channels of one name", 'channel = [ "connection=pty,name=a", "connection=pty,name=a" ]', {
		refusedBy: "us",
		reason: NONSENSE,
	}),
	pv("a channel's path that goes with no pty", 'channel = [ "connection=pty,name=a,path=/x" ]', {
		refusedBy: "us",
		reason: NONSENSE,
	}),
	pv(
		"PCI devices",
		'pci_permissive = 1\npci_msitranslate = 1\npci_power_mgmt = 1\npci_seize = 1\npci = [ "03:00.0", "0001:0a:1f.7@1e,permissive=0,msitranslate=0,power_mgmt=0,seize=0,rdm_policy=strict" ]',
	),
	hvm("all functions of a PCI device", 'pci = [ "03:00.*", "04:00.0,rdm_policy=relaxed" ]'),
	pv("a PCI address that is none", 'pci = [ "03:00" ]', { refusedBy: "both" }),
	pv(
		"other devices",
		'p9 = [ "tag=share,path=/srv,security_model=none" ]\nvtpm = [ "backend=0" ]\npvcalls = [ "backend=0" ]\nvdispl = [ "backend=0,be-alloc=1,connectors=id0:1920x1080;id1:800x600" ]\nvkb = [ "backend-type=qemu,unique-id=1,width=640,height=480" ]',
	),
	pv(
		"a sound card of PV drivers",
		'vsnd = [ [ "card, short-name=Main, sample-formats=s16_le;s8", "pcm, name=dev1", "stream, unique-id=0, type=p" ] ]',
	),

	whole(
		"security labels",
		`${HVM}seclabel = "system_u:system_r:domU_t"\ninit_seclabel = "system_u:system_r:init_t"\ndevice_model_stubdomain_seclabel = "system_u:system_r:dm_t"\n`,
	),
	pv("a key for Arm", 'vuart = "sbsa_uart"', { refusedBy: "us", reason: "it means nothing on x86" }),
	pv("COLO", 'disk = [ "/a,raw,xvda,colo,colo-host=h,colo-port=1,colo-export=e,active-disk=/x,hidden-disk=/y" ]', {
		refusedBy: "us",
		reason: "Bulkhead does not run a guest on two hosts at once",
	}),
];
