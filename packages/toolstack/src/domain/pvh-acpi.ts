import { type GuestBytes, PVH_ACPI } from "@bulkhead/hypervisor";

/** Offsets and values of the ACPI specification, 6.3: §5.2.5 RSDP, §5.2.6 headers, §5.2.8 XSDT, §5.2.9 FADT, §5.2.12 MADT. */
const PAGE = 4096;
const HEADER_BYTES = 36;
const RSDP_BYTES = 36;
const FADT_BYTES = 268;
const LOCAL_APIC_ADDRESS = 0xfee0_0000;
/** FADT: no legacy VGA, no CMOS clock; and the machine has none of ACPI's fixed registers. */
const BOOT_ARCHITECTURE = { noVga: 1 << 2, noCmosRtc: 1 << 5 } as const;
const HARDWARE_REDUCED = 1 << 20;
/** MADT: an entry of a processor's local APIC. */
const LAPIC_ENTRY = { type: 0, bytes: 8, enabled: 1 } as const;
/** `Scope (\_SB) {}`: a namespace with nothing in it, since a PVH guest finds its devices in xenstore. */
const EMPTY_AML = Buffer.from([0x10, 0x06, 0x5c, 0x5f, 0x53, 0x42, 0x5f]);

/**
 * The ACPI tables of a PVH guest (libxl_x86_acpi.c makes the same kinds): where its processors are, and that there is
 * nothing else. Each vcpu has an enabled entry, APIC id 2 × number as Xen numbers them: a kernel brings all of them up
 * and then takes those away that xenstore calls offline, which it can only do with processors that it has met.
 */
export function pvhAcpiTables(maxVcpus: number): GuestBytes[] {
	const first = PVH_ACPI.start;
	const tables: Buffer[] = [];
	let next = first;
	const place = (table: Buffer): number => {
		const address = next;
		// Tables begin at multiples of 64 bytes: FACS asks for that, the others do not mind.
		const padded = Buffer.alloc(Math.ceil(table.length / 64) * 64);
		table.copy(padded);
		tables.push(padded);
		next += padded.length;
		return address;
	};
	const dsdt = place(sealed(table("DSDT", 2, EMPTY_AML)));
	const xsdt = place(sealed(xsdtOf([place(fadt(dsdt)), place(madt(maxVcpus))])));
	// The RSDP must not share a page with what it leads to: each piece's pages are given to the guest by themselves.
	const rsdpAddress = first + Math.ceil((next - first) / PAGE) * PAGE;
	return [
		{ address: rsdpAddress, bytes: rsdp(xsdt) },
		{ address: first, bytes: Buffer.concat(tables) },
	];
}

function rsdp(xsdt: number): Buffer {
	const bytes = Buffer.alloc(RSDP_BYTES);
	bytes.write("RSD PTR ", 0, "latin1");
	bytes.write("BULKHD", 9, "latin1");
	bytes.writeUInt8(2, 15);
	bytes.writeUInt32LE(RSDP_BYTES, 20);
	bytes.writeBigUInt64LE(BigInt(xsdt), 24);
	// Of the first 20 bytes, as ACPI 1.0 had them; then of all.
	bytes.writeUInt8(checksum(bytes.subarray(0, 20)), 8);
	bytes.writeUInt8(checksum(bytes), 32);
	return bytes;
}

function xsdtOf(addresses: readonly number[]): Buffer {
	const body = Buffer.alloc(8 * addresses.length);
	for (const [index, address] of addresses.entries()) body.writeBigUInt64LE(BigInt(address), 8 * index);
	return table("XSDT", 1, body);
}

function fadt(dsdt: number): Buffer {
	const bytes = table("FACP", 5, Buffer.alloc(FADT_BYTES - HEADER_BYTES));
	bytes.writeUInt32LE(dsdt, 40);
	bytes.writeUInt16LE(BOOT_ARCHITECTURE.noVga | BOOT_ARCHITECTURE.noCmosRtc, 109);
	bytes.writeUInt32LE(HARDWARE_REDUCED, 112);
	bytes.writeUInt8(1, 131); // minor version
	bytes.writeBigUInt64LE(BigInt(dsdt), 140);
	return sealed(bytes);
}

function madt(maxVcpus: number): Buffer {
	const body = Buffer.alloc(8 + LAPIC_ENTRY.bytes * maxVcpus);
	body.writeUInt32LE(LOCAL_APIC_ADDRESS, 0);
	for (let vcpu = 0; vcpu < maxVcpus; vcpu++) {
		const at = 8 + LAPIC_ENTRY.bytes * vcpu;
		body.writeUInt8(LAPIC_ENTRY.type, at);
		body.writeUInt8(LAPIC_ENTRY.bytes, at + 1);
		body.writeUInt8(vcpu, at + 2);
		body.writeUInt8(2 * vcpu, at + 3);
		body.writeUInt32LE(LAPIC_ENTRY.enabled, at + 4);
	}
	return sealed(table("APIC", 4, body));
}

/** A table with its header; the checksum comes last. */
function table(signature: string, revision: number, body: Buffer): Buffer {
	const bytes = Buffer.alloc(HEADER_BYTES + body.length);
	bytes.write(signature, 0, "latin1");
	bytes.writeUInt32LE(bytes.length, 4);
	bytes.writeUInt8(revision, 8);
	bytes.write("BULKHD", 10, "latin1");
	bytes.write("BULKHEAD", 16, "latin1");
	bytes.writeUInt32LE(1, 24);
	bytes.write("BULK", 28, "latin1");
	bytes.writeUInt32LE(1, 32);
	body.copy(bytes, HEADER_BYTES);
	return bytes;
}

function sealed(bytes: Buffer): Buffer {
	bytes.writeUInt8(0, 9);
	bytes.writeUInt8(checksum(bytes), 9);
	return bytes;
}

/** What makes the bytes sum to 0. */
const checksum = (bytes: Uint8Array): number => -bytes.reduce((sum, byte) => (sum + byte) & 0xff, 0) & 0xff;
