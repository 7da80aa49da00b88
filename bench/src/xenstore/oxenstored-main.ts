/** In dom0: an oxenstored for as long as standard input is open. Prints the path of its socket. */
import { once } from "node:events";
import { Oxenstored } from "@bulkhead/lab/oxenstored";

const server = await Oxenstored.start();
process.stdout.write(`${server.path}\n`);
process.stdin.resume();
await once(process.stdin, "end");
await server.close();
