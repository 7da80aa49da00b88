import { randomBytes } from "node:crypto";
import type { Duplex } from "node:stream";
import { type SecureContext, TLSSocket } from "node:tls";
import { BulkheadError, ProtocolError } from "@bulkhead/base";
import { takeBytes } from "../../stream/take-bytes.ts";
import {
	OUR_VERSION,
	parseVersion,
	type RfbMinor,
	reasonBytes,
	SECURITY,
	takeByte,
	takeWord,
	VENCRYPT,
	VERSION_BYTES,
	word,
} from "./rfb-words.ts";
import { CHALLENGE_BYTES, isRightAnswer } from "./vnc-password.ts";

/** What viewers must do before they see anything. */
export interface ViewerSecurity {
	password?: string;
	tls?: SecureContext;
}

/** A viewer that may look, and waits for the last word. */
export interface GreetedViewer {
	/** Its own stream, or the one inside TLS. */
	stream: Duplex;
	/** It is welcome: what follows is the session's. */
	accept(): void;
	/** It is not, for this reason. Its stream has to be destroyed by the caller. */
	refuse(reason: string): void;
}

/** The viewer does not know the password. `code` is `wrong-password`. */
export class WrongPasswordError extends BulkheadError {
	constructor() {
		super("wrong-password", "The viewer does not know the screen's password");
	}
}

const VENCRYPT_VERSION = Buffer.of(0, 2);

/**
 * The server's side of the handshake with a viewer (RFC 6143 §7.1, and VeNCrypt 0.2), up to the answer whether it may
 * look. Waits for ever: the caller destroys the viewer's stream at its deadline.
 * @throws ProtocolError, WrongPasswordError
 */
export async function greetViewer(stream: Duplex, security: ViewerSecurity): Promise<GreetedViewer> {
	stream.write(OUR_VERSION);
	const minor = parseVersion(await takeBytes(stream, VERSION_BYTES));
	const type = typeOf(security);
	if (minor === 3) tellType(stream, type);
	else await offerType(stream, type);
	const inner = security.tls ? await encrypt(stream, security.tls, security.password !== undefined) : stream;
	const viewer = answering(inner, minor, type);
	if (security.password !== undefined) await checkPassword(viewer, security.password);
	return viewer;
}

function typeOf({ password, tls }: ViewerSecurity): number {
	if (tls) return SECURITY.veNCrypt;
	return password === undefined ? SECURITY.none : SECURITY.vnc;
}

/** RFB 3.3: the server decides. @throws ProtocolError for a viewer that is too old for TLS */
function tellType(stream: Duplex, type: number): void {
	if (type !== SECURITY.veNCrypt) {
		stream.write(word(type));
		return;
	}
	stream.write(Buffer.concat([word(0), reasonBytes("This screen takes viewers with TLS only")]));
	throw new ProtocolError("The viewer is too old for TLS");
}

async function offerType(stream: Duplex, type: number): Promise<void> {
	stream.write(Buffer.of(1, type));
	const chosen = await takeByte(stream);
	if (chosen !== type) throw new ProtocolError("The viewer chose a security type that was not offered");
}

/** VeNCrypt's negotiation, then TLS: with our certificate, and none of the viewer's. @throws ProtocolError */
async function encrypt(stream: Duplex, secureContext: SecureContext, hasPassword: boolean): Promise<TLSSocket> {
	stream.write(VENCRYPT_VERSION);
	const version = await takeBytes(stream, VENCRYPT_VERSION.length);
	const isKnown = version.equals(VENCRYPT_VERSION);
	stream.write(Buffer.of(isKnown ? 0 : 0xff));
	if (!isKnown) throw new ProtocolError("The viewer speaks another VeNCrypt than 0.2");
	const subtype = hasPassword ? VENCRYPT.x509Vnc : VENCRYPT.x509None;
	stream.write(Buffer.concat([Buffer.of(1), word(subtype)]));
	const isRight = (await takeWord(stream)) === subtype;
	stream.write(Buffer.of(isRight ? 1 : 0));
	if (!isRight) throw new ProtocolError("The viewer chose a VeNCrypt type that was not offered");
	return shakeHands(new TLSSocket(stream, { isServer: true, secureContext, requestCert: false }));
}

/** @throws ProtocolError */
async function shakeHands(tls: TLSSocket): Promise<TLSSocket> {
	const failure = await new Promise<Error | undefined>((resolve) => {
		tls.on("error", resolve);
		tls.on("_tlsError", resolve);
		tls.once("secure", () => resolve(undefined));
		tls.once("close", () => resolve(new ProtocolError("The viewer closed before TLS was there")));
	});
	if (!failure) return tls;
	tls.destroy();
	throw new ProtocolError("TLS with the viewer failed", { cause: failure });
}

async function checkPassword(viewer: GreetedViewer, password: string): Promise<void> {
	const { stream } = viewer;
	const challenge = randomBytes(CHALLENGE_BYTES);
	stream.write(challenge);
	if (isRightAnswer(password, challenge, await takeBytes(stream, CHALLENGE_BYTES))) return;
	viewer.refuse("Authentication failed");
	throw new WrongPasswordError();
}

/** SecurityResult: which viewers await it, and which of them a reason, depends on their generation. */
function answering(stream: Duplex, minor: RfbMinor, type: number): GreetedViewer {
	const awaitsResult = minor === 8 || type !== SECURITY.none;
	return {
		stream,
		accept: () => {
			if (awaitsResult) stream.write(word(0));
		},
		refuse: (reason) => {
			if (awaitsResult) stream.write(minor === 8 ? Buffer.concat([word(1), reasonBytes(reason)]) : word(1));
		},
	};
}
