export { type BuildNativeOptions, buildNative } from "./build-native.ts";
