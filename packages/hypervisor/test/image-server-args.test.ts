import { expect, it } from "vitest";
import { imageServerArgs } from "../src/native/image-server-args.ts";

const IMAGE = { path: '/a,b".img', isBlockDevice: false, format: "qcow2", readOnly: false, discard: true } as const;

it("qemu-nbd is told format and file, and never to look for another", () => {
	expect(imageServerArgs(IMAGE, "/run/nbd")).toEqual([
		"--fork",
		"--socket=/run/nbd",
		"--shared=1",
		"--cache=writeback",
		"--discard=unmap",
		'json:{"driver":"qcow2","backing":null,"file":{"driver":"file","filename":"/a,b\\".img"}}',
	]);
	expect(
		imageServerArgs({ ...IMAGE, format: "vhd", isBlockDevice: true, readOnly: true, discard: false }, "/s"),
	).toEqual([
		"--fork",
		"--socket=/s",
		"--shared=1",
		"--cache=writeback",
		"--discard=ignore",
		"--read-only",
		'json:{"driver":"vpc","file":{"driver":"host_device","filename":"/a,b\\".img"}}',
	]);
});
