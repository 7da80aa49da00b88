export { FEATURE, type Feature, featureBits, featureNames } from "./features.ts";
export { LIMITS } from "./limits.ts";
export { encodeMessage, type Message } from "./message.ts";
export { MessageParser } from "./message-parser.ts";
export { findOperation, OPERATION, type Operation } from "./operations.ts";
export {
	decodeDirectoryPart,
	decodeStrings,
	decodeText,
	decodeWatchEvent,
	encodeStrings,
	encodeWrite,
} from "./payload.ts";
