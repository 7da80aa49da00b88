import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CapturedIo, run } from "./captured-io.ts";
import { FakeDaemon } from "./fake-daemon.ts";

const NAME = "org.example.agent.v1";
const SOCKET = {
	name: NAME,
	devid: 1,
	connection: "socket",
	socketPath: "/run/agent.sock",
	backendDomid: 0,
	state: 4,
	eventChannel: 12,
	ringRef: 8,
	traffic: { clients: 1, fromGuest: 2, toGuest: 3, dropped: 4 },
};
const PTY = { ...SOCKET, name: "b", devid: 2, connection: "pty", socketPath: undefined, ptyPath: "/dev/pts/3" };
const TLS = {
	...SOCKET,
	name: "c",
	connection: "tls:h:1?ca=/x",
	socketPath: undefined,
	state: -1,
	problem: "odd \u001b",
};

let daemon: FakeDaemon;
let io: CapturedIo;
const bulkhead = (...args: string[]): ReturnType<typeof run> => run(io, daemon.socketPath, ...args);

beforeEach(async () => {
	io = new CapturedIo();
	daemon = await FakeDaemon.open();
});
afterEach(() => daemon[Symbol.asyncDispose]());

describe("bulkhead", () => {
	it("channel-list has xl's columns, names, and what is wrong apart", async () => {
		daemon.json("GET /guests/web/channels", [SOCKET, PTY, TLS]);
		const { out, err } = await bulkhead("channel-list", "web");
		expect(out).toBe(
			"Idx BE state evt-ch ring-ref connection                                name\n" +
				"0   0  4     12            8 socket     /run/agent.sock                org.example.agent.v1\n" +
				"1   0  4     12            8 pty        /dev/pts/3                     b\n" +
				"2   0  -1    12            8 tls        tls:h:1?ca=/x                  c\n",
		);
		expect(err).toBe("bulkhead: channel c: odd \\u{1b}\n");
		io.out = "";
		expect(JSON.parse((await bulkhead("--json", "channel-list", "web")).out)).toHaveLength(3);
	});

	it("channel-attach joins the parts of a specification", async () => {
		daemon.lines("POST /guests/web/channels", { type: "result", channel: SOCKET });
		const { out } = await bulkhead(
			"channel-attach",
			"web",
			`name=${NAME}`,
			"connection=socket",
			"path=/run/agent.sock",
		);
		expect(out).toBe(`channel ${NAME} (console 1) attached to web\n`);
		expect(daemon.seen[0]?.body).toEqual({ spec: `name=${NAME},connection=socket,path=/run/agent.sock` });
	});

	it("channel-detach asks the guest, or not", async () => {
		for (const query of ["", "?force=1"])
			daemon.lines(`DELETE /guests/web/channels/${NAME}${query}`, {
				type: "result",
				channel: SOCKET,
				forced: true,
				complaints: [],
			});
		expect((await bulkhead("channel-detach", "web", NAME)).out).toBe(
			`channel ${NAME} (console 1) detached from web, by force\n`,
		);
		io.out = "";
		expect((await bulkhead("channel-detach", "--force", "web", NAME)).out).toBe(
			`channel ${NAME} (console 1) detached from web\n`,
		);
	});
});
