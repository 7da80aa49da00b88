import * as z from "zod";

/** A PCI device that domain 0 gives away, as GET /host/pci tells of it. */
export interface AssignablePci {
	/** "0000:03:00.0" */
	address: string;
	name?: string;
	/** The domain that has it; absent: it is free. */
	domid?: number;
}

/** Body of POST /host/pci. */
export interface MakeAssignableRequest {
	address: string;
	/** By which configs may ask for it. */
	name?: string;
}

/** A PCI device of a guest's. */
export interface GuestPci {
	/** As its config has it: "0000:03:00.*" for all functions; "" when it goes by name. */
	address: string;
	name?: string;
	/** Slot of the guest's bus, when it was chosen. */
	slot?: number;
}

/** Body of POST /guests/{ref}/pci. */
export interface AttachPciRequest {
	/** As an entry of `pci = [ … ]`. */
	spec: string;
}

export const makeAssignableRequest: z.ZodType<MakeAssignableRequest> = z.object({
	address: z.string().regex(/^[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/),
	name: z
		.string()
		.regex(/^[\x21-\x7e]{1,64}$/)
		.optional(),
});

export const attachPciRequest: z.ZodType<AttachPciRequest> = z.object({ spec: z.string().min(1).max(1024) });
