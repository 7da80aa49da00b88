import { expect, test } from "vitest";
import { SecretTable } from "../../src/screen/secret-table.ts";

function table(most = 3): { secrets: SecretTable<string>; pass(ms: number): void } {
	let now = 1000;
	return {
		secrets: new SecretTable({ most, lifeMs: 100, now: () => now }),
		pass: (ms) => {
			now += ms;
		},
	};
}

test("a secret has 256 random bits and stands for its value until it is taken", () => {
	const { secrets } = table();
	const [one, two] = [secrets.issue("one"), secrets.issue("two")];
	expect(Buffer.from(one, "base64url")).toHaveLength(32);
	expect(one).not.toBe(two);
	expect([secrets.find(one), secrets.find(one), secrets.find(two)]).toEqual(["one", "one", "two"]);
	expect([secrets.take(one), secrets.take(one), secrets.find(one)]).toEqual(["one", undefined, undefined]);
	expect(secrets.find(two)).toBe("two");
});

test("what was never issued stands for nothing", () => {
	const { secrets } = table();
	const secret = secrets.issue("value");
	const last = secret.at(-1) === "A" ? "B" : "A";
	for (const other of [
		"",
		"x",
		`${secret} `,
		secret.slice(1),
		`${secret}A`,
		`${secret.slice(1)}${last}`,
		"\0".repeat(43),
	])
		expect(secrets.take(other)).toBeUndefined();
	expect(secrets.take(secret)).toBe("value");
});

test("a secret's time is over at its end, not before", () => {
	const { secrets, pass } = table();
	const secret = secrets.issue("value");
	pass(99);
	expect(secrets.find(secret)).toBe("value");
	pass(1);
	expect([secrets.find(secret), secrets.size]).toEqual([undefined, 0]);
});

test("the oldest makes room, and others can be dropped", () => {
	const { secrets } = table();
	const issued = ["a", "b", "c", "d"].map((value) => secrets.issue(value));
	expect(issued.map((secret) => secrets.find(secret))).toEqual([undefined, "b", "c", "d"]);
	secrets.drop((value) => value === "c");
	expect(issued.map((secret) => secrets.find(secret))).toEqual([undefined, "b", undefined, "d"]);
});
