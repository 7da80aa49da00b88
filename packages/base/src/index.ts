export { AsyncQueue } from "./async-queue.ts";
export { delay, type WaitOptions, withDeadline } from "./deadline.ts";
export {
	BulkheadError,
	CancelledError,
	DeadlineError,
	type ErrorDetails,
	errnoOf,
	InvalidInputError,
	PeerRefusedError,
	ProtocolError,
	printable,
	type SerializedError,
	serializeError,
} from "./errors.ts";
export {
	DOM0,
	type DomId,
	domId,
	type EvtchnPort,
	evtchnPort,
	type GrantRef,
	grantRef,
	randomUuid,
	type Uuid,
	uuid,
	uuidFromBytes,
	uuidToBytes,
} from "./ids.ts";
export { Mutex } from "./mutex.ts";
