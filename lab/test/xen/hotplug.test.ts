import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findResidue, takeSnapshot } from "../../src/residue.ts";
import { SerialSession } from "../../src/serial-session.ts";
import { bulkhead, eventually, ok, run, useLab } from "./support/dom0.ts";
import { createGuest, type GuestDocument, PV } from "./support/guests.ts";
import { leaveNothing } from "./support/leave-nothing.ts";

const FOLDER = "/run/hotplug-test";
const LINUX = "/etc/bulkhead/examples/linux.cfg";
const IMAGES = "/var/lib/bulkhead/images";
const PROMPT_MS = 240_000;
const ANSWER_MS = 60_000;

interface Disk {
	vdev: string;
	path?: string;
	state?: number;
	backendPath: string;
}

describe("disks that come and go while a guest runs", () => {
	const the = useLab();

	beforeAll(async () => {
		await ok(the.lab, ["mkdir", "-p", FOLDER]);
		for (const name of ["a", "b", "c"])
			await ok(the.lab, ["sh", "-c", `head -c 65536 /dev/urandom > ${FOLDER}/${name}.img`]);
	});
	leaveNothing(the);
	afterAll(() => run(the.lab, ["rm", "-rf", FOLDER]));

	const sha256 = async (file: string): Promise<string> => (await ok(the.lab, ["sha256sum", file])).slice(0, 64);

	/** A shell in the guest that is ready for commands. */
	async function shellOf(guest: GuestDocument, label: string): Promise<SerialSession> {
		const serial = await SerialSession.open(the.lab, guest, label);
		await eventually(
			"the guest's shell",
			async () => {
				serial.write("\n");
				return serial.expect(/# /, 3000).catch(() => undefined);
			},
			PROMPT_MS,
		);
		return serial;
	}

	/** What a command prints between two marks, which the echo of the command does not have. */
	async function tell(serial: SerialSession, command: string): Promise<string> {
		serial.write(`echo '<''<'; ${command}; echo '>''>'\n`);
		const [, answer = ""] = await serial.expect(/<<\r?\n([\s\S]*?)>>/, ANSWER_MS);
		return answer.trim();
	}

	const sumIn = async (serial: SerialSession, device: string): Promise<string> =>
		(await tell(serial, `sha256sum ${device}`)).slice(0, 64);

	const guestHasIt = (): Promise<Disk> =>
		eventually("the guest to have it", async () => {
			const [disk] = await bulkhead<Disk[]>(the.lab, "block-list", "pv");
			return disk?.state === 4 ? disk : undefined;
		});

	it("a PV guest reads and writes one, gives it up, and nothing of it is left", async () => {
		const guest = await createGuest(the.lab, PV);
		const shell = await shellOf(guest, "pv");
		const withGuest = await takeSnapshot(the.lab);
		await ok(the.lab, ["bulkhead", "block-attach", "pv", `${FOLDER}/a.img,raw,xvdb,w`]);
		await guestHasIt();
		expect(await sumIn(shell, "/dev/xvdb")).toBe(await sha256(`${FOLDER}/a.img`));
		expect(await tell(shell, "echo written-by-guest | dd of=/dev/xvdb conv=fsync,notrunc 2>&1 | tail -n 1")).toMatch(
			/copied|records/,
		);
		expect(await ok(the.lab, ["bulkhead", "block-list", "pv"])).toMatch(/^51728 0 {3}\d+ +4 +\d+ +\d+ +\/local/m);
		const refused = await run(the.lab, ["bulkhead", "block-attach", "pv", `${FOLDER}/b.img,raw,xvdb,w`]);
		expect(refused.exitCode).toBe(7);

		await ok(the.lab, ["bulkhead", "block-detach", "pv", "xvdb"]);
		expect((await ok(the.lab, ["head", "-c", "16", `${FOLDER}/a.img`])).trim()).toBe("written-by-guest");
		expect(await tell(shell, "ls /dev/xvdb 2>&1")).toContain("No such file");
		expect(await findResidue(the.lab, withGuest)).toEqual([]);

		await ok(the.lab, ["bulkhead", "block-attach", "pv", `${FOLDER}/b.img,raw,xvdc,r`]);
		await guestHasIt();
		expect(await sumIn(shell, "/dev/xvdc")).toBe(await sha256(`${FOLDER}/b.img`));
		expect(await tell(shell, "echo x | dd of=/dev/xvdc conv=fsync 2>&1")).toMatch(/Read-only|not permitted|Permission/);
		shell.close();
	});

	it("a hostile PV guest loses its disks in time, and touches nobody else's nodes", async () => {
		const disks = `disk=["${FOLDER}/a.img,raw,xvda,w", "${FOLDER}/b.img,raw,xvdb,w"]`;
		const bystander = await createGuest(the.lab, PV, 'name="bystander"', `disk=["${FOLDER}/c.img,raw,xvda,w"]`);
		const guest = await createGuest(the.lab, PV, disks);
		const shell = await shellOf(guest, "pv");
		(await shellOf(bystander, "pv")).close();
		const theirs = (): Promise<string> =>
			ok(the.lab, ["xenstore-ls", "-p", `/local/domain/0/backend/vbd/${bystander.domid}`]);
		const untouched = await theirs();
		for (const line of MISCHIEF) shell.write(`${line}\n`);
		const node = `/local/domain/${guest.domid}/device/vbd/51712`;
		await eventually("the guest's mischief", async () => {
			const flood = await run(the.lab, ["xenstore-list", node]);
			return /^x\d+$/m.test(flood.stdout) || undefined;
		});
		// It is the guest's node, but where its backend is, is not the guest's to say.
		expect((await ok(the.lab, ["xenstore-read", `${node}/backend`])).trim()).toBe(
			`/local/domain/0/backend/vbd/${guest.domid}/51712`,
		);

		const since = Date.now();
		await ok(the.lab, ["bulkhead", "block-detach", "pv", "xvda"]);
		expect(Date.now() - since).toBeLessThan(30_000);
		const { exitCode } = await run(the.lab, ["xenstore-exists", `/local/domain/0/backend/vbd/${guest.domid}/51712`]);
		expect(exitCode).not.toBe(0);
		await ok(the.lab, ["bulkhead", "block-detach", "--force", "pv", "xvdb"]);
		const destroyed = Date.now();
		await ok(the.lab, ["bulkhead", "destroy", "pv"]);
		expect(Date.now() - destroyed).toBeLessThan(30_000);
		expect(await theirs()).toBe(untouched);
		shell.close();
	});

	it("two disks and a CD are read through one stub domain, and the CD is changed under the reader", async () => {
		const cd = `"format=raw,vdev=hdc,devtype=cdrom,access=ro,target=${FOLDER}/a.img"`;
		const second = `"format=raw,vdev=hdb,access=rw,target=${FOLDER}/c.img"`;
		const first = `"format=raw,vdev=hda,access=rw,target=${IMAGES}/linux.img"`;
		const guest = await createGuest(the.lab, LINUX, `disk=[${first}, ${second}, ${cd}]`);
		const shell = await shellOf(guest, "serial0");
		await tell(shell, "while read -r module; do insmod $module; done < /etc/spare-modules");
		await tell(shell, "n=0; while [ ! -b /dev/sr0 ] && [ $n -lt 100 ]; do usleep 200000; n=$((n+1)); done");
		// Linux probes disks side by side, so their letters may change places: this one is named by its 128 sectors.
		const disk = await tell(shell, "echo /dev/$(grep -lx 128 /sys/block/sd*/size | cut -d/ -f4)");
		expect(await sumIn(shell, disk)).toBe(await sha256(`${FOLDER}/c.img`));
		expect(await sumIn(shell, "/dev/sr0")).toBe(await sha256(`${FOLDER}/a.img`));
		await tell(shell, "(while :; do dd if=/dev/sr0 of=/dev/null bs=2k 2>/dev/null; usleep 300000; done) & true");

		await ok(the.lab, ["bulkhead", "cd-insert", "linux", "hdc", `${FOLDER}/b.img`]);
		await agree(guest, `${FOLDER}/b.img`);
		expect(await readUntil(shell, await sha256(`${FOLDER}/b.img`))).toBe(true);

		await ok(the.lab, ["bulkhead", "cd-eject", "linux", "hdc"]);
		await agree(guest, undefined);
		expect(await tell(shell, "dd if=/dev/sr0 bs=2k count=1 2>&1")).toMatch(/medium|Input|error/i);

		await ok(the.lab, ["bulkhead", "cd-insert", "linux", "hdc", `${FOLDER}/a.img`]);
		await agree(guest, `${FOLDER}/a.img`);
		expect(await readUntil(shell, await sha256(`${FOLDER}/a.img`))).toBe(true);
		shell.close();
	});

	/** The first reads after a change may be told of it in place of data. */
	async function readUntil(shell: SerialSession, sum: string): Promise<boolean> {
		return eventually("the new medium", async () => (await sumIn(shell, "/dev/sr0")) === sum || undefined, ANSWER_MS);
	}

	/** The guest's PV disk, the stub's and QEMU show the same medium, or none. */
	async function agree(guest: GuestDocument, file: string | undefined): Promise<void> {
		const devices = await Promise.all(
			[guest.domid, guest.stub?.domid].map((domid) =>
				run(the.lab, ["xenstore-read", `/local/domain/0/backend/vbd/${domid}/5632/params`]),
			),
		);
		for (const { stdout } of devices) {
			const device = stdout.trim();
			if (file === undefined) expect(device).toBe("");
			else expect(await ok(the.lab, ["losetup", "-n", "-O", "BACK-FILE", device])).toContain(file);
		}
		const { return: drives } = await bulkhead<{ return: { removable: boolean; inserted?: { file: string } }[] }>(
			the.lab,
			...["qmp", "linux", "query-block"],
		);
		const drive = drives.find(({ removable }) => removable);
		if (file === undefined) expect(drive?.inserted).toBeUndefined();
		else expect(drive?.inserted?.file).toMatch(/^\/dev\/fdset\/\d+$/);
	}
});

/**
 * Its kernel's driver lets go of the disks first: Linux 6.1's dies of a backend that answers such a frontend (a BUG_ON of
 * xen-blkfront). Then requests to xenstored by hand (xs_wire.h: type 11 WRITE, request, transaction, length; path NUL
 * value): garbage states, a backend elsewhere and a flood, again and again, in the background.
 */
const MISCHIEF = [
	"for d in 51712 51728; do echo vbd-$d > /sys/bus/xen/drivers/vbd/unbind; done",
	`w() { printf "\\013\\0\\0\\0\\1\\0\\0\\0\\0\\0\\0\\0\\\\$(printf %o $((\${#1}+\${#2}+1)))\\0\\0\\0$1\\000$2" > /dev/xen/xenbus; }`,
	`(while :; do for d in 51712 51728; do w device/vbd/$d/state 99; w device/vbd/$d/backend /bogus; w device/vbd/$d/state 4; w device/vbd/$d/state closed; w device/vbd/$d/x$((n=(n+1)%50)) flood; done; done) &`,
];
