import type { Halves } from "./session.ts";

/** The halves of every session of moq-transport. Absent: no such session is opened. */
export const HALVES: Halves | undefined = undefined;
