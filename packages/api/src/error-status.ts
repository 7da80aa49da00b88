import {
	BulkheadError,
	CancelledError,
	DeadlineError,
	InvalidInputError,
	PeerRefusedError,
	ProtocolError,
} from "@bulkhead/base";

/** The HTTP statuses that bulkheadd answers errors with. The body's `code` says more. */
export type ErrorStatus = 400 | 403 | 404 | 409 | 413 | 500 | 502 | 503 | 504 | 507;

/** By code; the one place where it is decided. */
const STATUS_OF_CODE: Readonly<Record<string, ErrorStatus>> = {
	"no-such-guest": 404,
	"no-such-route": 404,
	"no-such-console": 404,
	"no-such-operation": 404,
	"no-such-qmp": 404,
	"no-such-device": 404,
	"no-such-screen": 404,
	"session-over": 403,
	"http-not-listening": 409,
	"too-many-screens": 409,
	"device-exists": 409,
	"device-refused": 409,
	"qmp-command-refused": 403,
	"hmp-command-refused": 403,
	"qmp-arguments-too-long": 413,
	"name-in-use": 409,
	"uuid-in-use": 409,
	"guest-not-running": 409,
	"guest-does-not-listen": 409,
	"cannot-unplug": 409,
	"guest-config-too-large": 413,
	"bad-request": 400,
	"not-enough-memory": 507,
	"relay-unreachable": 503,
	"relay-lost": 503,
	"relay-busy": 503,
	"qmp-not-connected": 503,
	"qmp-connection-lost": 503,
	"xenstore-connection-lost": 503,
	cancelled: 503,
};

/** By class, for codes that the table lacks. */
const STATUS_OF_CLASS: readonly [new (...args: never[]) => BulkheadError, ErrorStatus][] = [
	[InvalidInputError, 400],
	[DeadlineError, 504],
	[CancelledError, 503],
	[PeerRefusedError, 502],
	[ProtocolError, 502],
];

export function statusOfError(error: unknown): ErrorStatus {
	if (!(error instanceof BulkheadError)) return 500;
	if (Object.hasOwn(STATUS_OF_CODE, error.code)) return STATUS_OF_CODE[error.code] ?? 500;
	return STATUS_OF_CLASS.find(([type]) => error instanceof type)?.[1] ?? 500;
}
