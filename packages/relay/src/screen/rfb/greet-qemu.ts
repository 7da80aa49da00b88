import type { Duplex } from "node:stream";
import { BulkheadError, ProtocolError, printable } from "@bulkhead/base";
import { takeBytes } from "../../stream/take-bytes.ts";
import { OUR_VERSION, parseVersion, SECURITY, takeByte, takeWord, VERSION_BYTES } from "./rfb-words.ts";

/** Of a refusal's reason; more is not read. */
const REASON_BYTES = 256;

/**
 * The viewer's side of the handshake, with a QEMU that nobody trusts, up to where it says that we are welcome. It asks
 * for no security, or we leave: whatever a viewer knows is never told to a QEMU.
 * @throws ProtocolError; BulkheadError `screen-refused` with QEMU's words
 */
export async function greetQemu(stream: Duplex): Promise<void> {
	if (parseVersion(await takeBytes(stream, VERSION_BYTES)) !== 8)
		throw new ProtocolError("The guest's screen speaks an RFB older than 3.8");
	stream.write(OUR_VERSION);
	const count = await takeByte(stream);
	if (count === 0) throw await refusal(stream);
	if (!(await takeBytes(stream, count)).includes(SECURITY.none))
		throw new ProtocolError("The guest's screen asks for a password, which it may not");
	stream.write(Buffer.of(SECURITY.none));
	if ((await takeWord(stream)) !== 0) throw await refusal(stream);
}

async function refusal(stream: Duplex): Promise<BulkheadError> {
	const length = Math.min(await takeWord(stream), REASON_BYTES);
	const reason = length === 0 ? "" : (await takeBytes(stream, length)).toString("latin1");
	return new BulkheadError("screen-refused", `The guest's QEMU refuses a viewer: ${printable(reason)}`);
}
