import { BulkheadError } from "@bulkhead/base";

/**
 * Makes what takes keys in PEM.
 *
 * @param what "The channel's certificate or key"
 * @throws BulkheadError `bad-keys` when it cannot be made of them
 */
export function withKeys<T>(what: string, make: () => T): T {
	try {
		return make();
	} catch (cause) {
		throw new BulkheadError("bad-keys", `${what} cannot be used`, {
			cause,
			remedy: "Give files in PEM, and the key that belongs to the certificate",
		});
	}
}
