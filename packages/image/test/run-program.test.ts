import { CancelledError, DeadlineError } from "@bulkhead/base";
import { expect, it } from "vitest";
import { ProgramFailedError, runProgram } from "../src/run-program.ts";

it("runProgram passes bytes through unchanged", async () => {
	const stdin = Buffer.from([0, 255, 10, 13, 128]);
	expect((await runProgram(["cat"], { stdin, timeoutMs: 5000 })).stdout).toEqual(stdin);
});

it("runProgram tells status and last words of a program that fails", async () => {
	const failing = runProgram(["sh", "-c", "echo the reason >&2; exit 3"], { timeoutMs: 5000 });
	await expect(failing).rejects.toThrow("sh failed with status 3: the reason");
	await expect(failing).rejects.toMatchObject({ code: "program-failed", fields: { exitCode: 3 } });
});

it("runProgram kills a program that does not end in time", async () => {
	await expect(runProgram(["sleep", "60"], { timeoutMs: 50 })).rejects.toThrow(DeadlineError);
});

it("runProgram bounds what it keeps", async () => {
	const endless = runProgram(["yes"], { timeoutMs: 5000, maxOutputBytes: 1 << 16 });
	await expect(endless).rejects.toMatchObject({ code: "program-output" });
});

it("runProgram says which program is missing", async () => {
	await expect(runProgram(["no-such-program"], { timeoutMs: 5000 })).rejects.toThrow(ProgramFailedError);
});

it("runProgram hands standard output on as it comes", async () => {
	const seen: string[] = [];
	await runProgram(["sh", "-c", "echo one; echo two"], {
		timeoutMs: 5000,
		onStdout: (chunk) => seen.push(chunk.toString("utf8")),
	});
	expect(seen.join("")).toBe("one\ntwo\n");
});

it("runProgram ends the whole group when it is aborted", async () => {
	const abort = new AbortController();
	// The shell's child holds the pipe: the call only settles once it is gone too.
	const running = runProgram(["sh", "-c", "sleep 60 & echo $!; wait"], {
		timeoutMs: 50_000,
		signal: abort.signal,
		group: true,
		onStdout: () => abort.abort(),
	});
	await expect(running).rejects.toThrow(CancelledError);
});

it("runProgram starts nothing when it was aborted before", async () => {
	const running = runProgram(["no-such-program"], { timeoutMs: 5000, signal: AbortSignal.abort() });
	await expect(running).rejects.toThrow(CancelledError);
});
