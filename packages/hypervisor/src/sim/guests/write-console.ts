import { evtchnPort } from "@bulkhead/base";
import type { SimMachine } from "./sim-machine.ts";

/** The console page's output (io/console.h: struct xencons_interface). */
const OUTPUT = { offset: 1024, bytes: 2048, producedWord: 771 } as const;

/** Puts text into an untouched console ring, as early boot code does; what does not fit is lost. */
export function writeConsole(machine: SimMachine, text: string): void {
	const { consolePage, image } = machine;
	const bytes = Buffer.from(text).subarray(0, OUTPUT.bytes);
	consolePage.bytes.set(bytes, OUTPUT.offset);
	Atomics.store(consolePage.words, OUTPUT.producedWord, bytes.length);
	machine.notify(evtchnPort(image.consolePort));
}
