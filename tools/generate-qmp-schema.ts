import { writeFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { inspect } from "node:util";
import { formatModule } from "./qmp-schema/format.ts";
import { QmpShapes, type SchemaEntry } from "./qmp-schema/shapes.ts";

const OUTPUT = "packages/qmp/src/schema/qemu.generated.ts";
const USAGE = `Usage: tools/run-ts tools/generate-qmp-schema.ts < QMP-SESSIONS

Writes ${OUTPUT} from what QEMU says of itself: the first session gives the types, what later ones (newer QEMUs)
do not always have is optional. For the packaged one, in the lab:

  npm run lab -- exec -- sh -c '(echo "{\\"execute\\":\\"qmp_capabilities\\"}{\\"execute\\":\\"query-qmp-schema\\"}"; sleep 5) |
    timeout 10 /usr/libexec/xen-qemu-system-i386 -M none -accel qtest -nodefaults -display none -S -qmp stdio'
`;

/** What the toolstack and its users have a use for. Types and checks are generated for these and for every event. */
const COMMANDS = [
	...["query-status", "query-version", "query-name", "query-uuid", "query-commands", "query-block", "query-blockstats"],
	...["query-chardev", "query-fdsets", "query-pci", "query-cpus-fast", "query-hotpluggable-cpus", "query-iothreads"],
	...["query-jobs", "query-block-jobs", "query-balloon", "query-mice", "query-memory-size-summary", "query-memdev"],
	...["query-vnc", "query-vnc-servers", "query-rx-filter", "query-current-machine", "query-migrate", "query-yank"],
	...["query-named-block-nodes", "query-target", "query-kvm", "query-acpi-ospm-status"],
	...["cont", "stop", "quit", "system_powerdown", "system_reset", "system_wakeup", "inject-nmi", "send-key"],
	...["input-send-event", "eject", "blockdev-open-tray", "blockdev-close-tray", "blockdev-remove-medium"],
	...["blockdev-insert-medium", "blockdev-change-medium", "add-fd", "remove-fd", "device_add", "device_del"],
	...["qom-get", "qom-list", "qom-list-properties", "change-vnc-password", "set_link", "balloon", "yank"],
	...["xen-load-devices-state", "xen-save-devices-state", "xen-set-global-dirty-log"],
];

interface Version {
	major: number;
	minor: number;
	micro: number;
}

interface Message {
	QMP?: { version: { qemu: Version } };
	return?: unknown;
}

async function main(): Promise<void> {
	if (process.argv.length > 2 || process.stdin.isTTY) {
		process.stdout.write(USAGE);
		return;
	}
	const [oldest, ...newer] = readSessions(await text(process.stdin));
	if (!oldest) throw new TypeError("Input is no QMP session with an answer to query-qmp-schema");
	const { shapes } = oldest;
	const missing = COMMANDS.filter((name) => !shapes.commands.has(name));
	if (missing.length > 0) throw new TypeError(`QEMU ${oldest.version} has no ${missing.join(", ")}`);
	for (const other of newer) shapes.relaxBy(other.shapes);
	const versions = [oldest, ...newer].map(({ version }) => version);
	writeFileSync(OUTPUT, formatModule(shapes, versions));
	process.stdout.write(`${OUTPUT}: ${shapes.commands.size} commands, ${shapes.events.size} events\n`);
}

/** Each begins with QEMU's greeting. */
function readSessions(input: string): { version: string; shapes: QmpShapes }[] {
	const sessions: { version: string; shapes: QmpShapes }[] = [];
	let version = "";
	for (const line of input.split(/\r?\n/).filter(Boolean)) {
		const { QMP: greeting, return: answer } = JSON.parse(line) as Message;
		if (greeting) version = versionText(greeting.version.qemu);
		if (Array.isArray(answer)) sessions.push({ version, shapes: new QmpShapes(answer as SchemaEntry[], COMMANDS) });
	}
	return sessions;
}

function versionText({ major, minor, micro }: Version): string {
	return `${major}.${minor}.${micro}`;
}

try {
	await main();
} catch (error) {
	process.stderr.write(`generate-qmp-schema: ${inspect(error)}\n`);
	process.exitCode = 1;
}
