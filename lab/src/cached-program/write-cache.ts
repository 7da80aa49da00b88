import { writeFileSync } from "node:fs";
import { compileProgram } from "./compile.ts";

/** `node write-cache PATH ARG…`: runs the program with these arguments, then keeps what V8 has compiled until its end. */
const [path = ""] = process.argv.splice(2, 1);
const { script, run } = compileProgram(path);
process.once("exit", () => writeFileSync(`${path}.cache`, script.createCachedData()));
run();
