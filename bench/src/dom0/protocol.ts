import type { CreateGuestRequest, ProgressLine } from "@bulkhead/api/client";

/** How a guest is created or destroyed: by a program of its own, or by a request to bulkheadd on an open process. */
export type Attempt<Request> = { argv: string[] } | { request: Request };

/** Orders to the observer in dom0, one JSON line each; each is answered by one line. */
export type Order =
	| { do: "create"; name: string; by: Attempt<CreateGuestRequest> }
	| { do: "destroy"; by: Attempt<string> }
	| { do: "run"; argv: string[] };

export type Answer = { ok: true; result: unknown } | { ok: false; error: string };

/** Milliseconds since the program was started, or the request sent. */
export interface CreateTimes {
	/** Xen counts domains up: a gap tells that somebody else created one. */
	guestDomid: number;
	stubDomid: number;
	/** The first and the second new domain were seen: guest and stub, or the other way round. */
	firstDomainMs: number;
	secondDomainMs: number;
	/** The stub domain was seen unpaused. */
	stubUnpausedMs: number;
	/** xenstore told that the stub's QEMU is `running`. */
	qemuRunningMs: number;
	/** The program ended, or the answer was complete. */
	returnedMs: number;
	/** Of Bulkhead's stream, when it was asked by request. */
	steps: { step: string; title: string; startedMs: number; ms: number }[];
}

export interface DestroyTimes {
	returnedMs: number;
	/** Neither guest nor stub is among Xen's domains any more. */
	goneMs: number;
}

export interface RunTimes {
	returnedMs: number;
}

export type Progress = Pick<ProgressLine, "step" | "title" | "state" | "ms">;
