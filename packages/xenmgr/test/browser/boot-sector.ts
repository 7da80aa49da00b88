const SECTOR_BYTES = 512;
const ORIGIN = 0x7c00;

/** What the boot sector prints before it waits for keys. */
export const GREETING = "Bulkhead: type, and see.";

/**
 * A PC's boot sector, 8086 machine code: text mode without cursor, a greeting, then every key is printed as it comes.
 * Enter changes to 320 by 200 pixels of 256 colours (mode 13h) and fills them with a pattern.
 */
export function bootSector(): Buffer {
	const setUp = [
		0xfc, // cld
		...[0x31, 0xc0, 0x8e, 0xd8, 0x31, 0xdb], // ds = 0, bx = 0: the first page
		...[0xb8, 0x03, 0x00, 0xcd, 0x10], // 80 by 25 characters
		...[0xb4, 0x01, 0xb9, 0x00, 0x20, 0xcd, 0x10], // no cursor: it would blink
	];
	const greet = [
		...[0xbe, 0, 0], // si = greeting, filled in below
		0xac, // next: lodsb
		...[0x84, 0xc0, 0x74, 0x06], // if al = 0: on to the keys
		...[0xb4, 0x0e, 0xcd, 0x10], // print al
		...[0xeb, 0xf5], // next
	];
	const echo = [
		...[0x31, 0xc0, 0xcd, 0x16], // key: al = the next key
		...[0x3c, 0x0d, 0x74, 0x06], // if it is Enter: on to the picture
		...[0xb4, 0x0e, 0xcd, 0x10], // print al
		...[0xeb, 0xf2], // key
	];
	const draw = [
		...[0xb8, 0x13, 0x00, 0xcd, 0x10], // 320 by 200 pixels
		...[0xb8, 0x00, 0xa0, 0x8e, 0xc0, 0x31, 0xff], // es:di = the first of them
		...[0x89, 0xf8, 0x30, 0xe0, 0xaa], // pixel: its place, both bytes xored
		...[0x81, 0xff, 0x00, 0xfa, 0x75, 0xf5], // to pixel, until 64000
		...[0xf4, 0xeb, 0xfd], // halt
	];
	const code = [...setUp, ...greet, ...echo, ...draw];
	const sector = Buffer.alloc(SECTOR_BYTES);
	sector.set(code);
	sector.writeUInt16LE(ORIGIN + code.length, setUp.length + 1);
	sector.write(`${GREETING}\r\n\0`, code.length, "latin1");
	sector.writeUInt16LE(0xaa55, SECTOR_BYTES - 2);
	return sector;
}
