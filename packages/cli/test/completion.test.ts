import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli } from "../src/index.ts";
import { CapturedIo } from "./captured-io.ts";

let directory: string;
let script: string;

beforeAll(async () => {
	directory = mkdtempSync(join(tmpdir(), "bulkhead-completion-"));
	const io = new CapturedIo();
	expect(await runCli(["completion", "bash"], io)).toBe(0);
	script = join(directory, "bulkhead.bash");
	writeFileSync(script, io.out);
	const names = ["web", "shop-1", "$(touch evil)", "two words"];
	writeFileSync(
		join(directory, "bulkhead"),
		`#!/bin/sh\nprintf '%s\\n' ${names.map((name) => `'${name}'`).join(" ")}\n`,
		{
			mode: 0o755,
		},
	);
});
afterAll(() => rmSync(directory, { recursive: true }));

function complete(...words: string[]): string[] {
	const commands = `source ${script}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length - 1}
_bulkhead; printf '%s\\n' "\${COMPREPLY[@]}"`;
	const env = { PATH: `${directory}:${process.env.PATH}` };
	return execFileSync("bash", ["--norc", "-c", commands], { encoding: "utf8", cwd: directory, env }).trim().split("\n");
}

describe("bash completion", () => {
	it("completes commands", () => {
		expect(complete("bulkhead", "re")).toEqual(["reboot", "rename"]);
	});

	it("completes a command's options", () => {
		expect(complete("bulkhead", "--json", "shutdown", "--f")).toEqual(["--force"]);
	});

	it("completes commands within commands", () => {
		expect(complete("bulkhead", "config", "c")).toEqual(["check", "convert"]);
	});

	it("completes the names of guests that are plain words, and runs none of them", () => {
		expect(complete("bulkhead", "pause", "")).toEqual(expect.arrayContaining(["web", "shop-1"]));
		expect(complete("bulkhead", "pause", "two")).toEqual([""]);
		expect(complete("bulkhead", "pause", "w")).toEqual(["web"]);
		expect(() => execFileSync("test", ["!", "-e", join(directory, "evil")])).not.toThrow();
	});
});
