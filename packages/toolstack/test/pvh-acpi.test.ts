import { PVH_ACPI } from "@bulkhead/hypervisor";
import { describe, expect, it } from "vitest";
import { pvhAcpiTables } from "../src/domain/pvh-acpi.ts";

const PAGE = 4096;

/** The guest's memory as the pieces make it. */
function memory(vcpus: number): {
	at: (address: number, length: number) => Buffer;
	rsdp: number;
	pages: Set<number>[];
} {
	const pieces = pvhAcpiTables(vcpus);
	const bytes = Buffer.alloc(PVH_ACPI.bytes);
	for (const piece of pieces) bytes.set(piece.bytes, piece.address - PVH_ACPI.start);
	return {
		at: (address, length) => bytes.subarray(address - PVH_ACPI.start, address - PVH_ACPI.start + length),
		rsdp: pieces[0]?.address ?? 0,
		pages: pieces.map(({ address, bytes: { length } }) => {
			const first = Math.floor(address / PAGE);
			const last = Math.floor((address + length - 1) / PAGE);
			return new Set(Array.from({ length: last - first + 1 }, (_, index) => first + index));
		}),
	};
}

const sum = (bytes: Uint8Array): number => bytes.reduce((total, byte) => (total + byte) & 0xff, 0);

/** Follows the tables as a kernel does, checking each sum. */
function tables(vcpus: number): Map<string, Buffer> {
	const { at, rsdp } = memory(vcpus);
	const root = at(rsdp, 36);
	expect(root.toString("latin1", 0, 8)).toBe("RSD PTR ");
	expect(sum(root.subarray(0, 20))).toBe(0);
	expect(sum(root)).toBe(0);
	const read = (address: number): Buffer => {
		const table = at(address, at(address, 36).readUInt32LE(4));
		expect(sum(table)).toBe(0);
		return table;
	};
	const xsdt = read(Number(root.readBigUInt64LE(24)));
	expect(xsdt.toString("latin1", 0, 4)).toBe("XSDT");
	const found = new Map<string, Buffer>();
	for (let offset = 36; offset < xsdt.length; offset += 8) {
		const table = read(Number(xsdt.readBigUInt64LE(offset)));
		found.set(table.toString("latin1", 0, 4), table);
	}
	const fadt = found.get("FACP");
	if (fadt) found.set("DSDT", read(Number(fadt.readBigUInt64LE(140))));
	return found;
}

describe("pvhAcpiTables", () => {
	it("leads from the RSDP to every table, with sums of zero", () => {
		expect([...tables(2).keys()]).toEqual(["FACP", "APIC", "DSDT"]);
	});

	it("says that there is nothing of a PC", () => {
		const fadt = tables(1).get("FACP");
		expect(fadt?.length).toBe(268);
		expect(fadt?.readUInt32LE(112)).toBe(1 << 20);
		expect(fadt?.readUInt16LE(109)).toBe(0b100100);
		expect(fadt?.readUInt32LE(40)).toBe(Number(fadt?.readBigUInt64LE(140)));
	});

	it.each([1, 2, 128])("has one enabled processor for each of %i vcpus, APIC ids doubled", (vcpus) => {
		const madt = tables(vcpus).get("APIC") ?? Buffer.alloc(0);
		expect(madt.readUInt32LE(36)).toBe(0xfee0_0000);
		expect(madt.length).toBe(44 + 8 * vcpus);
		for (let vcpu = 0; vcpu < vcpus; vcpu++)
			expect([...madt.subarray(44 + 8 * vcpu, 52 + 8 * vcpu)]).toEqual([0, 8, vcpu, 2 * vcpu, 1, 0, 0, 0]);
	});

	it("shares no page between pieces, and stays in its place", () => {
		const { pages } = memory(128);
		const all = pages.flatMap((each) => [...each]);
		expect(new Set(all).size).toBe(all.length);
		expect(Math.max(...all)).toBeLessThan((PVH_ACPI.start + PVH_ACPI.bytes) / PAGE);
		expect(pages.length).toBeLessThanOrEqual(PVH_ACPI.mostPieces);
	});
});
