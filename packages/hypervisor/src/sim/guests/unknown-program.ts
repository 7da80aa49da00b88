import type { SimProgram } from "./sim-program.ts";
import { writeConsole } from "./write-console.ts";

/** For an image that nobody knows: says so on its console and idles for ever. */
export const unknownProgram = (): SimProgram => ({
	name: "unknown image",
	run(machine) {
		writeConsole(machine, "This host is simulated: the kernel's code does not run here, the domain idles.\r\n");
	},
});
