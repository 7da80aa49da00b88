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
export { findUser, type User } from "./find-user.ts";
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
export { isLoopback } from "./is-loopback.ts";
export { Looks } from "./looks.ts";
export { Mutex } from "./mutex.ts";
export { Patience } from "./patience.ts";
export {
	awaitProcessEnd,
	endsWithin,
	findProcess,
	identifyProcess,
	isRunning,
	type ProcessIdentity,
	stopProcess,
} from "./processes.ts";
export { TokenBucket } from "./token-bucket.ts";
