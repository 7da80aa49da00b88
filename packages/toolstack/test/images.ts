/** Beginnings of image files, as their specifications have them. */
export function qcow2Head(
	fields: { version?: number; backing?: bigint; encrypted?: number; incompatible?: bigint } = {},
): Buffer {
	const head = Buffer.alloc(512);
	head.writeUInt32BE(0x514649fb, 0);
	head.writeUInt32BE(fields.version ?? 3, 4);
	head.writeBigUInt64BE(fields.backing ?? 0n, 8);
	head.writeUInt32BE(16, 20);
	head.writeUInt32BE(fields.encrypted ?? 0, 32);
	head.writeBigUInt64BE(fields.incompatible ?? 0n, 72);
	return head;
}

export function qcowHead(fields: { backing?: bigint; encrypted?: number } = {}): Buffer {
	const head = Buffer.alloc(512);
	head.writeUInt32BE(0x514649fb, 0);
	head.writeUInt32BE(1, 4);
	head.writeBigUInt64BE(fields.backing ?? 0n, 8);
	head.writeUInt32BE(fields.encrypted ?? 0, 36);
	return head;
}

export function qedHead(features = 0n): Buffer {
	const head = Buffer.alloc(512);
	head.write("QED\0", "latin1");
	head.writeBigUInt64LE(features, 16);
	return head;
}

export function vhdFooter(type: number): Buffer {
	const footer = Buffer.alloc(512);
	footer.write("conectix", "latin1");
	footer.writeUInt32BE(type, 60);
	return footer;
}
