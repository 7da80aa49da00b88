export { type FakeNode, FakeTree } from "./fake-tree.ts";
export { FakeXenstored } from "./fake-xenstored.ts";
