export { CLOSE } from "../page/close-codes.js";
export { findPageFiles, type PageFile } from "./page-files.ts";
