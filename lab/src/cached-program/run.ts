import { compileProgram } from "./compile.ts";

/** What a command starts in dom0: the program beside it. */
compileProgram(process.argv[1] ?? "").run();
