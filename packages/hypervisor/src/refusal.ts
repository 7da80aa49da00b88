import { printable } from "@bulkhead/base";
import { HypervisorError } from "./errors.ts";

interface NativeFailure {
	operation: string;
	errno: string;
	log: string[];
}

/** Turns what an addon threw into a HypervisorError that says what was being attempted. Other errors pass unchanged. */
export function refusal(attempt: string, error: unknown, fields: Record<string, unknown> = {}): unknown {
	const failure = nativeFailure(error);
	if (!failure) return error;
	const { operation, errno, log } = failure;
	const reason = log.at(-1) ?? errno;
	return new HypervisorError(reason === "" ? attempt : `${attempt}: ${printable(reason)}`, {
		errno,
		log,
		fields: { ...fields, operation },
		remedy: /^(?:xc_interface|xen[a-z]+)_open$/.test(operation) ? NO_DEVICE : REMEDIES[errno],
		cause: error,
	});
}

/** Calls an addon; what it throws becomes a HypervisorError. */
export function attempt<T>(what: string, call: () => T, fields?: Record<string, unknown>): T {
	try {
		return call();
	} catch (error) {
		throw refusal(what, error, fields);
	}
}

/** The same for a call that answers by a promise. */
export async function attemptAsync<T>(
	what: string,
	call: () => Promise<T>,
	fields?: Record<string, unknown>,
): Promise<T> {
	try {
		return await call();
	} catch (error) {
		throw refusal(what, error, fields);
	}
}

const NO_DEVICE = "Run as root in a control domain of Xen, with its devices in /dev/xen";

const REMEDIES: Record<string, string> = {
	EACCES: "Run as root in the control domain, with libraries of the Xen that runs",
	EPERM: "Run as root in the control domain",
	ESRCH: "Check the domain's number: it does not exist, or no longer",
	ENOMEM: "Free memory on the host, or give the guest less",
};

function nativeFailure(error: unknown): NativeFailure | undefined {
	if (!(error instanceof Error)) return undefined;
	const { operation, errno, log } = error as Error & Partial<NativeFailure>;
	if (typeof operation !== "string" || typeof errno !== "string" || !Array.isArray(log)) return undefined;
	return { operation, errno, log };
}
