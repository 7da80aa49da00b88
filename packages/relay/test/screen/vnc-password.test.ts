import { describe, expect, it } from "vitest";
import { answerChallenge, isRightAnswer } from "../../src/screen/rfb/vnc-password.ts";

const ZERO = Buffer.alloc(16);

describe("VNC authentication", () => {
	// DES of eight zeros under keys with one bit set, from NIST's variable-key tests (SP 800-17), parity aside.
	it.each([
		["", "8ca64de9c1b123a7"],
		["\x01", "95a8d72813daa94d"],
		["\x02", "0eec1487dd8c26d5"],
		["\x04", "7ad16ffb79c45926"],
	])("takes the bits of each byte of %j in reverse, and fills up with zeros", (password, block) => {
		expect(answerChallenge(password, ZERO).toString("hex")).toBe(block + block);
	});

	it("encrypts the two halves each by itself, and looks at 8 characters", () => {
		const challenge = Buffer.from("0123456789abcdef");
		const answer = answerChallenge("password", challenge);
		expect(answer.subarray(0, 8)).toEqual(answerChallenge("password", Buffer.from("0123456701234567")).subarray(8));
		expect(answerChallenge("passwords", challenge)).toEqual(answer);
		expect(answerChallenge("passworx", challenge)).not.toEqual(answer);
		expect(isRightAnswer("password", challenge, answer)).toBe(true);
		expect(isRightAnswer("password", ZERO, answer)).toBe(false);
		expect(isRightAnswer("password", challenge, answer.subarray(0, 8))).toBe(false);
	});
});
