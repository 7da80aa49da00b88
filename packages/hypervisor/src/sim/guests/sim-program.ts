import type { SimImage } from "./sim-image.ts";
import type { SimMachine } from "./sim-machine.ts";

/** What a simulated domain does in place of its kernel's code. */
export interface SimProgram {
	readonly name: string;
	/** Begins when the domain is first unpaused. What it throws crashes the domain. When it returns, the domain idles. */
	run(machine: SimMachine): void | Promise<void>;
}

/** Knows some images and what they do. */
export type SimProgramTable = (image: SimImage) => SimProgram | undefined;
