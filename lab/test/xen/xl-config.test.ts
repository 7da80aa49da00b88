import { beforeAll, describe, expect, it } from "vitest";
import { ok, useLab } from "./support/dom0.ts";
import { ALL_KEYS } from "./xl-config/all-keys.ts";
import { findDifferences, readByUs } from "./xl-config/compare.ts";
import { CORPUS } from "./xl-config/corpus.ts";
import type { XlConfig } from "./xl-config/fact.ts";
import { readAllByXl, type XlReading } from "./xl-config/xl-reads.ts";

describe("xl.cfg files, read by xl and by us", () => {
	const the = useLab();
	let readings: XlReading[];
	let hostCpus: number;

	beforeAll(async () => {
		const cpus = Number(/^nr_cpus\s*:\s*(\d+)/m.exec(await ok(the.lab, ["xl", "info"]))?.[1]);
		// libxl's sets of cpus are whole bytes.
		hostCpus = Math.ceil(cpus / 8) * 8;
		readings = await readAllByXl(
			the.lab,
			CORPUS.map(({ text }) => text),
		);
	});

	it("are at least sixty, with every key at least once", () => {
		expect(CORPUS.length).toBeGreaterThanOrEqual(60);
		expect(readings).toHaveLength(CORPUS.length);
		const written = CORPUS.map(({ text }) => text).join("\n");
		expect(ALL_KEYS.filter((key) => !new RegExp(`(?:^|[;\\s])${key}\\s*\\+?=`, "m").test(written))).toEqual([]);
	});

	it.each(CORPUS.map((entry, index) => ({ ...entry, index })))(
		"$what",
		({ index, text, differs, refusedBy, reason }) => {
			const { exitCode, stdout, stderr } = readings[index] as XlReading;
			const { config, problems } = readByUs(text);
			const refused = [exitCode === 0 ? [] : ["xl"], config ? [] : ["us"]].flat();
			expect(refused, stderr + JSON.stringify(problems)).toEqual(
				{ xl: ["xl"], us: ["us"], both: ["xl", "us"], nobody: [] }[refusedBy ?? "nobody"],
			);
			// Whoever refuses alone has a reason, and we say where.
			expect(refused.length === 1).toBe(reason !== undefined);
			for (const { line, message } of config ? [] : problems) expect([line > 0, message !== ""]).toEqual([true, true]);
			if (!config || exitCode !== 0) return;
			const different = findDifferences(JSON.parse(stdout) as XlConfig, config, hostCpus);
			expect(Object.keys(different).sort(), JSON.stringify(different)).toEqual(Object.keys(differs ?? {}).sort());
		},
	);
});
