/** Sizes that xs_wire.h and docs/misc/xenstore.txt set. Bytes. */
export const LIMITS = {
	/** Header of every message: type, request id, transaction id, payload length, each u32 little-endian. */
	header: 16,
	/** XENSTORE_PAYLOAD_MAX: xenstored drops a connection that sends more. */
	payload: 4096,
	/** What our client accepts as one reply: oxenstored sends a large directory whole, above the protocol's limit. */
	reply: 1_048_576,
	/** XENSTORE_ABS_PATH_MAX */
	absolutePath: 3072,
	/** XENSTORE_REL_PATH_MAX */
	relativePath: 2048,
} as const;
