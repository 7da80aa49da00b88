import { execFileSync } from "node:child_process";
import { fc, it } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import { remoteCommand, signalCommand } from "../../src/remote-command.ts";
import { shellQuote } from "../../src/shell-quote.ts";

const PRINT_WORDS = ["node", "-e", "process.stdout.write(JSON.stringify(process.argv.slice(1)))", "--"];

describe("shellQuote", () => {
	it("yields the same words in a real shell", () => {
		const words = ["", "a b", "it's", '"', "$HOME", "`id`", "\\", "*", "\n", "-e", "é", "!x", "a;b", "~", "#"];
		const said = execFileSync("sh", ["-c", shellQuote([...PRINT_WORDS, ...words])], { encoding: "utf8" });
		expect(JSON.parse(said)).toEqual(words);
	});

	it.prop([fc.array(fc.string({ unit: "grapheme", maxLength: 8 }).filter((word) => !word.includes("\0")))], {
		numRuns: 200,
	})("leaves nothing outside quotes but harmless characters", (words) => {
		const outside = shellQuote(words).replace(/'[^']*'|\\'/g, "");
		expect(outside).toMatch(/^[\w@%+=:,./ -]*$/);
	});
});

describe("remoteCommand", () => {
	it("keeps the program's status, also when a signal ended it", () => {
		const statusOf = (argv: string[]): number => {
			const line = remoteCommand(argv, "id").replace("/run/lab-exec/id", "/dev/null");
			try {
				execFileSync("sh", ["-c", line], { stdio: "ignore" });
				return 0;
			} catch (error) {
				return (error as { status: number }).status;
			}
		};
		expect(statusOf(["true"])).toBe(0);
		expect(statusOf(["sh", "-c", "exit 42"])).toBe(42);
		expect(statusOf(["sh", "-c", "kill -9 $$"])).toBe(137);
	});

	it("signals the whole process group", () => {
		expect(signalCommand("ab12", "INT")).toBe('kill -s INT -- -"$(cat /run/lab-exec/ab12)" 2>/dev/null');
	});
});
