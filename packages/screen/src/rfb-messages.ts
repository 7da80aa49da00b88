/**
 * Bytes of the Remote Framebuffer protocol, version 3.8 (RFC 6143), as far as pictures and keys take it. Big-endian but
 * for pixels, whose order the client chooses.
 */
export const VERSION = "RFB 003.008\n";

export const SECURITY_NONE = 1;

export const SERVER = { update: 0, colours: 1, bell: 2, cutText: 3 } as const;

export const ENCODING = { raw: 0, desktopSize: -223 } as const;

const CLIENT = { pixelFormat: 0, encodings: 2, updateRequest: 3, key: 4 } as const;

/** Four bytes a pixel: blue, green, red, nothing. */
export function pixelFormatMessage(): Buffer {
	const message = Buffer.alloc(20);
	message.set([CLIENT.pixelFormat, 0, 0, 0, 32, 24, 0, 1]);
	for (const at of [8, 10, 12]) message.writeUInt16BE(255, at);
	message.set([16, 8, 0], 14);
	return message;
}

export function encodingsMessage(encodings: readonly number[]): Buffer {
	const message = Buffer.alloc(4 + 4 * encodings.length);
	message[0] = CLIENT.encodings;
	message.writeUInt16BE(encodings.length, 2);
	for (const [index, encoding] of encodings.entries()) message.writeInt32BE(encoding, 4 + 4 * index);
	return message;
}

/** Asks for all of the screen, changed or not. */
export function wholeScreenRequest(width: number, height: number): Buffer {
	const message = Buffer.alloc(10);
	message[0] = CLIENT.updateRequest;
	message.writeUInt16BE(width, 6);
	message.writeUInt16BE(height, 8);
	return message;
}

/** `keysym`: X11's number of the key's symbol. */
export function keyMessage(keysym: number, down: boolean): Buffer {
	const message = Buffer.alloc(8);
	message.set([CLIENT.key, down ? 1 : 0]);
	message.writeUInt32BE(keysym, 4);
	return message;
}
