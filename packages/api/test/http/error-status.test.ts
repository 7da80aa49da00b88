import {
	BulkheadError,
	CancelledError,
	DeadlineError,
	InvalidInputError,
	PeerRefusedError,
	ProtocolError,
} from "@bulkhead/base";
import { describe, expect, it } from "vitest";
import { statusOfError } from "../../src/index.ts";

describe("statusOfError", () => {
	it.each([
		[new BulkheadError("no-such-guest", "x"), 404],
		[new InvalidInputError("x", {}, "name-in-use"), 409],
		[new PeerRefusedError("qmp-command-refused", "x"), 403],
		[new PeerRefusedError("qmp-refused", "x"), 502],
		[new InvalidInputError("x", {}, "guest-config-too-large"), 413],
		[new InvalidInputError("x", {}, "not-enough-memory"), 507],
		[new InvalidInputError("x", {}, "file-unusable"), 400],
		[new DeadlineError("x"), 504],
		[new CancelledError("x"), 503],
		[new PeerRefusedError("hypervisor-refused", "x"), 502],
		[new ProtocolError("x"), 502],
		[new BulkheadError("step-failed", "x"), 500],
		[new BulkheadError("constructor", "x"), 500],
		[new Error("x"), 500],
		["x", 500],
	])("gives %s its status", (error, status) => {
		expect(statusOfError(error)).toBe(status);
	});
});
