import { createHash } from "node:crypto";
import type { Duplex } from "node:stream";
import type { VchanEndpoint } from "@bulkhead/vchan";

/** Reads so many bytes and leaves the stream open. */
export function collect(stream: Duplex, length: number): Promise<Buffer> {
	return gather(stream, length, (keep) => {
		stream.on("data", keep);
		// A stream that was paused does not flow by being listened to.
		stream.resume();
	});
}

/** The same, through `readInto`. */
export function collectInto(place: Buffer, endpoint: VchanEndpoint, length: number): Promise<Buffer> {
	return gather(endpoint, length, (keep) => endpoint.readInto(place, (chunk) => keep(Buffer.from(chunk))));
}

function gather(stream: Duplex, length: number, read: (keep: (chunk: Buffer) => void) => void): Promise<Buffer> {
	return new Promise((resolve, reject) => {
		const chunks: Buffer[] = [];
		let got = 0;
		const fail = (): void => reject(new Error(`The stream ended after ${got} bytes of ${length}`));
		stream.once("error", reject).once("end", fail).once("close", fail);
		read((chunk) => {
			chunks.push(chunk);
			got += chunk.length;
			if (got >= length) resolve(Buffer.concat(chunks));
		});
	});
}

export function sha256(bytes: Buffer): string {
	return createHash("sha256").update(bytes).digest("hex");
}
