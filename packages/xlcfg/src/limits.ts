/** Bounds of what a config file may ask for, and of the file. */
export const XLCFG_LIMITS = {
	/** Of the whole text, in bytes of UTF-8. */
	textBytes: 1_048_576,
	/** Lists within lists. */
	listDepth: 16,
	nameLength: 64,
	/** Of a path: Linux's PATH_MAX, terminator excluded. */
	pathBytes: 4095,
	/** Of a PV guest's or stub domain's command line: Xen's MAX_GUEST_CMDLINE, terminator excluded (xen.h). */
	commandLineBytes: 1023,
	leastMemoryMiB: 4,
	/** 16 TiB. */
	mostMemoryMiB: 16_777_216,
	/** HVM_MAX_VCPUS (hvm/hvm_info_table.h). */
	mostHvmVcpus: 128,
	mostPvVcpus: 512,
	/** ISA serial ports of QEMU's pc machines. */
	serialPorts: 4,
	disks: 64,
	nics: 64,
	channels: 16,
	/** Of any other kind of device. */
	devices: 64,
	/** Of a value that is carried as given: an address, a device's parameter. */
	wordBytes: 255,
	/** Of an ip= or of a list of a card's formats. */
	lineBytes: 1023,
	/** Linux's IFNAMSIZ, terminator excluded. */
	interfaceNameLength: 15,
	/** Of a unix socket's path (sockaddr_un), terminator excluded. */
	socketPathBytes: 107,
	deviceModelArgs: 256,
	/** An argument becomes one xenstore value: 4096 bytes with the path (xs_wire.h: XENSTORE_PAYLOAD_MAX). */
	deviceModelArgBytes: 3072,
	mostVideoMemoryMiB: 256,
	/** Assignments that a later one replaced, and other remarks. */
	warnings: 100,
} as const;
