import type { DiskConfig } from "../guest-config.ts";
import { diskConfigOf } from "./disk-config.ts";
import { parseDiskSpec } from "./disk-spec.ts";

/** One disk as `disk = [ … ]` words it. Whether a guest can have it is for `checkDiskFits` to say. @throws InvalidInputError */
export const readDisk = (text: string, baseDir: string): DiskConfig => diskConfigOf(parseDiskSpec(text), baseDir);
