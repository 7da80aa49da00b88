import { describe, expect, test } from "vitest";
import { HypervisorError } from "../src/errors.ts";
import { attempt, attemptAsync, refusal } from "../src/refusal.ts";

function nativeError(errno: string, log: string[] = [], operation = "xc_domain_pause"): Error {
	return Object.assign(new Error(`${operation} failed`), { operation, errno, log });
}

describe("refusal", () => {
	test("an addon's failure becomes a HypervisorError with errno, log and the call's name", () => {
		const cause = nativeError("ESRCH");
		const error = refusal("Could not pause domain 7", cause, { domid: 7 });
		expect(error).toBeInstanceOf(HypervisorError);
		expect(error).toMatchObject({
			message: "Could not pause domain 7: ESRCH",
			errno: "ESRCH",
			log: [],
			cause,
			fields: { domid: 7, operation: "xc_domain_pause", errno: "ESRCH" },
			remedy: expect.stringContaining("number"),
		});
	});

	test("the library's last words are preferred to a bare errno, and cannot steer a terminal", () => {
		const error = refusal("Could not build", nativeError("EINVAL", ["first", "panic: \x1b[2Jno loader found"]));
		expect(error).toMatchObject({ message: "Could not build: panic: \\u{1b}[2Jno loader found" });
	});

	test("without any reason the sentence stands alone", () => {
		expect(refusal("Could not build", nativeError(""))).toMatchObject({ message: "Could not build", errno: "" });
	});

	test("a device that cannot be opened tells where to run", () => {
		for (const operation of ["xc_interface_open", "xenevtchn_open", "xengnttab_open", "xenforeignmemory_open"])
			expect(refusal("Could not open", nativeError("ENOENT", [], operation))).toMatchObject({
				remedy: expect.stringContaining("control domain"),
			});
	});

	test.each([new TypeError("domid must be a whole number"), new Error("plain"), "text", undefined])(
		"%s passes unchanged",
		(error) => {
			expect(refusal("Could not", error)).toBe(error);
		},
	);
});

describe("attempt and attemptAsync", () => {
	test("answer what the call answers", async () => {
		expect(attempt("Could not", () => 1)).toBe(1);
		expect(await attemptAsync("Could not", async () => 2)).toBe(2);
	});

	test("translate what it throws", async () => {
		const fail = (): never => {
			throw nativeError("EPERM");
		};
		expect(() => attempt("Could not", fail)).toThrow(HypervisorError);
		await expect(attemptAsync("Could not", async () => fail())).rejects.toThrow(HypervisorError);
		await expect(attemptAsync("Could not", fail)).rejects.toThrow(HypervisorError);
	});
});
