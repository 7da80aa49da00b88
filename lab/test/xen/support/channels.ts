import type { Channel } from "@bulkhead/api/client";
import type { Lab } from "../../../src/lab.ts";
import { SerialSession } from "../../../src/serial-session.ts";
import { bulkhead, eventually, ok } from "./dom0.ts";
import type { GuestShell } from "./network.ts";

export const FOLDER = "/run/channels-test";
export const AGENT = "org.bulkhead.agent.v1";

/** `channel=[…]` as an override: each a name and what follows it. */
export function channelsLine(channels: Readonly<Record<string, string>>): string {
	return `channel=[${Object.entries(channels)
		.map(([name, rest]) => `'name=${name},${rest}'`)
		.join(", ")}]`;
}

export const socketOf = (name: string): string => `connection=socket,path=${FOLDER}/${name}.sock`;

/** A channel whose guest's end is connected. */
export async function connectedChannel(lab: Lab, guest: string, name: string): Promise<Channel> {
	return eventually(
		`channel ${name} to be connected`,
		async () => {
			const found = (await bulkhead<Channel[]>(lab, "channel-list", guest)).find((each) => each.name === name);
			return found?.state === 4 && found.traffic ? found : undefined;
		},
		120_000,
	);
}

/** How socat reaches a channel from dom0. */
export function addressOf({ ptyPath, socketPath }: Channel): string {
	return ptyPath === undefined ? `UNIX-CONNECT:${socketPath}` : `${ptyPath},raw,echo=0`;
}

/** What the guest's end of it is called. */
export const ttyOf = (name: string): string => `/dev/xen-channels/${name}`;

/**
 * Carries so many random bytes from dom0 to the guest and so many back, by socat and a plain tty.
 * @returns seconds each way
 */
export async function carry(
	lab: Lab,
	guest: string,
	shell: GuestShell,
	channel: Channel,
	bytes: number,
	timeoutMs = 120_000,
): Promise<{ in: number; out: number }> {
	const address = addressOf(channel);
	const tty = ttyOf(channel.name);
	const file = `${FOLDER}/${channel.name}.bytes`;
	const sumOf = (text: string): string => /[0-9a-f]{64}/.exec(text)?.[0] ?? `no sum: ${text}`;
	await ok(lab, ["sh", "-c", `head -c ${bytes} /dev/urandom > ${file}`]);
	const begun = Date.now();
	// Whole pieces to a file: under emulation each further process that wakes for 16 bytes costs as much as they do.
	await shell.run(`exec 5<>${tty}; stty raw -echo min 255 time 1 <&5; head -c ${bytes} <&5 > /tmp/received & sleep 0`);
	await ok(lab, ["socat", "-u", `OPEN:${file}`, address], { timeoutMs });
	const received = sumOf(await shell.run("wait; sha256sum /tmp/received; rm /tmp/received", timeoutMs));
	const middle = Date.now();
	if (received !== sumOf(await ok(lab, ["sha256sum", file])))
		throw new Error(`${channel.name}: the guest got other bytes`);
	const reader = ok(lab, ["sh", "-c", `socat -u ${address},readbytes=${bytes} - | sha256sum`], { timeoutMs });
	await eventually("the reader to be there", async () =>
		(await connectedChannel(lab, guest, channel.name)).traffic?.clients === 1 ? true : undefined,
	);
	const sent = sumOf(
		await shell.run(
			`head -c ${bytes} /dev/urandom > /tmp/sent; cat /tmp/sent >&5; exec 5>&-; sha256sum /tmp/sent`,
			timeoutMs,
		),
	);
	if (sumOf(await reader) !== sent) throw new Error(`${channel.name}: dom0 got other bytes`);
	return { in: (middle - begun) / 1000, out: (Date.now() - middle) / 1000 };
}

/** Says hello to a guest's agent until it answers. A conversation begins with it: what was said before may still lie there. */
export async function greetAgent(lab: Lab, channel: Channel, timeoutMs = 60_000): Promise<SerialSession> {
	const limit = Date.now() + timeoutMs;
	for (;;) {
		const session = SerialSession.openAddress(lab, addressOf(channel));
		session.write("\nhello\n");
		try {
			await session.expect(/hello 1 \S+\n/, 5000);
			return session;
		} catch (error) {
			session.close();
			if (Date.now() > limit) throw error;
		}
	}
}
