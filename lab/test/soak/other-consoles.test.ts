import { ApiClient, type OtherConsole } from "@bulkhead/api/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Lab } from "../../src/lab.ts";
import { awaitReady, killAndAwaitRestart } from "../xen/support/daemons.ts";
import { eventually, ok, run, useLab } from "../xen/support/dom0.ts";
import { createGuest, destroyAll, PV } from "../xen/support/guests.ts";

const OPTION = "--serve-all-consoles";
const RUN = "/etc/service/bulkheadd/run";
const ANSWER_MS = 60_000;

describe("consoles of xl's guests", () => {
	const the = useLab();
	let domid: string;

	beforeAll(async () => {
		await ok(the.lab, ["xl", "create", "-q", PV, 'name="theirs"'], { timeoutMs: 120_000 });
		domid = (await ok(the.lab, ["xl", "domid", "theirs"])).trim();
	}, 180_000);

	afterAll(async () => {
		await run(the.lab, ["xl", "destroy", "theirs"]);
		await serveAll(the.lab, false);
		await startXenconsoled(the.lab);
		await destroyAll(the.lab);
	});

	test("are xenconsoled's, and the relay's own guests' are not, as long as nobody asks for more", async () => {
		await xlConsoleAnswers(the.lab, "theirs", 1);
		expect(await otherConsoles(the.lab)).toEqual([]);
		const own = await createGuest(the.lab, PV);
		expect(await ttyOf(the.lab, `${own.domid}`)).toBe(own.consoles[0]?.ptyPath);
		await xlConsoleAnswers(the.lab, "pv", 2);
	}, 180_000);

	test("are the relay's on a host without xenconsoled: xl console and bulkhead console read them", async () => {
		await ok(the.lab, ["sh", "-c", "kill $(cat /run/xenconsoled.pid); rm /run/xenconsoled.pid"]);
		await serveAll(the.lab, true);
		const [console] = await eventually("the console to be served", async () => {
			const found = await otherConsoles(the.lab);
			return found.some(({ socketPath }) => socketPath) ? found : undefined;
		});
		expect(console).toMatchObject({ name: "theirs", domid: Number(domid), label: "pv" });
		expect(console?.problem).toBeUndefined();
		expect(await ttyOf(the.lab, domid)).toBe(console?.ptyPath);
		await xlConsoleAnswers(the.lab, "theirs", 3);

		await ok(the.lab, ["xl", "create", "-q", PV, 'name="later"'], { timeoutMs: 120_000 });
		const read = ["bulkhead", "console", "--from", "start", "--until", "PV-UP", "later"];
		expect(await ok(the.lab, read, { timeoutMs: 120_000 })).toContain("PV-UP");
		await xlConsoleAnswers(the.lab, "later", 4);
		const { stdout } = await run(the.lab, ["bulkhead", "--json", "doctor"]);
		const { checks } = JSON.parse(stdout) as { checks: { name: string }[] };
		expect(checks.find(({ name }) => name === "consoles of other toolstacks")).toMatchObject({
			ok: true,
			detail: "2 served",
		});
	}, 300_000);

	test("outlive the relay, byte for byte, and bulkheadd; a domain that goes is let go of", async () => {
		await killAndAwaitRestart(the.lab, "bulkheadd", "bulkhead-relay");
		await eventually("both to be served again", async () =>
			(await otherConsoles(the.lab)).filter(({ socketPath }) => socketPath).length === 2 ? true : undefined,
		);
		await xlConsoleAnswers(the.lab, "later", 5);
		await ok(the.lab, ["xl", "destroy", "later"]);
		await eventually("the destroyed domain to be forgotten", async () =>
			(await otherConsoles(the.lab)).length === 1 ? true : undefined,
		);
		expect(await ok(the.lab, ["xl", "list"])).not.toContain("(null)");
	}, 180_000);

	test("go back to xenconsoled with the guest running", async () => {
		await serveAll(the.lab, false);
		await startXenconsoled(the.lab);
		await xlConsoleAnswers(the.lab, "theirs", 6);
	}, 180_000);
});

/** None while bulkheadd or the relay is on its way back. */
const otherConsoles = (lab: Lab): Promise<OtherConsole[]> =>
	new ApiClient({ socketPath: lab.paths.daemonSocket }).otherConsoles().catch(() => []);

const ttyOf = async (lab: Lab, domid: string): Promise<string> =>
	(await ok(lab, ["xenstore-read", `/local/domain/${domid}/console/tty`])).trim();

/** Restarts bulkheadd with the option, or without it. */
async function serveAll(lab: Lab, wanted: boolean): Promise<void> {
	const edit = wanted ? `s/mjs/mjs ${OPTION}/` : `s/ ${OPTION}//`;
	const { stdout } = await run(lab, ["grep", "-c", "--", OPTION, RUN]);
	if (Number(stdout) > 0 === wanted) return;
	await ok(lab, ["sed", "-i", edit, RUN]);
	await ok(lab, ["sv", "restart", "/etc/service/bulkheadd"]);
	await awaitReady(lab);
}

/** Unless it runs. */
async function startXenconsoled(lab: Lab): Promise<void> {
	const start = `
pid=$(cat /run/xenconsoled.pid 2>/dev/null) && kill -0 "$pid" 2>/dev/null && exit 0
exec /usr/lib/xen-*/bin/xenconsoled --log=all --log-dir=/var/log/xen/console --pid-file=/run/xenconsoled.pid
`;
	await ok(lab, ["sh", "-c", start]);
}

/** Types a sum into `xl console` until the guest's shell has answered it. */
async function xlConsoleAnswers(lab: Lab, guest: string, number: number): Promise<void> {
	// xl's client reads nothing from what is no terminal.
	const child = lab.spawn(["socat", "-", `EXEC:xl console -t pv ${guest},pty,setsid,ctty,raw,echo=0`]);
	let text = "";
	child.stdout?.on("data", (chunk: Buffer) => {
		text += chunk.toString("latin1");
	});
	const answer = `answer-${number * 1001}`;
	const deadline = Date.now() + ANSWER_MS;
	const type = setInterval(() => child.stdin?.write(`echo answer-$((${number} * 1001))\n`), 2000);
	try {
		await eventually(
			`xl console's answer from ${guest}`,
			async () => (text.includes(answer) ? true : undefined),
			deadline - Date.now(),
		);
	} catch (error) {
		throw new Error(`xl console printed ${JSON.stringify(text.slice(-500))}`, { cause: error });
	} finally {
		clearInterval(type);
		child.kill();
	}
}
