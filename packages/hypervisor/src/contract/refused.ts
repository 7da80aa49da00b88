import assert from "node:assert/strict";
import { HypervisorError } from "../errors.ts";

/** Asserts that the call fails with a HypervisorError, of that errno when one is named, and answers it. */
export async function refused(call: () => unknown, errno?: string): Promise<HypervisorError> {
	try {
		await call();
	} catch (error) {
		assert.ok(error instanceof HypervisorError, `expected a HypervisorError, got ${String(error)}`);
		if (errno !== undefined) assert.equal(error.errno, errno, error.message);
		assert.ok(error.message.length > 0);
		return error;
	}
	assert.fail("the call succeeded");
}
