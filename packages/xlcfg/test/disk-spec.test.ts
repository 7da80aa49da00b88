import { describe, expect, it } from "vitest";
import { parseDiskSpec } from "../src/index.ts";

describe("parseDiskSpec", () => {
	it.each([
		["/dev/vg/a,raw,hda,rw", { target: "/dev/vg/a", format: "raw", vdev: "hda", access: "rw" }],
		["/x, , hda ,ro", { target: "/x", format: "", vdev: "hda", access: "ro" }],
		[
			" format=raw, vdev=hda, access=rw, target=/a,b=c.img",
			{ target: "/a,b=c.img", format: "raw", vdev: "hda", access: "rw" },
		],
		["phy:/dev/sda,xvda,w", { target: "/dev/sda", vdev: "xvda", access: "w" }],
		["file:/x.iso,hdc:cdrom,r", { target: "/x.iso", vdev: "hdc", devtype: "cdrom", access: "r" }],
		["qcow2:/x,hda,w", { target: "/x", format: "qcow2", vdev: "hda", access: "w" }],
		["iscsi:/iqn,hda,w", { target: "/iqn", script: "block-iscsi", vdev: "hda", access: "w" }],
		[",hdc:cdrom,r", { vdev: "hdc", devtype: "cdrom", access: "r" }],
		[",,hdc,cdrom", { format: "", vdev: "hdc", devtype: "cdrom" }],
		["vdev=hdc,cdrom,format=empty", { vdev: "hdc", devtype: "cdrom", format: "empty" }],
		["/x,raw,vdev=hda,devtype=cdrom", { target: "/x", format: "raw", vdev: "hda", devtype: "cdrom" }],
		["relative:name,raw,hda", { target: "relative:name", format: "raw", vdev: "hda" }],
		["/x,raw,hda,backendtype=qdisk,specification=virtio", { backendtype: "qdisk", specification: "virtio" }],
		["/x,raw,hda,discard,direct-io-safe,grant_usage=1", { flags: ["discard", "direct-io-safe", "grant_usage=1"] }],
		["", { flags: [] }],
	])("reads %j", (text, spec) => {
		expect(parseDiskSpec(text)).toMatchObject(spec);
	});

	it.each([
		["/x,raw,hda,rw,extra", "at most 4 parameters without a name"],
		["/x,raw,hda,sideways", 'access does not take "sideways"'],
		["/x,vmdk,hda", 'format does not take "vmdk"'],
		["/x,raw,hda,vdev=hdb", "vdev is given twice"],
		["/x,raw,hda,format=qcow", "format is given twice"],
		["/x,raw,hda,target=/y", "target is given twice"],
		["colour=red,target=/x", 'parameter "colour" is not known'],
		["/a=b,raw,hda", 'parameter "/a" is not known'],
		["weird:/x,hda,w", 'prefix "weird:" is not known'],
		["file:x.img,hda,w", 'prefix "file:" takes an absolute path'],
	])("refuses %j", (text, why) => {
		expect(() => parseDiskSpec(text)).toThrow(why);
	});

	it("takes the same word for the same parameter twice, as xl does", () => {
		expect(parseDiskSpec("/x,raw,hda:cdrom,devtype=cdrom")).toMatchObject({ devtype: "cdrom" });
	});
});
